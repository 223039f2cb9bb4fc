// mqlite_bench: see --help. Exit codes: 0 measured, 1 the server failed, 2 usage, 130 interrupted.
#include <signal.h>
#include <sys/prctl.h>

#include <cstdio>

#include "bench/load/report.hpp"

namespace {

void on_signal(int) { mqlite::load::interrupt(); }

/// The first signal ends the run in order, the second one at once.
void catch_signals() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  signal(SIGPIPE, SIG_IGN);
}

int measure(const mqlite::load::plan& what) {
  using namespace mqlite::load;
  const auto through = make_door(what);
  const bool consumes = what.what == workload::drain || what.what == workload::end_to_end;
  through->open(what.connections, consumes ? what.connections : 0);
  const auto measured = run(what, *through);
  through->close();
  std::fputs(report(what, measured).c_str(), stdout);
  if (const auto problem = contradiction(what, measured); !problem.empty()) throw run_error(problem);
  return measured.interrupted ? 130 : 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const auto plan = mqlite::load::read_plan(argc, argv);
    if (!plan) return 0;
    catch_signals();
    prctl(PR_SET_TIMERSLACK, 1);  // nanosecond: sends that are due are not put off
    return measure(*plan);
  } catch (const mqlite::load::usage_error& problem) {
    std::fprintf(stderr, "mqlite_bench: %s (see --help)\n", problem.what());
    return 2;
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "mqlite_bench: %s\n", problem.what());
    return 1;
  }
}
