#pragma once

#include <chrono>
#include <cstdint>

namespace mqlite {

/// Where time comes from: unix nanoseconds. The ends of leases are wall-clock, so that they survive a restart.
class clock {
 public:
  virtual ~clock() = default;
  virtual std::int64_t now() const noexcept = 0;
};

class system_clock final : public clock {
 public:
  std::int64_t now() const noexcept override {
    return std::chrono::nanoseconds(std::chrono::system_clock::now().time_since_epoch()).count();
  }
};

/// `from + by`, at most the end of time.
inline std::int64_t later(std::int64_t from, std::chrono::nanoseconds by) noexcept {
  std::int64_t result;
  return __builtin_add_overflow(from, by.count(), &result) ? INT64_MAX : result;
}

}  // namespace mqlite
