#pragma once

#include "config/loader.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace mqlite {

/// What the broker's command line asks for.
struct command_line {
  bool show_help = false;
  bool show_version = false;
  bool check_config = false;  ///< stop after the configuration was found sound
  loaded_settings
      loaded;  ///< not loaded where help or version is asked for, so that a broken file does not hinder them
};

/// Reads `arguments` (without the program's name) and loads the settings from the file that they name, from
/// `environment` and from their flags. `-config` is taken for `--config`; of a flag that is repeated, the last counts.
/// Throws config_error.
command_line parse_command_line(const std::vector<std::string>& arguments, const named_texts& environment,
                                const std::filesystem::path& default_file = "mqlite.toml");

/// The same for a program's `main`, with the environment of this process.
command_line parse_command_line(int argc, const char* const* argv);

/// What `--help` prints.
std::string help_text();

}  // namespace mqlite
