#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>

namespace mqlite {

/// Durations, counted in buckets. Callable from every thread; a reading is not of one moment.
class latency_histogram {
 public:
  /// Upper bounds of the buckets in seconds; one more takes the rest.
  static constexpr std::array bounds = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01,
                                        0.025,  0.05,    0.1,    0.25,  0.5,    1.0,   2.5};

  /// `times`: how many requests took as long.
  void observe(std::chrono::nanoseconds duration, std::uint64_t times = 1) noexcept {
    const double seconds = std::chrono::duration<double>(duration).count();
    std::size_t i = 0;
    while (i < bounds.size() && seconds > bounds[i]) ++i;
    counts_[i].fetch_add(times, std::memory_order_relaxed);
    nanoseconds_.fetch_add(static_cast<std::uint64_t>(duration.count()) * times, std::memory_order_relaxed);
  }

  /// How many durations are in bucket `i`, not cumulative; `i` = bounds.size() is the one for the rest.
  std::uint64_t count(std::size_t i) const noexcept { return counts_[i].load(std::memory_order_relaxed); }
  double sum_seconds() const noexcept {
    return static_cast<double>(nanoseconds_.load(std::memory_order_relaxed)) * 1e-9;
  }

 private:
  std::array<std::atomic<std::uint64_t>, bounds.size() + 1> counts_{};
  std::atomic<std::uint64_t> nanoseconds_{0};
};

}  // namespace mqlite
