#include "config/error.hpp"

#include <cstddef>

namespace mqlite {

namespace {

constexpr std::size_t longest_shown = 80;

std::string without_control_characters(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string result;
  for (unsigned char c : text) {
    if (c >= 0x20 && c != 0x7f) {
      result += static_cast<char>(c);
    } else {
      result += "\\x";
      result += digits[c >> 4];
      result += digits[c & 15];
    }
  }
  return result;
}

}  // namespace

config_error::config_error(const std::string& origin, const std::string& reason)
    : std::runtime_error(without_control_characters(origin + ": " + reason)) {}

std::string backquoted(std::string_view text) {
  if (text.size() <= longest_shown) return "`" + without_control_characters(text) + "`";
  auto end = longest_shown;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80)  // not inside a UTF-8 sequence
    --end;
  return "`" + without_control_characters(text.substr(0, end)) + "...`";
}

}  // namespace mqlite
