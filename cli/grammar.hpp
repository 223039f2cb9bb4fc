#pragma once

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

/// Looks at words as the command line's grammar does, without running anything.
namespace mqlite::cli {

/// The names of the commands below `app`, in the order of the help.
std::vector<std::string> command_names(const CLI::App& app);

/// Where a line stands: in which command, behind which operands.
struct position {
  const CLI::App* command;
  std::vector<std::string> operands;
  bool value_is_next = false;  ///< the last word was a flag that takes a value
};

/// Where the line stands behind these words.
position position_after(const CLI::App& grammar, const std::vector<std::string>& words);

}  // namespace mqlite::cli
