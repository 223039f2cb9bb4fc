#include <spdlog/spdlog.h>
#include <csignal>
#include <cstdio>
#include <exception>

#include "config/command_line.hpp"
#include "config/error.hpp"
#include "daemon/broker_process.hpp"
#include "daemon/heap.hpp"
#include "daemon/logging.hpp"
#include "daemon/version.hpp"

// mqlite: the broker. Exit codes: 0 stopped in order, 1 could not start or failed, 2 bad configuration.
int main(int argc, char** argv) {
  mqlite::use_huge_pages();
  // Blocked before any thread starts, so that they are only ever taken by the one that waits for them.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGHUP, SIG_IGN);   // a terminal that is closed takes no broker with it
  std::signal(SIGXFSZ, SIG_IGN);  // a limit on file sizes is a full disk: the write says so

  try {
    const auto line = mqlite::parse_command_line(argc, argv);
    if (line.show_help) return std::fputs(mqlite::help_text().c_str(), stdout) < 0 ? 1 : 0;
    if (line.show_version) return std::printf("mqlite %s\n", MQLITE_VERSION) < 0 ? 1 : 0;
    mqlite::set_up_logging(line.loaded.values.log);
    for (const auto& warning : line.loaded.warnings) spdlog::warn("{}", warning);
    if (line.check_config) return std::puts("the configuration is sound") < 0 ? 1 : 0;
    const mqlite::heap_growth growth;
    const mqlite::heap_release release;
    mqlite::run_broker(line.loaded.values, MQLITE_VERSION);
    return 0;
  } catch (const mqlite::config_error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 2;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "mqlite: %s\n", error.what());
    return 1;
  }
}
