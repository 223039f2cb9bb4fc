#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "actors/errors.hpp"
#include "actors/interfaces.hpp"
#include "config/settings.hpp"
#include "protocols/net/interlude.hpp"
#include "protocols/tcp/environment.hpp"

namespace mqlite {

/// What a TCP server is made of.
struct tcp_options {
  listener_settings listen;
  limit_settings limits;
  std::size_t loops = 1;  ///< threads
  std::string version;    ///< of the broker, for statistics
  tcp_timeouts timeouts;
  std::shared_ptr<connection_counter> connections;   ///< shared with the other front ends; one of its own when null
  std::shared_ptr<latency_histogram> publish_times;  ///< the same
  interlude between_events = {};                     ///< of each loop, unless null: see io_loop
};

/// The TCP front end: a listener and some loops, each with a gateway of its own.
class tcp_server {
 public:
  tcp_server(tcp_options options, const broker_actor& broker);
  tcp_server(const tcp_server&) = delete;
  tcp_server& operator=(const tcp_server&) = delete;
  /// Stops at once, unless stop() did.
  ~tcp_server();

  /// Binds and serves: the port, or why not, as in "tcp: address 127.0.0.1:7070 is in use".
  outcome<std::uint16_t> start();

  /// Accepts no more, answers the commands that were begun, and waits for that until `patience` is over; then closes what is left
  /// and ends the threads. The broker still has to be there.
  void stop(std::chrono::milliseconds patience);

 private:
  class implementation;
  std::unique_ptr<implementation> implementation_;
};

}  // namespace mqlite
