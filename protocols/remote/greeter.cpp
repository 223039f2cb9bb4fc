#include "protocols/remote/greeter.hpp"

#include "protocols/remote/promise.hpp"

namespace mqlite::remote {

greeter_state::greeter_state(greeter_actor::pointer self, std::shared_ptr<context> shared)
    : self_(self), shared_(std::move(shared)), counted_(shared_->actors->enter()) {
  end_process_on_exception(self);
}

greeter_state::~greeter_state() {
  for (const auto& [address, session] : sessions_) stop(session);
}

greeter_actor::behavior_type greeter_state::make_behavior() {
  return {
      [this](const wire::hello& greeting) { return on_hello(greeting); },
      [this](finish) {
        for (const auto& [address, session] : sessions_) tell(session, finish{});
      },
  };
}

caf::result<wire::welcome> greeter_state::on_hello(const wire::hello& greeting) {
  if (shared_->stopping) return stopping_error();
  if (greeting.version != wire::protocol_version)
    return error_of({error_code::failed_precondition,
                     "this broker speaks version " + std::to_string(wire::protocol_version) +
                         " of the protocol between actors, the client version " + std::to_string(greeting.version),
                     false});
  const auto& sender = self_->current_sender();
  if (!greeting.peer || !sender || greeting.peer.node() != sender->node())
    return error_of({error_code::invalid_argument, "`peer` must be an actor of the asking program", false});
  if (sessions_.size() >= shared_->limits.max_connections)
    return error_of({error_code::resource_exhausted,
                     "there are " + std::to_string(sessions_.size()) + " sessions already (limits.max_connections)",
                     false});
  const auto session = spawn_state<session_actor, session_state>(self_->home_system(), shared_, greeting.peer);
  sessions_.emplace(session.address(), session);
  watch(self_, session, [this](const caf::actor_addr& whom) { sessions_.erase(whom); });
  return wire::welcome{session, shared_->facts.version, shared_->limits.max_message_bytes,
                       shared_->limits.max_request_bytes};
}

}  // namespace mqlite::remote
