#include "protocols/remote/feed.hpp"

namespace mqlite::remote {

void feed::hold(subscription running) {
  if (ended_) return running.end();
  subscription_ = std::move(running);
  for (auto& messages : std::exchange(early_, {})) send(std::move(messages));
}

void feed::end() {
  ended_ = true;
  if (!auto_ack_)
    for (auto& [batch, messages] : under_way_) messages.confirm();
  under_way_.clear();
  early_.clear();
  subscription_.end();
}

void feed::deliver(consumed messages) {
  if (ended_ || messages.deliveries.empty()) return;
  if (!subscription_) {
    early_.push_back(std::move(messages));
    return;
  }
  send(std::move(messages));
}

void feed::send(consumed messages) {
  wire::delivered event{number_, to_wire(messages.deliveries)};
  messages.deliveries.clear();
  const auto batch = ++last_batch_;
  under_way_.emplace(batch, std::move(messages));
  ask(self_, to_, std::move(event))
      .then([me = shared_from_this(), batch] { me->on_taken(batch); },
            [me = shared_from_this()](const caf::error&) {
              if (!me->ended_) me->over_(me->number_);
            });
}

void feed::on_taken(std::uint64_t batch) {
  const auto found = under_way_.find(batch);
  if (found == under_way_.end()) return;
  auto messages = std::move(found->second);
  under_way_.erase(found);
  messages.confirm();
}

void feed::closed(failure why) {
  if (ended_) return;
  tell(to_, wire::closed{number_, code_of(why.code), std::move(why.text)});
  over_(number_);
}

}  // namespace mqlite::remote
