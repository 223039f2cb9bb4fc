#pragma once

#include <optional>
#include <string>
#include <string_view>

/// Base64 with the standard alphabet and padding (RFC 4648, section 4).
namespace mqlite {

/// Appends `bytes`, encoded, to `out`.
void append_base64(std::string& out, std::string_view bytes);

/// The bytes that `text` stands for. Strict: nothing for a character outside the alphabet (white space as well), a length that is
/// no multiple of four, padding in the wrong place, or bits set behind the last byte; so each byte string has one spelling.
std::optional<std::string> decode_base64(std::string_view text);

}  // namespace mqlite
