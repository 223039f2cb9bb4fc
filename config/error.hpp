#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace mqlite {

/// The configuration cannot be used. `what()` is one line: `<origin>: <reason>`, where the origin is `file:line`,
/// `environment MQLITE_X` or `--flag`.
class config_error : public std::runtime_error {
 public:
  config_error(const std::string& origin, const std::string& reason);
};

/// `text` in backquotes, fit for one line of a terminal: control characters are escaped, a long text is shortened.
std::string backquoted(std::string_view text);

}  // namespace mqlite
