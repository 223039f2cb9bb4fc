#pragma once

#include <atomic>
#include <cstddef>
#include <vector>

namespace mqlite::tcp {

/// Which loop serves connections that do not pipeline: each command waits for the answer to the one before.
///
/// Under fsync `always` such connections get on in step when they share a loop: it reads what all of them have sent, appends that,
/// waits for one fsync and answers all. On two loops these are two groups, with an fsync each, and the loops take the processor from
/// the clients and from each other (2 cores, 32 or 64 connections: 1.2 to 1.4 times as many publishes on one loop, at 0.7 of the
/// CPU; with more, nothing is gained). So they are brought together while they are few. Connections that pipeline bring enough for an
/// fsync by themselves: they stay where they are.
///
/// Callable from every thread.
class placement {
 public:
  /// What one loop gets of them from others.
  static constexpr std::size_t most = 64;

  explicit placement(std::size_t loops) : counts_(loops) {}

  /// A connection that was dealt to loop `own` does not pipeline: the loop that is to serve it, where it counts until leave(). That is
  /// the first one before `own` where others do so, and not too many; else `own`.
  std::size_t enter(std::size_t own) noexcept {
    for (std::size_t i = 0; i < own; ++i)
      if (join(i)) return i;
    return stay(own);
  }
  /// The same for one that is to be served where it was dealt to.
  std::size_t stay(std::size_t own) noexcept {
    counts_[own].fetch_add(1, std::memory_order_relaxed);
    return own;
  }
  void leave(std::size_t loop) noexcept { counts_[loop].fetch_sub(1, std::memory_order_relaxed); }

  /// There are so many on this loop by now that those from others had better go home.
  bool crowded(std::size_t loop) const noexcept { return counts_[loop].load(std::memory_order_relaxed) > most; }

 private:
  bool join(std::size_t loop) noexcept {
    auto count = counts_[loop].load(std::memory_order_relaxed);
    while (count > 0 && count < most)
      if (counts_[loop].compare_exchange_weak(count, count + 1, std::memory_order_relaxed)) return true;
    return false;
  }

  std::vector<std::atomic<std::size_t>> counts_;
};

}  // namespace mqlite::tcp
