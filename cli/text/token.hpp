#pragma once

#include <span>
#include <string>

namespace mqlite::cli {

/// Base64 with the alphabet for URLs and without padding (RFC 4648, section 5).
std::string base64_for_urls(std::span<const unsigned char> bytes);

/// 256 random bits from the operating system as 43 characters of A-Z a-z 0-9 - _: one line of a `tokens_file`. Throws
/// std::system_error when the system gives none.
std::string new_token();

}  // namespace mqlite::cli
