#include "cli/text/units.hpp"

#include <array>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <string_view>

namespace mqlite::cli {
namespace {

std::string with_decimals(double value, int decimals) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.*f", decimals, value);
  return text.data();
}

/// `large` of one unit and, unless it is 0, `small` of the next one.
std::string two_units(std::int64_t large, std::string_view large_unit, std::int64_t small,
                      std::string_view small_unit) {
  auto text = std::to_string(large) + std::string(large_unit);
  if (small > 0) text += " " + std::to_string(small) + std::string(small_unit);
  return text;
}

}  // namespace

std::string count_text(std::int64_t count) {
  auto text = std::to_string(count);
  const std::size_t first = count < 0 ? 1 : 0;
  for (auto at = text.size(); at > first + 3; at -= 3) text.insert(at - 3, 1, ',');
  return text;
}

std::string bytes_text(std::int64_t bytes) {
  if (bytes < 1024) return std::to_string(bytes) + " B";
  constexpr std::array<std::string_view, 5> units{"KB", "MB", "GB", "TB", "PB"};
  auto value = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  for (; value >= 1024 && unit + 1 < units.size(); ++unit) value /= 1024;
  return with_decimals(value, 1) + " " + std::string(units[unit]);
}

std::string duration_text(std::chrono::milliseconds duration) {
  const std::int64_t ms = duration.count(), seconds = ms / 1000, minutes = seconds / 60, hours = minutes / 60;
  if (ms < 1000) return std::to_string(ms) + "ms";
  if (seconds < 60 && ms % 1000 != 0) return with_decimals(static_cast<double>(ms) / 1000, 1) + "s";
  if (seconds < 60) return std::to_string(seconds) + "s";
  if (minutes < 60) return two_units(minutes, "m", seconds % 60, "s");
  if (hours < 24) return two_units(hours, "h", minutes % 60, "m");
  return two_units(hours / 24, "d", hours % 24, "h");
}

std::string rate_text(double per_second) {
  if (per_second <= 0) return "0";
  if (per_second < 9.95) return with_decimals(per_second, 1);
  return count_text(std::llround(per_second));
}

std::string time_text(std::int64_t nanoseconds) {
  const auto seconds = static_cast<std::time_t>(nanoseconds / 1'000'000'000);
  std::tm parts{};
  localtime_r(&seconds, &parts);
  std::array<char, 64> date{};
  std::strftime(date.data(), date.size(), "%Y-%m-%d %H:%M:%S.", &parts);
  const auto digits = std::to_string(1000 + nanoseconds / 1'000'000 % 1000);
  return date.data() + digits.substr(1);
}

}  // namespace mqlite::cli
