#pragma once

#include <algorithm>
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
/// **Order.** First those at the front, by id; then those that arrived, first to last, so that they can stand in line alone when the
/// log is replayed; then those that went elsewhere before their turn, and, slot by slot, all that were not given so far: delayed and
/// leased ones, and those whose place changed meanwhile.
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
  /// The entry was made for a message that stood there alone.
  void entered(entry_handle h, arrival_line::position at);
  /// Places at the ends of the line are empty now, and may be used by others.
  void line_is(arrival_line::position begin, arrival_line::position end) noexcept {
    cursor_ = std::max(cursor_, begin);
    last_ = std::min(last_, end);
  }
  /// A message that stands there alone goes to another queue.
  void leaving(const message_ptr& m, arrival_line::position at);
  /// An entry goes to another queue, or to the dead letters.
  void leaving(entry_handle h, std::int64_t now);

 private:
  enum class stage { front, arrived, others, done };

  bool given_at(arrival_line::position at) const noexcept {
    return stage_ == stage::others || stage_ == stage::done || at < cursor_ || at >= last_;
  }
  bool given(entry_handle h) const noexcept { return h >= slots_ || (marks_[h / 64] >> h % 64 & 1) != 0; }
  void mark(entry_handle h) noexcept { marks_[h / 64] |= std::uint64_t{1} << h % 64; }
  void give(entry_handle h, std::int64_t now, std::vector<snapshot_entry>& out);
  snapshot_entry image_of(entry_handle h, std::int64_t now) const;
  void give_front(std::size_t most, std::int64_t now, std::vector<snapshot_entry>& out);
  void give_arrived(std::size_t most, std::int64_t now, std::vector<snapshot_entry>& out);
  void give_others(std::size_t most, std::int64_t now, std::vector<snapshot_entry>& out);

  const queue_core& core_;
  entry_handle slots_;                ///< entries in later slots came later, or were given before they were entries
  std::vector<std::uint64_t> marks_;  ///< a bit for each slot: was given, or need not be
  stage stage_ = stage::front;
  std::optional<message_id> front_;   ///< the last one from the front
  arrival_line::position cursor_;     ///< the next place in line; who stands before it came later, or has had his turn
  arrival_line::position last_;       ///< who stands from here on came later
  entry_handle slot_ = 0;             ///< the next slot
  std::vector<snapshot_entry> left_;  ///< went elsewhere before their turn
};

}  // namespace mqlite
