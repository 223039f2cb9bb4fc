#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "actors/queue/entry_store.hpp"

namespace mqlite {

/// Finds entries by message id. A linear hash table (Litwin: Linear Hashing, 1980): each insertion splits at most one bucket, so
/// that it grows without ever stopping to rehash, however deep the queue. A bucket is one cache line and holds the hashes along with
/// the handles: looking for an id that is not there, and splitting, touch no entry and no message. About 14 bytes a message.
///
/// Ids of one burst differ in their clocks alone, and lie side by side here: 16 neighbours go to 16 adjacent buckets, so that deep
/// queues do not pay for a cold page of memory with every message (measured at 1 million waiting: 1.9 times as many cycles a second).
class id_index {
 public:
  explicit id_index(entry_store& entries) noexcept : entries_(entries) {}

  /// The entry of that id, or no_entry.
  entry_handle find(const message_id& id) const noexcept;
  /// The id must not be there yet.
  void insert(entry_handle h);
  /// The entry must be there.
  void remove(entry_handle h) noexcept;

 private:
  static constexpr std::uint32_t slots = 7;
  static constexpr std::uint32_t usual_load = 5;  ///< entries for each bucket
  static constexpr std::uint32_t segment_size = 256;
  static constexpr std::uint32_t smallest_segment = 4;
  static constexpr std::uint32_t none = ~std::uint32_t{0};

  /// Filled from the front; the one that is full has perhaps an overflow.
  struct alignas(64) bucket {
    std::uint32_t hashes[slots];
    entry_handle handles[slots];
    std::uint32_t used = 0;
    std::uint32_t overflow = none;  ///< a number among the overflow buckets
  };
  /// Buckets by number, in segments, so that growing copies nothing but the first segment, which begins small: of ten thousand
  /// queues with a few messages each takes 256 bytes, not 16 KiB.
  struct bucket_array {
    std::vector<std::unique_ptr<bucket[]>> segments;
    std::uint32_t size = 0;
    std::uint32_t first_size = 0;  ///< buckets that the first segment has room for

    bucket& operator[](std::uint32_t n) const noexcept { return segments[n / segment_size][n % segment_size]; }
    /// References to other buckets end.
    void add();
    void drop_last() noexcept;
  };

  static std::uint32_t hash_of(const message_id& id) noexcept;
  std::uint32_t hash_of(entry_handle h) const noexcept { return hash_of(entries_[h].message->id()); }
  std::uint32_t bucket_of(std::uint32_t hash) const noexcept;
  void put(std::uint32_t number, std::uint32_t hash, entry_handle h);
  std::uint32_t take_overflow();
  void release(std::uint32_t overflow) noexcept;
  void grow();
  void shrink() noexcept;

  entry_store& entries_;
  bucket_array buckets_;
  bucket_array overflow_;
  std::uint32_t free_overflow_ = none;  ///< list through bucket::overflow
  std::uint32_t level_ = 1;             ///< a power of two; level_ <= buckets < 2 * level_
  std::uint32_t size_ = 0;
};

}  // namespace mqlite
