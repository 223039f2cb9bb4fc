#pragma once

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

/// Looks at words as the command line's grammar does, without running anything.
namespace mqlite::cli {

/// The commands below `app`, in the order of the help.
std::vector<const CLI::App*> commands_below(const CLI::App& app);
/// Their names.
std::vector<std::string> command_names(const CLI::App& app);

/// The words that lead to `app`, with the program's name.
std::string path_of(const CLI::App& app);

/// Where a line stands: in which command, behind which operands.
struct position {
  const CLI::App* command;
  std::vector<std::string> operands;
  bool value_is_next = false;  ///< the last word was a flag that takes a value
};

/// Where the line stands behind these words.
position position_after(const CLI::App& grammar, const std::vector<std::string>& words);

/// Throws bad_usage when a word stands where a command must, but names none.
void refuse_unknown_command(const position& at);

}  // namespace mqlite::cli
