#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>
#include <vector>

#include "cli/command_line.hpp"
#include "cli/errors.hpp"
#include "cli/exit_codes.hpp"
#include "cli/interruption.hpp"
#include "cli/repl.hpp"
#include "cli/text/escape.hpp"
#include "daemon/version.hpp"

namespace {

/// gRPC tells standard error about connections that fail; what matters of it is in our own words already.
void quieten_grpc() { setenv("GRPC_VERBOSITY", "NONE", 0); }

mqlite::cli::common_options defaults_from_environment() {
  mqlite::cli::common_options defaults;
  if (const char* address = std::getenv("MQLITE_CLI_ADDRESS"); address && *address) defaults.address = address;
  return defaults;
}

}  // namespace

// mqlite_cli: the broker's command line. Its exit codes are in cli/exit_codes.hpp.
int main(int argc, char** argv) {
  using namespace mqlite::cli;
  std::setlocale(LC_CTYPE, "");
  quieten_grpc();
  interruption interrupted;  // before gRPC starts threads
  try {
    command_line line(defaults_from_environment());
    line.parse({argv + (argc > 0 ? 1 : 0), argv + argc});
    if (line.options().version) return std::printf("mqlite_cli %s\n", MQLITE_VERSION) < 0 ? exit_failed : exit_done;
    if (line.help() || line.chosen()) return run_command(line, interrupted, false);
    return run_repl(line.options(), interrupted);
  } catch (const bad_usage& error) {
    std::fprintf(stderr, "error: %s\n", escaped(error.what()).c_str());
    return exit_usage;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "error: %s\n", escaped(error.what()).c_str());
    return exit_failed;
  }
}
