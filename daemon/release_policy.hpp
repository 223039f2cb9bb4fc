#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>

namespace mqlite {

/// How much of a heap's free memory is given back to the system. Asked at regular times, it gives back what was free the last time and
/// is free now, but for a reserve: memory that a load needs again and again stays.
class release_policy {
 public:
  /// A heap of so many bytes gives nothing back.
  static constexpr std::size_t least = std::size_t{64} << 20;

  /// Bytes to give back of `free`, while `used` bytes are in use.
  std::size_t look(std::size_t free, std::size_t used) noexcept {
    const auto idle = std::min(free, std::exchange(last_free_, free));
    const auto reserve = std::max(least / 2, used / 8);
    if (free + used <= least || idle <= reserve) return 0;
    last_free_ -= idle - reserve;
    return idle - reserve;
  }

 private:
  std::size_t last_free_ = 0;
};

}  // namespace mqlite
