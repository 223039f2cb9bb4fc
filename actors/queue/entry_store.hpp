#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "actors/message.hpp"

namespace mqlite {

/// Where a queue keeps one of its messages.
enum class place : std::uint8_t {
  none,      ///< the slot is free
  arrived,   ///< waiting, as it came
  returned,  ///< waiting again at the front, after a delivery
  delayed,   ///< not yet due
  leased,    ///< delivered, not yet acknowledged
  settling,  ///< on its way out: the record of it is being written
};

/// Names a slot of an entry_store.
using entry_handle = std::uint32_t;
inline constexpr entry_handle no_entry = ~entry_handle{0};

/// What a queue knows of one message besides the message itself: 24 bytes.
struct entry {
  message_ptr message;
  std::uint32_t slot = 0;  ///< of a delay or a lease: its timer; of a free slot: the next one
  std::uint32_t more = 0;  ///< with `slot` 64 bits: of an arrived entry its position, of a settling one a time
  std::uint32_t deliveries : 24 = 0;
  std::uint32_t where : 4 = 0;       ///< a place
  std::uint32_t before : 3 = 0;      ///< of a settling entry: the place that it was taken from
  std::uint32_t unexpiring : 1 = 0;  ///< was redriven: it has no time to live any more

  mqlite::place place() const noexcept { return static_cast<mqlite::place>(where); }
  void place(mqlite::place value) noexcept { where = static_cast<std::uint8_t>(value) & 0xf; }

  /// Where an arrived entry stands in line.
  std::uint64_t position() const noexcept { return static_cast<std::uint64_t>(slot) << 32 | more; }
  void position(std::uint64_t value) noexcept {
    slot = static_cast<std::uint32_t>(value >> 32);
    more = static_cast<std::uint32_t>(value);
  }

  /// What a settling entry was before, and until when: the end of its lease or of its delay.
  void remember(mqlite::place was, std::int64_t until) noexcept {
    before = static_cast<std::uint8_t>(was) & 0x7;
    position(static_cast<std::uint64_t>(until));
  }
  mqlite::place remembered_place() const noexcept { return static_cast<mqlite::place>(before); }
  std::int64_t remembered_time() const noexcept { return static_cast<std::int64_t>(position()); }
};
static_assert(sizeof(entry) == 24);

/// Slots for entries, in chunks, so that growing copies nothing, handles stay valid, and a queue that was deep gives memory back.
/// All operations take constant time. Its entries are charged to the memory of messages.
class entry_store {
 public:
  /// Memory that a queue needs for each entry, in bytes: itself, its place in the index, and a lease, a delay or an expiry.
  static constexpr std::int64_t bookkeeping = 88;

  entry_store() = default;
  entry_store(const entry_store&) = delete;
  entry_store& operator=(const entry_store&) = delete;
  ~entry_store() { message::charge(-bookkeeping * static_cast<std::int64_t>(size_)); }

  entry& operator[](entry_handle h) noexcept { return chunks_[h / chunk_size]->slots[h % chunk_size]; }
  const entry& operator[](entry_handle h) const noexcept { return chunks_[h / chunk_size]->slots[h % chunk_size]; }

  entry_handle add(message_ptr message);
  void remove(entry_handle h);

  /// Calls `visit(entry_handle, const entry&)` for each entry that is in some place, in no particular order.
  template <class Visit>
  void each(Visit visit) const {
    for (std::uint32_t number = 0; number < chunks_.size(); ++number) {
      if (!chunks_[number]) continue;
      for (std::uint32_t slot = 0; slot < chunks_[number]->fresh; ++slot)
        if (const auto& e = chunks_[number]->slots[slot]; e.place() != place::none)
          visit(number * chunk_size + slot, e);
    }
  }

  /// Whether an entry has that handle, which is below end().
  bool holds(entry_handle h) const noexcept {
    const auto& c = chunks_[h / chunk_size];
    return c && h % chunk_size < c->fresh && c->slots[h % chunk_size].place() != place::none;
  }
  /// The handles of all entries are below this.
  entry_handle end() const noexcept { return static_cast<entry_handle>(chunks_.size() * chunk_size); }

  std::size_t size() const noexcept { return size_; }
  /// Memory held for slots, in bytes.
  std::size_t footprint() const noexcept { return held_ * sizeof(chunk); }

 private:
  static constexpr std::uint32_t chunk_size = 128;
  static constexpr std::uint32_t no_chunk = ~std::uint32_t{0};

  struct chunk {
    entry slots[chunk_size];
    std::uint32_t used = 0;
    std::uint32_t fresh = 0;       ///< slots from here on were never used
    entry_handle free = no_entry;  ///< list of freed slots through entry::slot
    std::uint32_t next_with_room = no_chunk;
    std::uint32_t prev_with_room = no_chunk;
  };

  std::uint32_t add_chunk();
  void link(std::uint32_t number) noexcept;
  void unlink(std::uint32_t number) noexcept;

  std::vector<std::unique_ptr<chunk>> chunks_;
  std::vector<std::uint32_t> released_;       ///< numbers whose memory was given back
  std::uint32_t first_with_room_ = no_chunk;  ///< list of the chunks that have a free slot
  std::size_t size_ = 0;
  std::size_t held_ = 0;
};

}  // namespace mqlite
