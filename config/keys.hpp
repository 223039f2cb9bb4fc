#pragma once

#include "config/settings.hpp"
#include "config/values.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mqlite {

/// One configuration key. The file, the environment, the flags, `--help` and `describe` all follow from the table of
/// these.
struct setting_key {
  std::string name;         ///< dotted, as in `server.http.port`
  std::string help;         ///< one line
  std::string placeholder;  ///< what `--help` shows for a value

  /// Reads `value` into `target`; throws bad_value and leaves `target` as it was.
  std::function<void(settings& target, const given_value& value)> set;

  /// The value in `source` as TOML writes it.
  std::function<std::string(const settings& source)> get;
};

/// Every key there is, in the order of `mqlite.toml`.
const std::vector<setting_key>& setting_keys();

/// The key called `name`, or null.
const setting_key* find_key(std::string_view name);

/// `MQLITE_SERVER_HTTP_PORT` for `server.http.port`.
std::string environment_name(std::string_view key_name);

/// The candidate with the least edit distance (Levenshtein) to `name`, where that is near enough to be a slip.
std::optional<std::string> nearest(std::string_view name, const std::vector<std::string>& candidates);

/// All of `source`, a line `key = value` for each key; it is TOML, and loading it gives `source` again.
std::string describe(const settings& source);

}  // namespace mqlite
