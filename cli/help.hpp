#pragma once

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

namespace mqlite::cli {

/// Every command with what it does, a line each, under the headings of the grammar.
std::string command_list(const CLI::App& grammar);

/// How the command is used that the words name. Throws bad_usage when they name none.
std::string command_help(const CLI::App& grammar, const std::vector<std::string>& words);

}  // namespace mqlite::cli
