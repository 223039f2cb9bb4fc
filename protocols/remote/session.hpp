#pragma once

#include <map>
#include <memory>

#include "protocols/remote/topic_door.hpp"

namespace mqlite::remote {

/// One client's session: namespaces and topics, and the handles that it was given. It ends when the client's peer does, or cannot be
/// reached any more, and everything that it gave ends with it.
class session_state {
 public:
  session_state(session_actor::pointer self, std::shared_ptr<context> shared, wire::remote_peer peer);
  ~session_state();
  session_actor::behavior_type make_behavior();

  static inline const char* name = "mqlite.remote_session";

 private:
  struct address {
    std::string name_space;
    std::string topic;
    queue_number queue;
    auto operator<=>(const address&) const = default;
  };

  caf::result<void> on_create_namespace(const wire::create_namespace& command);
  caf::result<void> on_delete_namespace(const wire::delete_namespace& command);
  caf::result<wire::name_list> on_list_namespaces();
  caf::result<void> on_create_topic(const wire::create_topic& command);
  caf::result<void> on_delete_topic(const wire::delete_topic& command);
  caf::result<wire::topic_list> on_list_topics(const wire::list_topics& command);
  caf::result<wire::stats> on_get_stats();
  caf::result<wire::resolved> on_resolve(const wire::resolve& command);
  void on_finish();

  template <class Answer>
  auto promise() {
    return self_->make_response_promise<Answer>();
  }
  outcome<wire::remote_topic> door_to(const address& where, const topic_details& details);

  session_actor::pointer self_;
  std::shared_ptr<context> shared_;
  std::shared_ptr<void> counted_;
  wire::remote_peer peer_;
  std::shared_ptr<gateway> broker_;
  std::map<address, topic_door_actor> doors_;
};

}  // namespace mqlite::remote
