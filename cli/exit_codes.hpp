#pragma once

namespace mqlite::cli {

/// How the program ends.
enum exit_code : int {
  exit_done = 0,           ///< everything was done
  exit_failed = 1,         ///< the broker refused, or could not be reached, or what it said could not be written
  exit_usage = 2,          ///< the command line cannot be understood
  exit_interrupted = 130,  ///< Ctrl-C ended a command
};

}  // namespace mqlite::cli
