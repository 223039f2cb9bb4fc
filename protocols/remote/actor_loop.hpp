#pragma once

#include <functional>

#include "actors/compat.hpp"
#include "actors/gateway.hpp"
#include "mqlite/client/interfaces.hpp"

namespace mqlite::remote {

/// A function that an actor runs; never leaves the process.
struct posted {
  std::function<void()> run;
};
/// The broker stops: finish what was begun, begin nothing.
struct finish {};

/// A session and a topic as they are inside: what clients see, and what the event loop and the server add.
using session_actor = client::remote_session::extend<caf::result<void>(posted), caf::result<void>(finish)>;
using topic_door_actor = client::remote_topic::extend<caf::result<void>(posted), caf::result<void>(finish)>;
using greeter_actor = client::remote_broker::extend<caf::result<void>(finish)>;

/// An actor as an event loop: what is posted comes behind what is in its mailbox, so that a burst of requests gathers. What is posted
/// to an actor that has ended is destroyed, not run.
template <class Handle>
class actor_loop final : public event_loop {
 public:
  explicit actor_loop(caf::actor_addr owner) : owner_(std::move(owner)) {}

  void post(std::function<void()> f) override {
    if (const auto to = caf::actor_cast<Handle>(owner_)) tell(to, posted{std::move(f)});
  }

 private:
  caf::actor_addr owner_;  // holds the address, not the actor
};

}  // namespace mqlite::remote

CAF_BEGIN_TYPE_ID_BLOCK(mqlite_remote, first_custom_type_id + 900)
CAF_ADD_TYPE_ID(mqlite_remote, (mqlite::remote::posted))
CAF_ADD_TYPE_ID(mqlite_remote, (mqlite::remote::finish))
CAF_END_TYPE_ID_BLOCK(mqlite_remote)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(mqlite::remote::posted)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(mqlite::remote::finish)
