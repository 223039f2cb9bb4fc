#pragma once

#include "cli/command_line.hpp"

namespace mqlite::cli {

class interruption;

/// Runs one line's command and says on standard error what went wrong; the exit code.
int run_command(const command_line& line, interruption& interrupted, bool interactive);

/// Reads commands from standard input and runs them until its end, or `exit`: on a terminal with a prompt, and going on after errors;
/// elsewhere the first error ends it. `defaults` are the options that hold for all lines. The exit code.
int run_repl(const common_options& defaults, interruption& interrupted);

}  // namespace mqlite::cli
