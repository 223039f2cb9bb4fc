#include "protocols/remote/topic_door.hpp"

#include "protocols/remote/promise.hpp"
#include "protocols/remote/wire_requests.hpp"

namespace mqlite::remote {
namespace {

/// What one client may have under way on one topic: publishes that are not answered, and messages that it has not received. Beyond
/// that it is refused.
constexpr std::uint64_t most_unanswered_bytes = 64ULL << 20;
constexpr std::uint64_t most_unconfirmed_bytes = 64ULL << 20;
constexpr std::size_t most_waits = 10'000;
constexpr std::size_t most_feeds = 1000;

std::uint64_t size_of(const std::vector<draft>& drafts) {
  std::uint64_t size = 0;
  for (const auto& one : drafts) size += one.message->footprint();
  return size;
}

caf::error too_much(std::string text) { return error_of({error_code::resource_exhausted, std::move(text), false}); }

}  // namespace

topic_door_state::topic_door_state(topic_door_actor::pointer self, std::shared_ptr<context> shared,
                                   wire::remote_peer peer, request::queue_address where)
    : self_(self),
      shared_(std::move(shared)),
      counted_(shared_->actors->enter()),
      peer_(std::move(peer)),
      where_(std::move(where)),
      broker_(
          std::make_shared<gateway>(shared_->broker, std::make_shared<actor_loop<topic_door_actor>>(self->address()))) {
  end_process_on_exception(self);
}

topic_door_state::~topic_door_state() {
  for (const auto& [n, token] : waits_) broker_->cancel(token);
  end_feeds();
}

topic_door_actor::behavior_type topic_door_state::make_behavior() {
  return {
      [this](const wire::publish& c) { return on_publish(c); },
      [this](const wire::consume& c) { return on_consume(c); },
      [this](wire::ack& c) {
        return on_settle(std::move(c.ids), settlement::ack, c.queue, std::chrono::nanoseconds(0));
      },
      [this](wire::nack& c) {
        wire_fields fields;
        const auto delay = fields.duration("delay_ms", c.delay, 0);
        return on_settle(std::move(c.ids), settlement::nack, c.queue, fields.result(delay));
      },
      [this](wire::extend& c) {
        wire_fields fields;
        const auto lease = fields.optional_duration("lease_ms", c.lease);
        return on_settle(std::move(c.ids), settlement::extend, c.queue, fields.result(lease));
      },
      [this](const wire::subscribe& c) { return on_subscribe(c); },
      [this](const wire::unsubscribe& c) { return on_unsubscribe(c); },
      [this](const wire::peek& c) { return on_peek(c); },
      [this](const wire::purge& c) { return on_purge(c); },
      [this](const wire::list_dead& c) { return on_list_dead(c); },
      [this](wire::redrive_dead& c) { return on_redrive_dead(c); },
      [this](wire::purge_dead) { return on_purge_dead(); },
      [this](wire::get_topic) { return on_get_topic(); },
      [this](const wire::update_topic& c) { return on_update_topic(c); },
      [this](const wire::resize_topic& c) { return on_resize_topic(c); },
      [this](wire::rebalance_topic) { return on_rebalance_topic(); },
      [](posted& f) { f.run(); },
      [this](finish) { on_finish(); },
  };
}

// -- publishing -----------------------------------------------------------------------------------------------------------------

caf::result<wire::publish_results> topic_door_state::on_publish(const wire::publish& command) {
  if (shared_->stopping) return stopping_error();
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const publish_terms terms{std::chrono::duration_cast<std::chrono::nanoseconds>(now).count(),
                            shared_->limits.max_message_bytes};
  auto read = read_publish(command, where_.queue, terms);
  if (!read) return error_of(read.why());
  const auto bytes = size_of(read->drafts);
  if (unanswered_bytes_ + bytes > most_unanswered_bytes && unanswered_bytes_ > 0)
    return too_much("too many publishes of this client wait for their answer");
  unanswered_bytes_ += bytes;
  auto to = promise<wire::publish_results>();
  auto then = [this, to, bytes, refused = std::move(read->refused), ticket = shared_->unanswered->enter(),
               begun = std::chrono::steady_clock::now()](outcome<std::vector<outcome<published>>> how) mutable {
    unanswered_bytes_ -= bytes;
    if (!how) return to.deliver(error_of(how.why()));
    shared_->publish_times->observe(std::chrono::steady_clock::now() - begun, how->size());
    to.deliver(to_wire(*how, refused));
  };
  broker_->publish_batch(where_.name_space, where_.topic, std::move(read->drafts), std::move(then));
  return to;
}

// -- consuming ------------------------------------------------------------------------------------------------------------------

caf::result<wire::message_batch> topic_door_state::on_consume(const wire::consume& command) {
  if (shared_->stopping) return stopping_error();
  auto read = read_consume(command.options, usual_queue());
  if (!read) return error_of(read.why());
  if (unconfirmed_bytes_ > most_unconfirmed_bytes || waits_.size() >= most_waits)
    return too_much("too many answers to this client are under way");
  auto to = promise<wire::message_batch>();
  const auto wait = ++last_number_;
  auto then = [this, to, wait, ticket = shared_->unanswered->enter()](outcome<consumed> messages) {
    on_consumed(to, wait, std::move(messages));
  };
  auto token = broker_->consume(where_.name_space, where_.topic, read->queue, read->options, std::move(then));
  waits_.emplace(wait, std::move(token));
  return to;
}

template <class Promise>
void topic_door_state::on_consumed(Promise promise, std::uint64_t wait, outcome<consumed> messages) {
  waits_.erase(wait);
  // Where a wait was cut short, it ended with nothing.
  if (waits_cancelled_ && !messages && messages.why().abandoned) messages = consumed();
  if (!messages) return promise.deliver(error_of(messages.why()));
  promise.deliver(wire::message_batch{to_wire(messages->deliveries)});
  if (!messages->deliveries.empty()) confirm_later(std::move(*messages));
}

void topic_door_state::confirm_later(consumed messages) {
  for (const auto& one : messages.deliveries) unconfirmed_bytes_ += one.message->footprint();
  to_confirm_.push_back(std::move(messages));
  if (!pinging_) send_ping();
}

void topic_door_state::send_ping() {
  pinging_ = true;
  behind_ping_ = std::exchange(to_confirm_, {});
  behind_ping_bytes_ = unconfirmed_bytes_;
  ask(self_, peer_, wire::ping{})
      .then(
          [this] {
            for (auto& messages : std::exchange(behind_ping_, {})) messages.confirm();
            unconfirmed_bytes_ -= behind_ping_bytes_;
            pinging_ = false;
            if (!to_confirm_.empty()) send_ping();
          },
          // The client is gone: the session ends, and what was not confirmed returns.
          [this](const caf::error&) { self_->quit(); });
}

caf::result<wire::settled> topic_door_state::on_settle(std::vector<std::string> ids, settlement what,
                                                       std::int64_t queue, outcome<std::chrono::nanoseconds> value) {
  if (shared_->stopping) return stopping_error();
  if (!value) return error_of(value.why());
  wire_fields fields;
  const auto at = fields.queue(queue, usual_queue());
  auto named = std::make_shared<named_messages>(fields.messages(std::move(ids)));
  if (fields.refusal()) return error_of(*fields.refusal());
  auto to = promise<wire::settled>();
  auto targets = std::exchange(named->targets, {});
  broker_->settle(where_.name_space, where_.topic, at, what, std::move(targets), *value,
                  keep<settled>(to, *shared_, [named](const settled& how) { return to_wire(how, *named); }));
  return to;
}

// -- subscriptions --------------------------------------------------------------------------------------------------------------

bool topic_door_state::is_foreign(const wire::subscriber_actor& subscriber) const {
  return !subscriber || subscriber.node() != peer_.node();
}

caf::result<wire::subscribed> topic_door_state::on_subscribe(const wire::subscribe& command) {
  if (shared_->stopping) return stopping_error();
  const auto read = read_subscribe(command.options, usual_queue());
  if (!read) return error_of(read.why());
  if (is_foreign(command.subscriber))
    return error_of({error_code::invalid_argument, "`subscriber` must be an actor of the asking program", false});
  if (feeds_.size() >= most_feeds)
    return too_much("this client has " + std::to_string(most_feeds) + " subscriptions already");
  const auto number = ++last_number_;
  const auto one = std::make_shared<feed>(self_, number, command.subscriber, read->auto_ack,
                                          [this](std::uint64_t n) { remove_feed(n); });
  feeds_.emplace(number, one);
  watch(self_, command.subscriber, [this](const caf::actor_addr& whom) {
    std::vector<std::uint64_t> gone;
    for (const auto& [n, f] : feeds_)
      if (f->to().address() == whom) gone.push_back(n);
    for (const auto n : gone) remove_feed(n);
  });
  auto to = promise<wire::subscribed>();
  broker_->subscribe(
      where_.name_space, where_.topic, read->queue, read->auto_ack, read->max_in_flight, one,
      [this, to, one, number, ticket = shared_->unanswered->enter()](outcome<subscription> running) mutable {
        if (!running) {
          remove_feed(number);
          return to.deliver(error_of(running.why()));
        }
        to.deliver(wire::subscribed{number});
        one->hold(std::move(*running));
      });
  return to;
}

caf::result<void> topic_door_state::on_unsubscribe(const wire::unsubscribe& command) {
  if (!feeds_.contains(command.subscription))
    return error_of({error_code::not_found, "the subscription has ended", false});
  remove_feed(command.subscription);
  return {};
}

void topic_door_state::remove_feed(std::uint64_t number) {
  const auto found = feeds_.find(number);
  if (found == feeds_.end()) return;
  const auto one = std::move(found->second);
  feeds_.erase(found);
  one->end();
}

void topic_door_state::end_feeds() {
  for (const auto& [n, one] : std::exchange(feeds_, {})) one->end();
}

// -- the rest -------------------------------------------------------------------------------------------------------------------

caf::result<wire::peeked_batch> topic_door_state::on_peek(const wire::peek& command) {
  if (shared_->stopping) return stopping_error();
  const auto read = read_peek(command, usual_queue());
  if (!read) return error_of(read.why());
  auto to = promise<wire::peeked_batch>();
  broker_->peek(where_.name_space, where_.topic, read->queue, read->state, read->limit,
                keep<std::vector<peeked>>(to, *shared_, [](const auto& seen) { return to_wire(seen); }));
  return to;
}

caf::result<wire::counted> topic_door_state::on_purge(const wire::purge& command) {
  if (shared_->stopping) return stopping_error();
  wire_fields fields;
  const auto queue = fields.queue(command.queue, usual_queue(), 0);
  if (fields.refusal()) return error_of(*fields.refusal());
  auto to = promise<wire::counted>();
  broker_->purge(where_.name_space, where_.topic, queue,
                 keep<std::uint64_t>(to, *shared_, [](std::uint64_t n) { return wire::counted{n}; }));
  return to;
}

caf::result<wire::peeked_batch> topic_door_state::on_list_dead(const wire::list_dead& command) {
  if (shared_->stopping) return stopping_error();
  wire_fields fields;
  const auto limit = fields.integer("limit", command.limit, 1, most_limit);
  if (fields.refusal()) return error_of(*fields.refusal());
  auto to = promise<wire::peeked_batch>();
  broker_->list_dead(where_.name_space, where_.topic, static_cast<std::size_t>(limit),
                     keep<std::vector<peeked>>(to, *shared_, [](const auto& seen) { return to_wire(seen); }));
  return to;
}

caf::result<wire::counted> topic_door_state::on_redrive_dead(wire::redrive_dead& command) {
  if (shared_->stopping) return stopping_error();
  std::optional<std::vector<message_id>> ids;
  if (command.ids) {
    wire_fields fields;
    const auto named = fields.messages(std::move(*command.ids));
    if (fields.refusal()) return error_of(*fields.refusal());
    ids.emplace();
    for (const auto& target : named.targets) ids->push_back(target.which.id);
  }
  auto to = promise<wire::counted>();
  broker_->redrive_dead(where_.name_space, where_.topic, std::move(ids),
                        keep<std::uint64_t>(to, *shared_, [](std::uint64_t n) { return wire::counted{n}; }));
  return to;
}

caf::result<wire::counted> topic_door_state::on_purge_dead() {
  if (shared_->stopping) return stopping_error();
  auto to = promise<wire::counted>();
  broker_->purge_dead(where_.name_space, where_.topic,
                      keep<std::uint64_t>(to, *shared_, [](std::uint64_t n) { return wire::counted{n}; }));
  return to;
}

caf::result<wire::topic_details> topic_door_state::on_get_topic() {
  if (shared_->stopping) return stopping_error();
  auto to = promise<wire::topic_details>();
  broker_->get_topic(where_.name_space, where_.topic,
                     keep<topic_details>(to, *shared_, [](const topic_details& d) { return to_wire(d); }));
  return to;
}

caf::result<void> topic_door_state::on_update_topic(const wire::update_topic& command) {
  if (shared_->stopping) return stopping_error();
  wire_fields fields;
  const auto patch = fields.settings(command.settings);
  if (fields.refusal()) return error_of(*fields.refusal());
  auto to = promise<void>();
  broker_->update_topic(where_.name_space, where_.topic, patch, keep(to, *shared_));
  return to;
}

caf::result<wire::resized> topic_door_state::on_resize_topic(const wire::resize_topic& command) {
  if (shared_->stopping) return stopping_error();
  wire_fields fields;
  const auto count = fields.integer("new_queue_count", command.queue_count, 1, most_queues);
  if (fields.refusal()) return error_of(*fields.refusal());
  auto to = promise<wire::resized>();
  broker_->resize_topic(where_.name_space, where_.topic, count,
                        keep<resized>(to, *shared_, [](const resized& how) { return to_wire(how); }));
  return to;
}

caf::result<void> topic_door_state::on_rebalance_topic() {
  if (shared_->stopping) return stopping_error();
  auto to = promise<void>();
  broker_->rebalance_topic(where_.name_space, where_.topic, keep(to, *shared_));
  return to;
}

void topic_door_state::on_finish() {
  waits_cancelled_ = true;
  for (const auto& [n, token] : waits_) broker_->cancel(token);
  end_feeds();
}

}  // namespace mqlite::remote
