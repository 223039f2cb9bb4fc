#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "actors/compat.hpp"
#include "actors/environment.hpp"
#include "actors/log/log_appender.hpp"
#include "actors/topic/topic_actor.hpp"

namespace mqlite {

/// One namespace: its topics by name.
class namespace_state {
 public:
  namespace_state(namespace_actor::pointer self, environment_ptr env, std::string name,
                  std::vector<topic_birth> topics);
  ~namespace_state();
  namespace_actor::behavior_type make_behavior();

  static inline const char* name = "mqlite.namespace";

 private:
  struct topic_entry {
    topic_actor actor;  ///< null while its creation is being recorded
    std::uint64_t id = 0;
    std::shared_ptr<std::atomic<bool>> alive;
  };

  void on_create(command::create_topic& command);
  void on_delete(command::delete_topic& command);
  void on_list(command::list_topics& command);
  void on_resolve(const command::resolve_topic& command);
  void on_stats(command::stats& command);
  caf::result<namespace_snapshot> on_begin_snapshot();
  void on_shut_down(const command::shut_down& command);

  void add(topic_birth birth);
  topic_entry* find(const std::string& topic);
  failure no_topic(const std::string& topic) const;

  namespace_actor::pointer self_;
  environment_ptr env_;
  std::string name_;
  std::map<std::string, topic_entry> topics_;
  log_appender log_;
};

}  // namespace mqlite
