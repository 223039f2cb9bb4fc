#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "actors/broker/namespace_actor.hpp"
#include "actors/environment.hpp"
#include "actors/log/log_appender.hpp"

namespace mqlite {

/// What the broker starts with: what the log holds.
struct broker_birth {
  std::map<std::string, std::vector<topic_birth>> namespaces;
  std::uint64_t last_topic_id = 0;
};

/// The root of the tree: the namespaces by name.
class broker_state {
 public:
  broker_state(broker_actor::pointer self, environment_ptr env, broker_birth birth);
  ~broker_state();
  broker_actor::behavior_type make_behavior();

  static inline const char* name = "mqlite.broker";

 private:
  void on_create(command::create_namespace& command);
  void on_delete(command::delete_namespace& command);
  void on_list(command::list_namespaces& command);
  void on_create_topic(command::create_topic& command);
  void on_stats(command::stats& command);
  void on_log(command::log& command);
  void on_rewrite(command::rewrite& command);
  void on_backup(command::backup& command);
  caf::result<broker_snapshot> on_begin_snapshot();
  void on_shut_down(command::shut_down& command);
  void close_namespace(const namespace_actor& leaving, const reply<done>& answer);

  /// Passes a command that names a namespace on to it, or refuses it.
  template <class Command>
  void pass_on(Command& command);
  void add(const std::string& name, std::vector<topic_birth> topics);

  broker_actor::pointer self_;
  environment_ptr env_;
  std::map<std::string, namespace_actor> namespaces_;  ///< null while its creation is being recorded
  std::map<std::string, namespace_actor> leaving_;     ///< those whose deletion is being recorded
  std::uint64_t last_topic_id_;
  log_appender log_;
};

/// Starts the tree.
broker_actor start_broker(caf::actor_system& system, environment_ptr env, broker_birth birth);

}  // namespace mqlite
