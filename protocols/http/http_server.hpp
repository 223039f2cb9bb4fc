#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "actors/errors.hpp"
#include "actors/interfaces.hpp"
#include "config/settings.hpp"
#include "protocols/http/environment.hpp"
#include "protocols/net/interlude.hpp"

namespace mqlite {

/// What an HTTP server is made of.
struct http_options {
  listener_settings listen;
  limit_settings limits;
  std::size_t loops = 1;  ///< threads
  std::string version;    ///< of the broker, for /v1/stats
  http_timeouts timeouts;
  std::shared_ptr<connection_counter> connections;   ///< shared with the other front ends; one of its own when null
  std::shared_ptr<latency_histogram> publish_times;  ///< the same
  interlude between_events = {};                     ///< of each loop, unless null: see io_loop
};

/// The HTTP front end: a listener and some loops, each with a gateway of its own.
class http_server {
 public:
  http_server(http_options options, const broker_actor& broker);
  http_server(const http_server&) = delete;
  http_server& operator=(const http_server&) = delete;
  /// Stops at once, unless stop() did.
  ~http_server();

  /// Binds and serves: the port, or why not, as in "http: address 127.0.0.1:8080 is in use".
  outcome<std::uint16_t> start();

  /// Accepts no more, answers what was begun, tells streams that the server is stopping, and waits for the connections to end, until
  /// `patience` is over; then closes what is left and ends the threads. The broker still has to be there.
  void stop(std::chrono::milliseconds patience);

 private:
  class implementation;
  std::unique_ptr<implementation> implementation_;
};

}  // namespace mqlite
