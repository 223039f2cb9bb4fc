#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mqlite::cli {

/// The words of a line as a shell finds them.
struct words {
  std::vector<std::string> complete;
  std::string problem;  ///< why the line cannot be read; empty when it can
};

/// Words are parted by white space. Between single quotes everything stands for itself; between double quotes a backslash quotes `"`
/// and `\`, outside of quotes it quotes any character. A `#` at the start of a word begins a comment.
words split_words(std::string_view line);

}  // namespace mqlite::cli
