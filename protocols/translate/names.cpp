#include "protocols/translate/names.hpp"

#include <algorithm>

namespace mqlite {
namespace {

constexpr bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

}  // namespace

bool is_name(std::string_view name) noexcept {
  return !name.empty() && name.size() <= 255 && name.front() != '.' && name.front() != '-' &&
         std::all_of(name.begin(), name.end(), is_name_character);
}

std::optional<failure> name_problem(std::string_view what, std::string_view name) {
  if (is_name(name)) return std::nullopt;
  return failure{
      error_code::invalid_argument,
      "`" + std::string(what) + "` must be 1 to 255 characters of A-Z a-z 0-9 . _ - and not start with . or -"};
}

}  // namespace mqlite
