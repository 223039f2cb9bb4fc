#pragma once

#include <cstddef>
#include <limits>
#include <string>
#include <string_view>

namespace mqlite::cli {

/// `bytes` as a terminal may see them: text stays as it is; control characters, characters that hide or rearrange others, and bytes
/// that are no UTF-8 become escapes (`\n`, `\x1b`, `\u{202e}`), so that no message can steer the terminal. What is longer than
/// `most` characters ends in `...`.
std::string escaped(std::string_view bytes, std::size_t most = std::numeric_limits<std::size_t>::max());

/// Characters of `text`, which is UTF-8.
std::size_t length_in_characters(std::string_view text) noexcept;

}  // namespace mqlite::cli
