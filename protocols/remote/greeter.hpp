#pragma once

#include <map>
#include <memory>

#include "protocols/remote/session.hpp"

namespace mqlite::remote {

/// What is published at the port: gives each client a session of its own.
class greeter_state {
 public:
  greeter_state(greeter_actor::pointer self, std::shared_ptr<context> shared);
  ~greeter_state();
  greeter_actor::behavior_type make_behavior();

  static inline const char* name = "mqlite.remote_broker";

 private:
  caf::result<wire::welcome> on_hello(const wire::hello& greeting);

  greeter_actor::pointer self_;
  std::shared_ptr<context> shared_;
  std::shared_ptr<void> counted_;
  std::map<caf::actor_addr, session_actor> sessions_;
};

}  // namespace mqlite::remote
