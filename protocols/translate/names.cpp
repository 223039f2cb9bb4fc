#include "protocols/translate/names.hpp"

#include <array>

namespace mqlite {
namespace {

/// 1 for each character that a name may have. Every publish brings two names: comparing was 2.5 % of it.
constexpr auto name_characters = [] {
  std::array<unsigned char, 256> known{};
  for (const char c : std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"))
    known[static_cast<unsigned char>(c)] = 1;
  return known;
}();

}  // namespace

bool is_name(std::string_view name) noexcept {
  if (name.empty() || name.size() > 255 || name.front() == '.' || name.front() == '-') return false;
  unsigned char sound = 1;
  for (const char c : name) sound &= name_characters[static_cast<unsigned char>(c)];
  return sound != 0;
}

std::optional<failure> name_problem(std::string_view what, std::string_view name) {
  if (is_name(name)) return std::nullopt;
  return failure{
      error_code::invalid_argument,
      "`" + std::string(what) + "` must be 1 to 255 characters of A-Z a-z 0-9 . _ - and not start with . or -"};
}

}  // namespace mqlite
