#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>

#include "config/settings.hpp"
#include "protocols/net/latency_histogram.hpp"
#include "protocols/net/offenders.hpp"
#include "protocols/translate/stats_answers.hpp"

namespace mqlite {

/// How long TCP connections may take. Between two commands they may be silent for ever.
struct tcp_timeouts {
  std::chrono::steady_clock::duration frame =
      std::chrono::seconds(30);  ///< from a frame's first byte to its last, for a small one
  std::chrono::steady_clock::duration write =
      std::chrono::seconds(30);  ///< until the peer takes something of what it is sent
  std::chrono::steady_clock::duration linger =
      std::chrono::seconds(2);  ///< for the peer to close after the last answer
  std::chrono::steady_clock::duration settle =
      std::chrono::milliseconds(25);  ///< for a byte behind a first frame that may be complete
};

namespace tcp {

/// What the connections of a TCP server share. All but the shared counters stays as it is while the server runs.
struct environment {
  limit_settings limits;
  server_facts facts;
  tcp_timeouts timeouts;
  std::shared_ptr<offenders> log;
  std::shared_ptr<latency_histogram> publish_times;
  std::atomic<bool> stopping{false};
};

}  // namespace tcp
}  // namespace mqlite
