#pragma once

#include "bench/load/door.hpp"
#include "bench/load/histogram.hpp"
#include "bench/load/process_usage.hpp"
#include "bench/load/progress.hpp"

namespace mqlite::load {

/// What a run measured.
struct result {
  std::uint64_t messages = 0;           ///< that were measured
  double seconds = 0;                   ///< that they took
  histogram latency;                    ///< of each request; of each message, end to end
  std::uint64_t published = 0;          ///< all that were answered, what was not measured included
  std::uint64_t acknowledged = 0;       ///< the same of acks
  std::optional<std::uint64_t> stored;  ///< what the topic holds at the end
  double server_cpu_seconds = 0;        ///< while it was measured, where a process was named
  std::uint64_t server_bytes = 0;       ///< its resident memory at the end
  double client_cpu_seconds = 0;
  bool interrupted = false;
};

/// Ends the running workload soon; safe in a signal handler.
void interrupt() noexcept;

/// Does what the plan says through a door that is open.
result run(const plan& what, door& through);

}  // namespace mqlite::load
