#include "actors/subscriber/subscriber_actor.hpp"

namespace mqlite {

subscriber_state::subscriber_state(subscriber_actor::pointer self, std::function<void(consumed)> deliver,
                                   std::function<void(failure)> closed)
    : self_(self), deliver_(std::move(deliver)), closed_(std::move(closed)) {
  end_process_on_exception(self);
}

subscriber_state::~subscriber_state() {
  if (line_.queue) tell(line_.queue, event::unsubscribe{line_.subscription});
}

subscriber_actor::behavior_type subscriber_state::make_behavior() {
  return {
      [this](event::deliver& event) { deliver_(std::move(event.messages)); },
      [this](event::attached& line) { line_ = std::move(line); },
      [this](event::unsubscribe) { self_->quit(); },
      [this](event::closed& event) {
        line_.queue = nullptr;
        closed_(std::move(event.why));
        self_->quit();
      },
  };
}

}  // namespace mqlite
