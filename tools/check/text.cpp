#include "tools/check/text.hpp"

#include <array>
#include <chrono>
#include <cstdio>
#include <ctime>

namespace mqlite::check {

std::string counted(std::uint64_t count, std::string_view noun) {
  return std::to_string(count) + " " + std::string{noun} + (count == 1 ? "" : "s");
}

std::string time_text(std::int64_t nanoseconds) {
  constexpr std::int64_t second = 1'000'000'000;
  auto seconds = nanoseconds / second - (nanoseconds % second < 0 ? 1 : 0);
  auto time = static_cast<std::time_t>(seconds);
  std::tm parts{};
  std::array<char, 32> date;
  ::gmtime_r(&time, &parts);
  std::strftime(date.data(), date.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  std::array<char, 48> text;
  std::snprintf(text.data(), text.size(), "%s.%03dZ", date.data(),
                static_cast<int>((nanoseconds - seconds * second) / 1'000'000));
  return text.data();
}

std::int64_t now() {
  auto since = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(since).count();
}

}  // namespace mqlite::check
