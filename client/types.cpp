#include "mqlite/client/types.hpp"

namespace mqlite::client {

std::string message_id::text() const {
  static constexpr char digits[] = "0123456789abcdef";
  std::string result;
  result.reserve(36);
  for (int nibble = 0; nibble < 32; ++nibble) {
    if (nibble == 8 || nibble == 12 || nibble == 16 || nibble == 20) result += '-';
    result += digits[(nibble < 16 ? high : low) >> (60 - 4 * (nibble % 16)) & 0xf];
  }
  return result;
}

// 48 bits of milliseconds, the version, and 12 bits that divide the millisecond.
std::int64_t message_id::timestamp() const noexcept {
  constexpr std::int64_t nanoseconds_per_millisecond = 1'000'000;
  return static_cast<std::int64_t>(high >> 16) * nanoseconds_per_millisecond +
         static_cast<std::int64_t>(high & 0xfff) * nanoseconds_per_millisecond / 4096;
}

}  // namespace mqlite::client
