#pragma once

#include <charconv>
#include <concepts>
#include <optional>
#include <string>
#include <string_view>

#include "actors/errors.hpp"

/// JSON (RFC 8259) as text: checked once, cut without being copied, and written by appending.
namespace mqlite {

/// How deeply a document may nest. A message's payload sits deeper in its request than it does alone, so what was accepted
/// inside a request is accepted by is_json() too.
inline constexpr std::size_t deepest_json = 1000;

/// Nothing when `text` is exactly one JSON value, in strict UTF-8; else what is wrong and where.
std::optional<std::string> json_problem(std::string_view text);

/// Whether `bytes` are exactly one JSON value, white space around it included.
bool is_json(std::string_view bytes);

/// A request's body as an object: `body` without the white space around it, `{}` when it is empty, or INVALID_ARGUMENT.
/// `what` begins the refusal's text, as in "the body".
outcome<std::string_view> json_object_in(std::string_view body, std::string_view what = "the body");

/// Appends `text` as a JSON string with its quotes. Bytes that are no UTF-8 become U+FFFD.
void append_json_string(std::string& out, std::string_view text);

/// Appends an integer in decimal.
template <std::integral T>
void append_number(std::string& out, T value) {
  char digits[24];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

}  // namespace mqlite
