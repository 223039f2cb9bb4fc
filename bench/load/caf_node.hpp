#pragma once

#include <utility>

#include "bench/load/caf_lane.hpp"
#include "bench/load/sockets.hpp"

namespace mqlite::load {

/// An actor system with as few threads as there can be.
class caf_node_config : public caf::actor_system_config {
 public:
  caf_node_config() {
    set("caf.scheduler.policy", "sharing");
    set("caf.scheduler.max-threads", std::size_t{1});
    set("caf.logger.console.verbosity", "quiet");
    client::configure(*this);
  }
};

/// One connection, with the actor that uses it.
struct caf_node {
  explicit caf_node(const plan& what) : client(system, options(what)) {}
  ~caf_node() { stop_lane(); }
  caf_node(const caf_node&) = delete;
  caf_node& operator=(const caf_node&) = delete;

  void start_lane(caf_lane_options options, caf_inbox& inbox) {
    lane = spawn_state<caf_lane, caf_lane_state>(system, std::move(options), &inbox);
  }
  void stop_lane() {
    if (lane) stop(std::exchange(lane, nullptr));
  }
  void send() { tell(lane, std::exchange(requests, {})); }

  static client::connect_options options(const plan& what) {
    client::connect_options result;
    result.host = what.host;
    result.port = what.port;
    result.patience = std::chrono::seconds(5);
    result.timeout = patience;
    return result;
  }

  caf_node_config config;
  caf::actor_system system{config};
  client::connection client;
  caf_lane lane;
  caf_requests requests;  ///< that are not sent yet
  bool marked = false;
};

}  // namespace mqlite::load
