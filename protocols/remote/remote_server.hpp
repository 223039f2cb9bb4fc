#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

#include "actors/errors.hpp"
#include "actors/interfaces.hpp"
#include "config/settings.hpp"
#include "protocols/net/connection_counter.hpp"
#include "protocols/net/latency_histogram.hpp"

namespace mqlite {

/// What the door for CAF actors is made of.
struct remote_options {
  listener_settings listen;
  limit_settings limits;
  std::string version;                               ///< of the broker
  std::shared_ptr<connection_counter> connections;   ///< shared with the other front ends; one of its own when null
  std::shared_ptr<latency_histogram> publish_times;  ///< the same
  std::chrono::steady_clock::duration greeting =
      std::chrono::seconds(10);  ///< how long a connection may be silent at first
};

/// The door for remote CAF actors: a listener, CAF's network behind it, and the actors that clients talk to.
class remote_server {
 public:
  /// Before the actor system is made: loads CAF's network into it.
  static void configure(caf::actor_system_config& config);
  /// Before that: makes the types known that travel.
  static void init_types();

  remote_server(remote_options options, caf::actor_system& system, broker_actor broker);
  remote_server(const remote_server&) = delete;
  remote_server& operator=(const remote_server&) = delete;
  /// Stops at once, unless stop() did.
  ~remote_server();

  /// Binds and serves: the port, or why not, as in "caf: address 127.0.0.1:6060 is in use".
  outcome<std::uint16_t> start();

  /// Accepts no more, answers what was begun, and waits for that until `patience` is over; then ends the sessions and closes the
  /// connections. The broker still has to be there.
  void stop(std::chrono::milliseconds patience);

 private:
  class implementation;
  std::unique_ptr<implementation> implementation_;
};

}  // namespace mqlite
