#include "actors/gateway.hpp"

#include <atomic>

#include "actors/compat.hpp"
#include "actors/subscriber/subscriber_actor.hpp"

namespace mqlite {
namespace {

// Topics whose handles are kept; beyond that all are asked for anew.
constexpr std::size_t most_known_topics = 10'000;

// Consumers and subscriptions of all gateways share one sequence.
std::atomic<std::uint64_t> last_number{0};

// Whoever was asked ended meanwhile.
template <class T>
outcome<T> explained(outcome<T> answer, bool alive, const std::string& topic) {
  if (!answer.ok() && answer.why().abandoned && !alive)
    return failure{error_code::not_found, "topic " + topic + " was deleted"};
  return answer;
}

}  // namespace

// -- subscription -------------------------------------------------------------------------------------------------------------

subscription::subscription(subscriber_actor subscriber) : subscriber_(std::move(subscriber)) {}

subscription& subscription::operator=(subscription&& other) noexcept {
  end();
  subscriber_ = std::exchange(other.subscriber_, nullptr);
  return *this;
}

subscription::~subscription() { end(); }

void subscription::end() {
  if (subscriber_) tell(subscriber_, event::unsubscribe{});
  subscriber_ = nullptr;
}

// -- asking -------------------------------------------------------------------------------------------------------------------

// A pointer without an owner costs nothing to copy.
gateway::gateway(broker_actor broker, event_loop& loop)
    : gateway(std::move(broker), std::shared_ptr<event_loop>(std::shared_ptr<void>(), &loop)) {}

gateway::gateway(broker_actor broker, std::shared_ptr<event_loop> loop)
    : broker_(std::move(broker)), loop_(std::move(loop)) {}

std::uint64_t gateway::next_consumer() { return last_number.fetch_add(1, std::memory_order_relaxed) + 1; }

template <class T>
reply<T> gateway::back(completion<T> then) {
  return reply<T>([loop = loop_, then = std::move(then)](outcome<T> answer) mutable {
    auto held = std::make_shared<outcome<T>>(std::move(answer));
    loop->post([then = std::move(then), held]() mutable { then(std::move(*held)); });
  });
}

gateway::known_topic* gateway::find_known(std::string_view name_space, std::string_view topic) {
  key_.assign(name_space).append(1, '/').append(topic);
  const auto found = known_.find(key_);
  if (found == known_.end()) return nullptr;
  if (*found->second.link.alive || !found->second.pending.empty()) return &found->second;
  known_.erase(found);
  return nullptr;
}

// Whoever asks for a topic that is being asked for already waits in line: requests reach the topic in their order.
void gateway::resolve(std::string_view name_space, std::string_view topic, topic_function then) {
  if (auto* known = find_known(name_space, topic)) return then(known->link);
  auto& waiting = resolving_[key_];
  waiting.push_back(std::move(then));
  if (waiting.size() > 1) return;
  auto answer = back<topic_link>([me = shared_from_this(), key = key_](outcome<topic_link> link) {
    const auto line = std::move(me->resolving_.extract(key).mapped());
    if (link) {
      if (me->known_.size() >= most_known_topics)
        std::erase_if(me->known_, [](const auto& k) { return k.second.pending.empty(); });
      me->known_[key].link = *link;
    }
    for (const auto& next : line) next(link);
  });
  tell(broker_, command::resolve_topic{std::string(name_space), std::string(topic), std::move(answer)});
}

template <class T, class Make>
void gateway::request(std::string_view name_space, std::string_view topic, completion<T> then, Make make) {
  resolve(name_space, topic,
          [this, topic = std::string(topic), then = std::move(then),
           make = std::move(make)](outcome<topic_link> to) mutable {
            if (!to) return then(std::move(to.why()));
            auto answer = back<T>([then = std::move(then), alive = to->alive, topic = std::move(topic)](
                                      outcome<T> how) { then(explained(std::move(how), *alive, topic)); });
            tell(to->actor, make(std::move(answer)));
          });
}

template <class T, class Make>
void gateway::request_broker(completion<T> then, Make make) {
  tell(broker_, make(back<T>(std::move(then))));
}

// -- namespaces and topics ----------------------------------------------------------------------------------------------------

void gateway::create_namespace(std::string name, completion<done> then) {
  request_broker<done>(std::move(then), [&](reply<done> r) {
    return command::create_namespace{std::move(name), std::move(r)};
  });
}

void gateway::delete_namespace(std::string name, completion<done> then) {
  request_broker<done>(std::move(then), [&](reply<done> r) {
    return command::delete_namespace{std::move(name), std::move(r)};
  });
}

void gateway::list_namespaces(completion<std::vector<std::string>> then) {
  request_broker<std::vector<std::string>>(std::move(then),
                                           [](auto r) { return command::list_namespaces{std::move(r)}; });
}

void gateway::create_topic(std::string name_space, std::string name, std::int64_t queue_count,
                           topic_settings_patch settings, completion<done> then) {
  request_broker<done>(std::move(then), [&](reply<done> r) {
    return command::create_topic{0, std::move(name_space), std::move(name), queue_count, settings, std::move(r)};
  });
}

void gateway::delete_topic(std::string name_space, std::string name, completion<done> then) {
  request_broker<done>(std::move(then), [&](reply<done> r) {
    return command::delete_topic{std::move(name_space), std::move(name), std::move(r)};
  });
}

void gateway::list_topics(std::string name_space, completion<std::vector<topic_info>> then) {
  request_broker<std::vector<topic_info>>(std::move(then), [&](auto r) {
    return command::list_topics{std::move(name_space), std::move(r)};
  });
}

void gateway::get_topic(std::string_view name_space, std::string_view topic, completion<topic_details> then) {
  request<topic_details>(name_space, topic, std::move(then), [](auto r) { return command::get_topic{std::move(r)}; });
}

void gateway::update_topic(std::string_view name_space, std::string_view topic, topic_settings_patch settings,
                           completion<done> then) {
  request<done>(name_space, topic, std::move(then), [settings](reply<done> r) {
    return command::update_topic{settings, std::move(r)};
  });
}

void gateway::resize_topic(std::string_view name_space, std::string_view topic, std::int64_t queue_count,
                           completion<resized> then) {
  request<resized>(name_space, topic, std::move(then), [queue_count](auto r) {
    return command::resize_topic{queue_count, std::move(r)};
  });
}

void gateway::rebalance_topic(std::string_view name_space, std::string_view topic, completion<done> then) {
  request<done>(name_space, topic, std::move(then),
                [](reply<done> r) { return command::rebalance_topic{std::move(r)}; });
}

// -- publishing ---------------------------------------------------------------------------------------------------------------

void gateway::publish(std::string_view name_space, std::string_view topic, draft message, completion<published> then) {
  std::vector<draft> one;
  one.push_back(std::move(message));
  add_publish(name_space, topic, std::move(one),
              [then = std::move(then)](outcome<std::vector<outcome<published>>> results) {
                results ? then(std::move(results->front())) : then(std::move(results.why()));
              });
}

void gateway::publish_batch(std::string_view name_space, std::string_view topic, std::vector<draft> messages,
                            completion<std::vector<outcome<published>>> then) {
  if (!messages.empty()) return add_publish(name_space, topic, std::move(messages), std::move(then));
  resolve(name_space, topic, [then = std::move(then)](outcome<topic_link> to) {
    to ? then(std::vector<outcome<published>>{}) : then(std::move(to.why()));
  });
}

// The first publish of a turn asks to be called again behind everything that is ready in this turn; those that come until then
// share its command, its record and its answer.
void gateway::add_publish(std::string_view name_space, std::string_view topic, std::vector<draft> messages,
                          completion<std::vector<outcome<published>>> then) {
  auto* known = find_known(name_space, topic);
  if (known == nullptr) {
    auto held = std::make_shared<std::vector<draft>>(std::move(messages));
    return resolve(name_space, topic,
                   [this, held, ns = std::string(name_space), t = std::string(topic),
                    then = std::move(then)](outcome<topic_link> to) mutable {
                     if (to) return add_publish(ns, t, std::move(*held), std::move(then));
                     then(std::move(to.why()));
                   });
  }
  if (known->pending.empty()) {
    if (to_flush_.empty()) loop_->post([me = shared_from_this()] { me->flush_publishes(); });
    to_flush_.push_back(key_);
  }
  known->pending.push_back({messages.size(), std::move(then)});
  if (known->drafts.empty()) {
    known->drafts = std::move(messages);
  } else {
    std::move(messages.begin(), messages.end(), std::back_inserter(known->drafts));
  }
}

void gateway::flush_publishes() {
  for (const auto& key : std::exchange(to_flush_, {})) {
    auto& known = known_.at(key);
    auto answer = [loop = loop_, alive = known.link.alive, topic = key,
                   pending = std::exchange(known.pending, {})](outcome<std::vector<outcome<published>>> all) mutable {
      struct answers {
        std::vector<pending_publish> pending;
        outcome<std::vector<outcome<published>>> all;
      };
      auto held = std::make_shared<answers>(answers{std::move(pending), explained(std::move(all), *alive, topic)});
      loop->post([held] {
        std::size_t next = 0;
        for (auto& p : held->pending) {
          if (!held->all) {
            p.then(held->all.why());
            continue;
          }
          std::vector<outcome<published>> part;
          part.reserve(p.count);
          for (std::size_t i = 0; i < p.count; ++i, ++next) part.push_back(std::move((*held->all)[next]));
          p.then(std::move(part));
        }
      });
    };
    tell(known.link.actor,
         command::publish{std::exchange(known.drafts, {}), reply<std::vector<outcome<published>>>(std::move(answer))});
  }
}

// -- consuming ----------------------------------------------------------------------------------------------------------------

gateway::consume_token gateway::consume(std::string_view name_space, std::string_view topic, queue_number queue,
                                        consume_options options, completion<consumed> then) {
  consume_token token{std::string(name_space), std::string(topic), queue, next_consumer()};
  request<consumed>(name_space, topic, std::move(then), [queue, options, consumer = token.consumer](auto r) {
    return command::consume{queue, options, consumer, std::move(r)};
  });
  return token;
}

void gateway::cancel(const consume_token& token) {
  resolve(token.name_space, token.topic,
          [queue = token.queue, consumer = token.consumer](const outcome<topic_link>& to) {
            if (to) tell(to->actor, command::cancel{queue, consumer});
          });
}

void gateway::settle(std::string_view name_space, std::string_view topic, queue_number queue, settlement what,
                     std::vector<settle_target> targets, std::chrono::nanoseconds value, completion<settled> then) {
  if (queue == any_queue) queue = 0;  // ids are looked for in all queues anyhow
  request<settled>(name_space, topic, std::move(then),
                   [queue, what, value, targets = std::move(targets)](auto r) mutable {
                     return command::settle{queue, what, std::move(targets), value, std::move(r), {}, {}};
                   });
}

void gateway::subscribe(std::string_view name_space, std::string_view topic, queue_number queue, bool auto_ack,
                        std::size_t max_in_flight, std::shared_ptr<subscriber_sink> sink,
                        completion<subscription> then) {
  auto deliver = [loop = loop_, sink](consumed messages) {
    auto held = std::make_shared<consumed>(std::move(messages));
    loop->post([sink, held] { sink->deliver(std::move(*held)); });
  };
  auto closed = [loop = loop_, sink](const failure& why) { loop->post([sink, why] { sink->closed(why); }); };
  resolve(name_space, topic,
          [this, queue, auto_ack, max_in_flight, deliver = std::move(deliver), closed = std::move(closed),
           then = std::move(then)](outcome<topic_link> to) {
            if (!to) return then(std::move(to.why()));
            auto subscriber = spawn_state<subscriber_actor, subscriber_state>(broker_->home_system(), deliver, closed);
            const auto number = next_consumer();
            auto answer = back<queue_actor>([subscriber, number, then](outcome<queue_actor> at) {
              if (at) {
                tell(subscriber, event::attached{*at, number});
                return then(subscription(subscriber));
              }
              tell(subscriber, event::unsubscribe{});
              then(std::move(at.why()));
            });
            tell(to->actor, command::subscribe{queue, auto_ack, max_in_flight, number, subscriber, std::move(answer)});
          });
}

void gateway::peek(std::string_view name_space, std::string_view topic, queue_number queue, peek_state state,
                   std::size_t most, completion<std::vector<peeked>> then) {
  request<std::vector<peeked>>(name_space, topic, std::move(then), [queue, state, most](auto r) {
    return command::peek{queue, state, most, std::move(r)};
  });
}

void gateway::purge(std::string_view name_space, std::string_view topic, queue_number queue,
                    completion<std::uint64_t> then) {
  request<std::uint64_t>(name_space, topic, std::move(then), [queue](auto r) {
    return command::purge{queue, std::move(r)};
  });
}

// -- dead letters -------------------------------------------------------------------------------------------------------------

void gateway::list_dead(std::string_view name_space, std::string_view topic, std::size_t most,
                        completion<std::vector<peeked>> then) {
  request<std::vector<peeked>>(name_space, topic, std::move(then), [most](auto r) {
    return command::list_dead{most, std::move(r)};
  });
}

void gateway::redrive_dead(std::string_view name_space, std::string_view topic,
                           std::optional<std::vector<message_id>> ids, completion<std::uint64_t> then) {
  request<std::uint64_t>(name_space, topic, std::move(then), [ids = std::move(ids)](auto r) {
    return command::redrive_dead{ids, std::move(r)};
  });
}

void gateway::purge_dead(std::string_view name_space, std::string_view topic, completion<std::uint64_t> then) {
  request<std::uint64_t>(name_space, topic, std::move(then), [](auto r) { return command::purge_dead{std::move(r)}; });
}

// -- the broker ---------------------------------------------------------------------------------------------------------------

void gateway::stats(completion<broker_stats> then) {
  request_broker<broker_stats>(std::move(then), [](auto r) { return command::stats{std::move(r)}; });
}

void gateway::log(completion<log_status> then) {
  request_broker<log_status>(std::move(then), [](auto r) { return command::log{std::move(r)}; });
}

void gateway::rewrite(completion<done> then) {
  request_broker<done>(std::move(then), [](auto r) { return command::rewrite{std::move(r)}; });
}

void gateway::backup(std::string folder, completion<backed_up> then) {
  request_broker<backed_up>(std::move(then), [&](auto r) { return command::backup{std::move(folder), std::move(r)}; });
}

}  // namespace mqlite
