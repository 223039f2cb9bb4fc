#pragma once

#include <doctest/doctest.h>

#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "actors/message.hpp"

namespace mqlite::test {

inline constexpr std::int64_t second = 1'000'000'000;
/// When the tests begin: 2024-01-01, unix nanoseconds.
inline constexpr std::int64_t beginning = 1'704'067'200 * second;

/// Seeds of a random test: 1 to `count`, or the one that the environment variable MQLITE_TEST_SEED names.
inline std::vector<std::uint64_t> seeds(std::uint64_t count) {
  if (const char* wanted = std::getenv("MQLITE_TEST_SEED")) return {std::strtoull(wanted, nullptr, 10)};
  std::vector<std::uint64_t> result;
  for (std::uint64_t seed = 1; seed <= count; ++seed) result.push_back(seed);
  return result;
}

/// Chance for the random tests.
class chance {
 public:
  explicit chance(std::uint64_t seed) : engine_(seed) {}

  /// 0 to `below` - 1.
  std::uint64_t below(std::uint64_t limit) { return engine_() % limit; }
  /// True `percent` times in a hundred.
  bool percent(std::uint64_t share) { return below(100) < share; }
  template <class Container>
  auto& one_of(Container& c) {
    return c[below(c.size())];
  }

 private:
  std::mt19937_64 engine_;
};

/// A message with an id of its own: `number` orders messages as publishing does.
inline message_ptr numbered(std::uint64_t number, std::string_view payload = "payload", std::int64_t expires_at = 0) {
  const auto milliseconds = static_cast<std::uint64_t>(beginning / 1'000'000);
  const auto tick = (milliseconds << 12) + number;
  return message::make(
      payload, {}, expires_at,
      message_id{tick >> 12 << 16 | 0x7000 | (tick & 0xfff), 0x8000'0000'0000'0000 | number * 0x9e3779b97f4a7c15 >> 2});
}

}  // namespace mqlite::test
