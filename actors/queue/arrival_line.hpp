#pragma once

#include <bit>
#include <cstdint>
#include <deque>
#include <memory>

#include "actors/message.hpp"
#include "actors/queue/entry_store.hpp"

namespace mqlite {

/// The line in which a queue's messages wait for their first delivery, first come, first served. Each has a place, which takes 8
/// bytes, and in which stands
///
/// - the message alone, which is how almost all of them wait: it needs no entry and no index. Those that stand alone have ids that
///   rise from the head to the tail; so they are found by binary search;
/// - or an entry's handle: of a message that breaks the order of ids, or of which the queue has to know more;
/// - or nothing: whoever was there has left from between the others.
///
/// The place at the head and that at the tail are never empty.
///
/// **Limitations.** Places lie in blocks of 124, and a block stays until the last one in it is empty: where nearly all leave from
/// between the others (which takes expiries or acknowledgements of what was never delivered), one who stays keeps up to 1 KiB.
///
/// **Costs.** Both ends: constant time. Going to a place, finding an id: O(log n). Leaving from between the others: now and then the
/// list of blocks closes up, 8 bytes for each 124 places that it moves.
class arrival_line {
 public:
  /// Names a place for as long as something stands there. Rises from the head to the tail.
  using position = std::uint64_t;
  static constexpr position nowhere = 0;

  arrival_line() = default;
  arrival_line(const arrival_line&) = delete;
  arrival_line& operator=(const arrival_line&) = delete;
  ~arrival_line();

  /// Messages and entries in the line.
  std::size_t size() const noexcept { return size_; }
  /// Messages among them that stand alone.
  std::size_t alone() const noexcept { return alone_; }

  /// Whether a message with that id may stand alone behind all others, or before them.
  bool in_order_last(const message_id& id) const noexcept { return id > newest_; }
  bool in_order_first(const message_id& id) const noexcept { return oldest_ == message_id() || id < oldest_; }

  void push_back(message_ptr m);
  void push_front(message_ptr m);
  position push_back(entry_handle h) { return put_last(of(h)); }
  position push_front(entry_handle h) { return put_first(of(h)); }

  /// The head, and one behind the tail; equal when the line is empty.
  position begin() const noexcept { return begin_; }
  position end() const noexcept { return end_; }
  /// The first place that is not empty, there or behind it; end() when there is none.
  position next(position at) const noexcept;

  /// The entry that stands there; no_entry where a message stands alone.
  entry_handle entry_at(position at) const noexcept;
  /// The message that stands there alone.
  message_ptr message_at(position at) const noexcept;
  /// Begins to bring that message into the processor's cache.
  void prefetch(position at) const noexcept;

  /// The entry takes the place of the message that stands there alone, which is returned.
  message_ptr replace(position at, entry_handle h) noexcept;
  /// The place is empty; returns the message that stood there alone.
  message_ptr remove(position at) noexcept;

  /// Where the message with that id stands alone, or nowhere.
  position find(const message_id& id) const noexcept;

 private:
  static constexpr std::uint64_t block_size = 124;  // makes a block 1 KiB
  static constexpr position origin = (std::uint64_t{1} << 40) * block_size;

  /// What stands in a place: 0, the address of a message, or twice a handle plus 1.
  using place_content = std::uintptr_t;
  static place_content of(entry_handle h) noexcept { return static_cast<place_content>(h) << 1 | 1; }
  static bool is_entry(place_content c) noexcept { return (c & 1) != 0; }
  static bool is_alone(place_content c) noexcept { return c != 0 && !is_entry(c); }
  static message* address(place_content c) noexcept { return std::bit_cast<message*>(c); }

  /// The places of `block_size` neighbours.
  struct block {
    std::uint64_t number = 0;  ///< of the first one's position / block_size
    std::uint32_t used = 0;
    std::uint32_t padding = 0;
    message_id after;  ///< what stands here alone is newer
    place_content places[block_size] = {};
  };
  using block_list = std::deque<std::unique_ptr<block>>;

  position put_last(place_content c);
  position put_first(place_content c);
  std::unique_ptr<block> new_block(std::uint64_t number);
  /// The first block with that number or a higher one.
  block_list::const_iterator block_of(std::uint64_t number) const noexcept;
  place_content& at(position p) const noexcept { return (*block_of(p / block_size))->places[p % block_size]; }
  void close_up() noexcept;

  block_list blocks_;  ///< those in which something stands, by number
  std::unique_ptr<block> spare_;
  position begin_ = origin;
  position end_ = origin;
  std::size_t size_ = 0;
  std::size_t alone_ = 0;
  message_id newest_;  ///< of those that stand alone none is newer
  message_id oldest_;  ///< nor older than this
};

}  // namespace mqlite
