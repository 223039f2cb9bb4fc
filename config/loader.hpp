#pragma once

#include "config/error.hpp"
#include "config/settings.hpp"

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace mqlite {

/// Names and values, in the order in which they were given.
using named_texts = std::vector<std::pair<std::string, std::string>>;

/// Where settings come from.
struct load_options {
  std::optional<std::filesystem::path> file;           ///< named by the user: it must exist
  std::filesystem::path default_file = "mqlite.toml";  ///< read if it exists and no file was named
  named_texts environment;                             ///< names without the prefix `MQLITE_` are passed over
  named_texts flags;                                   ///< key and value
};

/// What `load_settings` gives.
struct loaded_settings {
  settings values;
  std::vector<std::string> warnings;           ///< a line each, to be logged
  std::optional<std::filesystem::path> file;   ///< the file that was read, if any
  std::map<std::string, std::string> origins;  ///< by key: where its value was given; defaults are absent
};

/// A flag wins over the environment, that over the file, that over the default. Each source is checked in full,
/// overridden or not; throws config_error at the first thing that is wrong.
loaded_settings load_settings(const load_options& options);

/// The variables of this process whose names begin with `MQLITE_`, sorted.
named_texts mqlite_environment();

}  // namespace mqlite
