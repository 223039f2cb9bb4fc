#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "actors/errors.hpp"
#include "actors/interfaces.hpp"
#include "config/settings.hpp"
#include "protocols/net/connection_counter.hpp"
#include "protocols/net/interlude.hpp"
#include "protocols/net/latency_histogram.hpp"

namespace mqlite {

/// What a gRPC server is made of.
struct grpc_options {
  listener_settings listen;
  limit_settings limits;
  std::string version;                               ///< of the broker, for statistics
  std::shared_ptr<connection_counter> connections;   ///< shared with the other front ends; one of its own when null
  std::shared_ptr<latency_histogram> publish_times;  ///< the same
  interlude between_events = {};                     ///< of the loop, unless null: see io_loop
};

/// The gRPC front end: the API's service, reflection and grpc.health.v1.
class grpc_server {
 public:
  grpc_server(grpc_options options, broker_actor broker);
  grpc_server(const grpc_server&) = delete;
  grpc_server& operator=(const grpc_server&) = delete;
  /// Stops at once, unless stop() did.
  ~grpc_server();

  /// Binds and serves: the port, or why not, as in "grpc: address 127.0.0.1:9090 is in use".
  outcome<std::uint16_t> start();

  /// Accepts no more, answers what was begun, ends streams with UNAVAILABLE, and waits for that until `patience` is over; then
  /// ends the calls that are left. The broker still has to be there.
  void stop(std::chrono::milliseconds patience);

 private:
  class implementation;
  std::unique_ptr<implementation> implementation_;
};

}  // namespace mqlite
