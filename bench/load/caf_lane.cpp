#include "bench/load/caf_lane.hpp"

#include <utility>

namespace mqlite::load {

// -- the inbox ------------------------------------------------------------------------------------------------------------------

void caf_inbox::add(std::size_t lane, heard what) {
  const std::lock_guard held(guard_);
  const bool brings_messages = what.messages.fetches + what.messages.count > 0;
  if (!brings_messages && !entries_.empty() && entries_.back().lane == lane) {
    entries_.back().what.published += what.published;
    entries_.back().what.settled += what.settled;
  } else {
    entries_.push_back({lane, std::move(what)});
  }
  wake();
}

void caf_inbox::fail(const std::string& why) {
  const std::lock_guard held(guard_);
  if (failure_.empty()) failure_ = why;
  wake();
}

void caf_inbox::wake() {
  if (std::exchange(waiting_, false)) woken_.notify_one();
}

void caf_inbox::wait(std::unique_lock<std::mutex>& held, clock::time_point until) {
  const auto something = [&] { return !entries_.empty() || !failure_.empty(); };
  waiting_ = !something();
  woken_.wait_until(held, until, something);
  waiting_ = false;
}

void caf_inbox::hand_over(listener& to, clock::time_point until) {
  {
    std::unique_lock held(guard_);
    wait(held, until);
    if (!failure_.empty()) throw run_error(failure_);
    std::swap(entries_, taken_);
  }
  for (auto& one : taken_) load::hand_over(one.lane, one.what, to);
  taken_.clear();
}

// -- a lane ---------------------------------------------------------------------------------------------------------------------

caf_lane_state::caf_lane_state(caf_lane::pointer self, caf_lane_options options, caf_inbox* inbox)
    : self_(self), options_(std::move(options)), inbox_(inbox) {
  for (const auto& topic : options_.topics) watch(self_, topic, [this](const caf::actor_addr&) { lost(); });
}

caf_lane::behavior_type caf_lane_state::make_behavior() {
  return {
      [this](const client::delivered& event) { take(event.messages, 0); },
      [this](const client::closed& event) { inbox_->fail("the broker ended a subscription: " + event.text); },
      [this](caf_requests& what) { perform(what); },
  };
}

void caf_lane_state::perform(caf_requests& what) {
  for (const auto& one : what.subscriptions) subscribe(one);
  for (auto& one : what.acks) settle(std::move(one));
  for (auto& one : what.consumes) consume(std::move(one));
  for (; what.publishes > 0; --what.publishes)
    publish(options_.topics[next_++ % options_.topics.size()], options_.batch);
  for (const auto& stamp : what.stamps) {
    auto one = options_.batch;
    one.messages.front().payload.replace(0, stamp.size(), stamp);
    publish(options_.topics.front(), std::move(one));
  }
}

/// A broker gives no reason when it closes a connection, as it does when a request is too large.
void caf_lane_state::lost() {
  constexpr std::size_t large = 1 << 20;
  const auto& messages = options_.batch.messages;
  const auto bytes = messages.empty() ? 0 : messages.size() * messages.front().payload.size();
  std::string why = "the broker closed a connection";
  if (bytes > large) why += "; are requests of " + std::to_string(bytes) + " bytes within limits.max_request_bytes?";
  inbox_->fail(why);
}

void caf_lane_state::refused(const client::failure& why) {
  inbox_->fail(why.code == client::errc::unavailable ? why.text : "the broker refuses: " + why.text);
}

template <class Answer, class Command, class Function>
void caf_lane_state::ask_broker(const client::remote_topic& to, Command command, Function then) {
  ask(self_, to, std::move(command))
      .then([then = std::move(then)](const Answer& answer) { then(answer); },
            [this](const caf::error& problem) { refused(client::failure_of(problem)); });
}

void caf_lane_state::publish(const client::remote_topic& to, client::publish batch) {
  ask_broker<client::publish_results>(to, std::move(batch), [this](const client::publish_results& answer) {
    for (const auto& one : answer.messages)
      if (!one.ok()) return refused({one.code, one.text});
    heard it;
    it.published = answer.messages.size();
    inbox_->add(options_.number, std::move(it));
  });
}

void caf_lane_state::consume(client::consume command) {
  ask_broker<client::message_batch>(options_.topics.front(), std::move(command),
                                    [this](const client::message_batch& answer) { take(answer.messages, 1); });
}

void caf_lane_state::settle(client::ack command) {
  ask_broker<client::settled>(options_.topics.front(), std::move(command), [this](const client::settled& answer) {
    heard it;
    it.settled = answer.count;
    inbox_->add(options_.number, std::move(it));
  });
}

void caf_lane_state::subscribe(const client::subscribe_options& options) {
  client::subscribe command{options, caf::actor_cast<client::subscriber_actor>(self_)};
  ask_broker<client::subscribed>(options_.topics.front(), std::move(command), [](const client::subscribed&) {});
}

void caf_lane_state::take(const std::vector<client::message>& messages, std::size_t fetches) {
  heard it;
  it.messages.fetches = fetches;
  it.messages.count = messages.size();
  for (const auto& one : messages) {
    it.messages.tokens.add(one.receipt());
    if (options_.stamps) it.messages.stamps.push_back(one.payload.substr(0, stamp_size));
  }
  inbox_->add(options_.number, std::move(it));
}

}  // namespace mqlite::load
