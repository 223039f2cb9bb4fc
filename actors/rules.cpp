#include "actors/rules.hpp"

#include <algorithm>
#include <string>

namespace mqlite {
namespace {

constexpr std::chrono::nanoseconds longest_duration = std::chrono::hours(24 * 365 * 10);

bool may_stand_in_name(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

failure invalid(std::string text) { return {error_code::invalid_argument, std::move(text)}; }

}  // namespace

std::optional<failure> bad_name(std::string_view kind, std::string_view name) {
  const bool good = !name.empty() && name.size() <= 255 && name.front() != '.' && name.front() != '-' &&
                    std::all_of(name.begin(), name.end(), may_stand_in_name);
  if (good) return std::nullopt;
  return invalid("a " + std::string(kind) +
                 "'s name has 1 to 255 characters of A-Z a-z 0-9 . _ - and does not begin with . or -");
}

std::optional<failure> bad_settings(const topic_settings& settings) {
  if (settings.ack_timeout.count() <= 0 || settings.ack_timeout > longest_duration)
    return invalid("`ack_timeout_ms` must be from 1 to ten years");
  if (settings.message_ttl.count() < 0 || settings.message_ttl > longest_duration)
    return invalid("`message_ttl_ms` must be from 0 (none) to ten years");
  return std::nullopt;
}

}  // namespace mqlite
