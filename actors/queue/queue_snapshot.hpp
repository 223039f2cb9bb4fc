#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "actors/queue/queue_core.hpp"

namespace mqlite {

/// Lists what a queue held when the listing began, in slices, while the queue goes on. Pure.
///
/// **What it gives.** Each message that was there at the beginning is given once, as it is when its turn comes. It may be left out
/// when it was acknowledged before its turn; one that went elsewhere before its turn is given as it was when it went. What comes
/// later is not given. So whoever replays over it the records of everything since the beginning has the queue as it is.
///
/// **Order.** First those at the front, by id; then those that arrived, first to last; then, slot by slot, all that were not given
/// so far: delayed and leased ones, and those whose place changed meanwhile.
///
/// **Costs.** A bit for each slot. A slice takes time for what it gives, however much the queue holds.
class queue_snapshot {
 public:
  explicit queue_snapshot(const queue_core& core);

  /// Appends about `most` entries; false when there are none left.
  bool next(std::size_t most, std::int64_t now, std::vector<snapshot_entry>& out);

  // -- what the queue tells ---------------------------------------------------------------------------------------------------

  /// A new entry, which is not to be given.
  void added(entry_handle h) noexcept {
    if (h < slots_) mark(h);
  }
  /// An entry leaves the list of those that arrived, from between these two.
  void unlinked(entry_handle h, entry_handle prev, entry_handle next) noexcept {
    const bool is_last = h == last_;
    if (h == cursor_) cursor_ = is_last ? no_entry : next;
    if (is_last) last_ = prev;
  }
  /// An entry goes to another queue, or to the dead letters.
  void leaving(entry_handle h, std::int64_t now);

 private:
  enum class stage { front, arrived, others, done };

  bool given(entry_handle h) const noexcept { return h >= slots_ || (marks_[h / 64] >> h % 64 & 1) != 0; }
  void mark(entry_handle h) noexcept { marks_[h / 64] |= std::uint64_t{1} << h % 64; }
  void give(entry_handle h, std::int64_t now, std::vector<snapshot_entry>& out);
  snapshot_entry image_of(entry_handle h, std::int64_t now) const;
  void give_front(std::size_t most, std::int64_t now, std::vector<snapshot_entry>& out);
  void give_arrived(std::size_t most, std::int64_t now, std::vector<snapshot_entry>& out);
  void give_others(std::size_t most, std::int64_t now, std::vector<snapshot_entry>& out);

  const queue_core& core_;
  entry_handle slots_;                ///< entries in later slots came later
  std::vector<std::uint64_t> marks_;  ///< a bit for each slot: was given, or need not be
  stage stage_ = stage::front;
  std::optional<message_id> front_;   ///< the last one from the front
  entry_handle cursor_ = no_entry;    ///< the next of those that arrived
  entry_handle last_;                 ///< the last one of them that was there at the beginning
  entry_handle slot_ = 0;             ///< the next slot
  std::vector<snapshot_entry> left_;  ///< went elsewhere before their turn
};

}  // namespace mqlite
