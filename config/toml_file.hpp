#pragma once

#include "config/values.hpp"

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace mqlite {

/// One value of a TOML file. Tables are followed down to what they hold, eight deep; an empty or deeper one counts as a
/// value itself, of type `other`, as does an array.
struct file_entry {
  std::string name;  ///< dotted; a part that needs quotes in TOML keeps them
  given_value value;
  std::size_t line;  ///< of the key, counted from 1
};

/// The entries of the file in the order of their lines; nothing if there is no such file. Throws config_error for a
/// file that cannot be read, is larger than 64 KB (no configuration is) or is not TOML.
std::optional<std::vector<file_entry>> read_toml_file(const std::filesystem::path& path);

/// The same of a text; `path` is what errors call it.
std::vector<file_entry> read_toml(const std::string& text, const std::string& path);

}  // namespace mqlite
