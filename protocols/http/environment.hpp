#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "config/settings.hpp"
#include "protocols/http/router.hpp"
#include "protocols/net/connection_counter.hpp"
#include "protocols/net/latency_histogram.hpp"
#include "protocols/net/offenders.hpp"

namespace mqlite {

/// How long connections may take.
struct http_timeouts {
  std::chrono::steady_clock::duration request =
      std::chrono::seconds(10);  ///< from a request's first byte to its last, for a small one
  std::chrono::steady_clock::duration idle = std::chrono::seconds(75);  ///< between two requests
  std::chrono::steady_clock::duration write =
      std::chrono::seconds(30);  ///< until the peer takes something of an answer
  std::chrono::steady_clock::duration linger =
      std::chrono::seconds(2);  ///< for the peer to close after the last answer
  std::chrono::steady_clock::duration comment =
      std::chrono::seconds(15);  ///< between two signs of life of a quiet stream
};

/// A body has to arrive at this many bytes a second, else its sender counts as gone.
inline constexpr std::int64_t least_body_rate = 16 * 1024;

/// What the connections of an HTTP server share. All but the shared counters stays as it is while the server runs.
struct http_environment {
  explicit http_environment(std::span<const http_route> table) : routes(table) {}

  router routes;
  limit_settings limits;
  std::string version;
  http_timeouts timeouts;
  std::shared_ptr<connection_counter> connections;
  std::shared_ptr<offenders> log;
  std::shared_ptr<latency_histogram> publish_times;
  std::chrono::steady_clock::time_point started = std::chrono::steady_clock::now();
  std::atomic<bool> stopping{false};
};

}  // namespace mqlite
