#pragma once

#include <algorithm>
#include <cstddef>

namespace mqlite {

/// Whether a thread that waits for its peers looks for events for a moment before it sleeps. A peer that waits for answers sends again
/// as soon as it has them, and to fall asleep and be woken takes longer than that. But a look may be for nothing, and peers that take
/// turns are better answered together, which a sleeper does: it is late.
///
/// Operation: looks are for one peer that is alone, or for bursts that are large anyhow. One that finds nothing costs what one that
/// finds something saves with a large burst, and what four save with a small one; when that is not paid for by looks before, some
/// waits begin without.
class spin_policy {
 public:
  /// A peer has sent so many bytes.
  void heard(const void* peer, std::size_t bytes) noexcept {
    turns_ = peer == peer_ ? turns_ + 1 : 0;
    peer_ = peer;
    bytes_ += bytes;
  }

  /// Whether the wait that begins now begins with a look. If so, found() or found_nothing() says what came of
  /// it, unless there was nothing to wait for.
  bool spins() noexcept {
    if (bytes_ > 0) large_ = bytes_ >= large_burst;
    bytes_ = 0;
    if (!large_ && turns_ < turns_alone) return false;
    if (to_skip_ == 0) return true;
    --to_skip_;
    return false;
  }
  void found() noexcept { credit_ = std::min(credit_ + 1, most_credit); }
  void found_nothing() noexcept {
    credit_ -= large_ ? 1 : 4;
    if (credit_ >= 0) return;
    credit_ = 0;
    to_skip_ = waits_without;
  }

 private:
  static constexpr std::size_t large_burst = 4096;
  static constexpr unsigned turns_alone = 16;
  static constexpr int most_credit = 16;
  static constexpr unsigned waits_without = 32;

  const void* peer_ = nullptr;  ///< the last one; not to be dereferenced
  unsigned turns_ = 0;          ///< of that peer, in a row
  std::size_t bytes_ = 0;       ///< since the last wait
  bool large_ = false;          ///< the last burst
  int credit_ = 0;
  unsigned to_skip_ = 0;
};

}  // namespace mqlite
