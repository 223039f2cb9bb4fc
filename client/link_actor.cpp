#include "client/link_actor.hpp"

#include <algorithm>
#include <caf/io/middleman.hpp>
#include <caf/io/middleman_actor.hpp>

namespace mqlite::client {
namespace {

constexpr std::uint32_t most_doublings = 16;

failure closing() { return {errc::unavailable, "the connection was closed"}; }

}  // namespace

failure failure_of(const caf::error& problem) {
  if (problem.category() == caf::type_id_v<errc>) {
    const auto& context = problem.context();
    auto text = context.match_elements<std::string>() ? context.get_as<std::string>(0) : std::string();
    return {static_cast<errc>(problem.code()), std::move(text)};
  }
  return {errc::unavailable, "the broker did not answer: " + to_string(problem)};
}

std::uint64_t size_of(const publish& batch) {
  constexpr std::uint64_t usual_fields = 64;
  std::uint64_t size = 0;
  for (const auto& one : batch.messages) {
    size += one.payload.size() + one.routing_key.size() + usual_fields;
    for (const auto& [name, value] : one.headers) size += name.size() + value.size() + 8;
  }
  return size;
}

link_state::link_state(link_actor::pointer self, connect_options options)
    : self_(self), options_(std::move(options)), random_(std::random_device()()) {
  end_process_on_exception(self);
}

link_state::~link_state() {
  for (const auto& [n, fail] : std::exchange(in_flight_, {})) fail(closing());
  const auto problem = closing();
  for (const auto& call : std::exchange(waiting_, {})) call.run(&problem);
}

link_actor::behavior_type link_state::make_behavior() {
  connect();
  return {
      [](ping) {},
      [this](link_work& work) { work.run(*this); },
  };
}

void link_state::after(std::chrono::nanoseconds delay, std::function<void(link_state&)> f) {
  tell_after(self_, delay, caf::actor_cast<link_actor>(self_), link_work{std::move(f)});
}

// -- connecting -----------------------------------------------------------------------------------------------------------------

void link_state::connect() {
  phase_ = phase::connecting;
  const auto attempt = ++attempt_;
  ask(self_, self_->home_system().middleman().actor_handle(), caf::connect_atom_v, options_.host, options_.port)
      .then([this, attempt](const caf::node_id&, const caf::strong_actor_ptr& published,
                            const std::set<std::string>& interface) { on_found(attempt, published, interface); },
            [this, attempt](const caf::error&) {
              if (attempt == attempt_)
                on_failed_attempt(
                    {errc::unavailable, "no broker listens on " + options_.host + ":" + std::to_string(options_.port)},
                    false);
            });
  after(options_.connect_timeout, [attempt](link_state& me) {
    if (attempt == me.attempt_ && me.phase_ == phase::connecting)
      me.on_failed_attempt(
          {errc::unavailable, "no answer from " + me.options_.host + ":" + std::to_string(me.options_.port)}, false);
  });
}

void link_state::on_found(std::uint64_t attempt, const caf::strong_actor_ptr& published,
                          const std::set<std::string>& interface) {
  if (attempt != attempt_) return;
  auto& system = self_->home_system();
  if (!published || !system.assignable(interface, system.message_types<remote_broker>()))
    return on_failed_attempt(
        {errc::failed_precondition, "what listens on " + options_.host + ":" + std::to_string(options_.port) +
                                        " is no broker, or one of another version"},
        true);
  ask(self_, caf::actor_cast<remote_broker>(published), hello{protocol_version, caf::actor_cast<link_actor>(self_)})
      .then(
          [this, attempt](welcome& answer) {
            if (attempt == attempt_) on_welcome(std::move(answer));
          },
          [this, attempt](const caf::error& problem) {
            if (attempt != attempt_) return;
            auto why = failure_of(problem);
            const bool for_good = why.code == errc::failed_precondition;
            on_failed_attempt(std::move(why), for_good);
          });
}

void link_state::on_welcome(welcome answer) {
  phase_ = phase::connected;
  failures_ = 0;
  welcome_ = std::move(answer);
  watch(self_, welcome_.session, [this](const caf::actor_addr& whom) { on_down(whom); });
  for (const auto& [number, subscription] : subscriptions_)
    if (subscription.number != 0) renew(number, [](const auto&) {});
  for (const auto& call : std::exchange(waiting_, {})) call.run(nullptr);
}

void link_state::on_failed_attempt(failure why, bool for_good) {
  phase_ = phase::apart;
  ++attempt_;
  problem_ = std::move(why);
  if (for_good) {
    for (const auto& call : std::exchange(waiting_, {})) call.run(&problem_);
  } else {
    expire(clock::now());
  }
  const auto doublings = std::min(failures_++, most_doublings);
  const auto longest =
      std::min<std::chrono::nanoseconds>(options_.longest_pause, options_.first_pause * (1U << doublings));
  std::uniform_real_distribution<double> jitter(0.5, 1.5);
  after(std::chrono::nanoseconds(static_cast<std::int64_t>(static_cast<double>(longest.count()) * jitter(random_))),
        [attempt = attempt_](link_state& me) {
          if (attempt == me.attempt_ && me.phase_ == phase::apart) me.connect();
        });
}

void link_state::on_down(const caf::actor_addr& whom) {
  if (phase_ == phase::connected && welcome_.session.address() == whom) return on_lost();
  std::erase_if(subscriptions_, [&](const auto& entry) { return entry.second.subscriber.address() == whom; });
}

void link_state::on_lost() {
  welcome_ = {};
  topics_.clear();
  for (auto& [number, subscription] : subscriptions_) subscription.topic = nullptr;
  const failure why{errc::unavailable, "the connection to the broker broke: whether this happened is not known"};
  for (const auto& [n, fail] : std::exchange(in_flight_, {})) fail(why);
  connect();
}

// -- asking ---------------------------------------------------------------------------------------------------------------------

void link_state::with_session(waiting_function f) {
  if (phase_ == phase::connected) return f(nullptr);
  waiting_.push_back({clock::now() + options_.patience, std::move(f)});
  after(options_.patience, [](link_state& me) { me.expire(clock::now()); });
}

void link_state::expire(clock::time_point now) {
  while (!waiting_.empty() && waiting_.front().until <= now) {
    const auto call = std::move(waiting_.front());
    waiting_.pop_front();
    call.run(&problem_);
  }
}

void link_state::when_connected(completion<done> then) {
  with_session(
      [then = std::move(then)](const failure* problem) { problem != nullptr ? then(*problem) : then(done{}); });
}

void link_state::find_topic(const topic_address& where, completion<remote_topic> then) {
  if (const auto known = topics_.find(where); known != topics_.end()) return then(known->second);
  call_session<resolved>(resolve{where.name_space, where.topic, where.queue},
                         [this, where, then = std::move(then)](result<resolved> answer) {
                           if (!answer) return then(answer.why());
                           topics_[where] = answer->topic;
                           then(answer->topic);
                         });
}

// -- subscriptions --------------------------------------------------------------------------------------------------------------

void link_state::subscribe_actor(topic_address where, subscribe_options options, subscriber_actor subscriber,
                                 completion<std::uint64_t> then) {
  if (!subscriber) return then(failure{errc::invalid_argument, "there is no subscriber"});
  const auto number = ++last_call_;
  watch(self_, subscriber, [this](const caf::actor_addr& whom) { on_down(whom); });
  subscriptions_[number] = {std::move(where), options, std::move(subscriber), {}, 0};
  const auto begun = [this, number, then = std::move(then)](result<std::uint64_t> how) {
    if (!how) subscriptions_.erase(number);
    then(std::move(how));
  };
  with_session(
      [this, number, begun](const failure* problem) { problem == nullptr ? renew(number, begun) : begun(*problem); });
}

// Begins the subscription on this connection. Refused, it is over; broken off, the next connection tries again.
void link_state::renew(std::uint64_t number, completion<std::uint64_t> then) {
  const auto found = subscriptions_.find(number);
  if (found == subscriptions_.end()) return then(closing());
  const auto where = found->second.where;
  const auto failed = [this, number, then](const failure& why) {
    const auto at = subscriptions_.find(number);
    if (at != subscriptions_.end() && at->second.number != 0 && why.code != errc::unavailable) {
      tell(at->second.subscriber, closed{at->second.number, why.code, why.text});
      subscriptions_.erase(at);
    }
    then(why);
  };
  find_topic(where, [this, number, failed, then](result<remote_topic> topic) {
    const auto at = subscriptions_.find(number);
    if (at == subscriptions_.end() || !topic) return failed(topic ? closing() : topic.why());
    at->second.topic = *topic;
    ask_broker<subscribed>(*topic, subscribe{at->second.options, at->second.subscriber},
                           [this, number, failed, then](result<subscribed> answer) {
                             if (!answer) return failed(answer.why());
                             if (const auto entry = subscriptions_.find(number); entry != subscriptions_.end())
                               entry->second.number = answer->subscription;
                             then(number);
                           });
  });
}

void link_state::end_subscription(std::uint64_t number, completion<done> then) {
  const auto found = subscriptions_.find(number);
  if (found == subscriptions_.end()) return then(failure{errc::not_found, "the subscription has ended"});
  const auto subscription = std::move(found->second);
  subscriptions_.erase(found);
  if (!subscription.topic) return then(done{});
  ask_broker<done>(subscription.topic, unsubscribe{subscription.number}, std::move(then));
}

}  // namespace mqlite::client
