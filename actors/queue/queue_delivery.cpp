#include <algorithm>

#include "actors/compat.hpp"
#include "actors/queue/queue_actor.hpp"

// How a queue gives messages to consumers.
namespace mqlite {
namespace {

// Messages of one push: a slow reader has its bytes counted between them.
constexpr std::size_t most_pushed = 256;
// After the log has refused what a push needs, until the next is tried.
constexpr std::chrono::nanoseconds push_pause = std::chrono::milliseconds(100);

}  // namespace

// -- time ---------------------------------------------------------------------------------------------------------------------

void queue_state::catch_up() {
  const auto at = now();
  if (core_->next_due() <= at) {
    const auto before = core_->ready();
    const auto due = core_->due(at);
    tell_replenished(before);
    bury(due.burials);
  }
  if (waiters_.next_due() <= at)
    for (auto& w : waiters_.due(at)) answer_empty(w.command.answer);
}

void queue_state::arm() {
  const auto at = now();
  const auto resume = push_not_before_ > at ? push_not_before_ : timer_heap<int>::never;
  const auto next = std::min({core_->next_due(), waiters_.next_due(), resume, later(at, longest_timer)});
  const bool idle = core_->next_due() == timer_heap<int>::never && resume == timer_heap<int>::never && waiters_.empty();
  if (next >= armed_ || idle) return;
  armed_ = next;
  tell_after(self_, std::chrono::nanoseconds(std::max<std::int64_t>(next - at, 0)), me(), event::tick{next});
}

// -- pulling ------------------------------------------------------------------------------------------------------------------

void queue_state::on_consume(command::consume& command) {
  catch_up();
  const auto& options = command.options;
  if (core_->ready() > 0) {
    hand_out(options, std::move(command.answer));
    return serve();
  }
  if (options.wait.count() == 0 && !may_steal()) return answer_empty(command.answer);
  ask_again_ = ask_again_ || options.wait.count() == 0;
  const auto until = options.wait.count() == 0 ? 0 : later(now(), options.wait);
  waiters_.add(std::move(command), until);
  serve();
}

// Who asks again after an auto_ack takes any answer for the end of that one: what is known to be handed over is written before.
void queue_state::answer_empty(const reply<consumed>& answer) {
  if (unwritten_acks_ == 0) return answer(consumed{});
  log_.append({}, durability::written, [answer](const failure*) { answer(consumed{}); });
}

caf::result<collected> queue_state::on_collect(const collect& request) {
  catch_up();
  if (core_->ready() == 0 || core_->ready() < request.at_least)
    return collected{{}, std::nullopt, core_->ready(), received_};
  auto promise = self_->make_response_promise<collected>();
  const consume_options options{request.most, request.auto_ack, {}, request.lease, request.most_bytes};
  hand_out(options, [this, promise](outcome<consumed> found) mutable {
    collected answer{{}, std::nullopt, core_->ready(), received_};
    if (found) {
      answer.found = std::move(*found);
    } else {
      answer.problem = std::move(found.why());
    }
    promise.deliver(std::move(answer));
  });
  serve();
  return promise;
}

void queue_state::serve() {
  for (const auto owner : core_->take_freed()) subscribers_.freed(owner, 1, 0);
  while (core_->ready() > 0 && !waiters_.empty()) {
    auto w = waiters_.pop();
    hand_out(w.command.options, std::move(w.command.answer));
  }
  serve_subscribers();
  tell_supply();
  ask_to_rebalance();
  if (draining_ && core_->size() == 0) tell(topic_, event::drained{number_, received_, totals_});
  arm();
}

void queue_state::tell_supply() {
  if (supply_ == supply::direct && core_->ready() >= env_->plenty) {
    supply_ = supply::by_batch;
    tell(topic_, event::supply_changed{number_, true});
  } else if (supply_ == supply::by_batch && core_->ready() == 0) {
    supply_ = supply::exhausted;
    tell(topic_, event::supply_changed{number_, false});
  }
}

// -- handing out --------------------------------------------------------------------------------------------------------------

void queue_state::hand_out(const consume_options& options, hand_out_to to) {
  const auto batch = ++last_batch_;
  hand_out(core_->take(options.most, options.most_bytes, pulled, batch), batch, options.auto_ack,
           lease_of(options.lease), 0, std::move(to));
}

void queue_state::hand_out(const std::vector<entry_handle>& taken, std::uint64_t batch, bool auto_ack,
                           std::chrono::nanoseconds lease, std::uint64_t subscription, hand_out_to to) {
  consumed batch_of_messages;
  event::handed report{batch, {}, false, auto_ack, lease, subscription, 0};
  records::id_list ids;
  std::uint64_t content = 0;
  batch_of_messages.deliveries.reserve(taken.size());
  report.messages.reserve(taken.size());
  for (const auto h : taken) {
    const auto& e = (*core_)[h];
    batch_of_messages.deliveries.push_back({e.message, number_, e.deliveries});
    report.messages.push_back(e.message->id());
    report.bytes += e.message->footprint();
    content += e.message->content_size();
    if (auto_ack) core_->gone_for_limits(h);
    if (!auto_ack) ids.add(e.message->id(), e.deliveries);
    if (e.deliveries > 1) ++totals_.redelivered;
  }
  totals_.delivered += taken.size();
  batch_of_messages.hand_overs.push_back(make_hand_over(std::move(report)));
  if (auto_ack) {
    // They count as gone as soon as their consumer may know of them. What is going to be acknowledged needs a log that works.
    tell_released(static_cast<std::int64_t>(taken.size()), static_cast<std::int64_t>(content));
    return log_.append({}, durability::written,
                       [to = std::move(to), messages = std::move(batch_of_messages)](const failure* problem) mutable {
                         problem == nullptr ? to(std::move(messages)) : to(*problem);
                       });
  }
  // What is pushed belongs to a subscription, and none outlives the process: after a restart such a lease is over.
  const auto until = subscription == 0 ? later(now(), lease) : now();
  log_.append(records::leased(topic_id_, number_, ids, until), durability::written,
              [to = std::move(to), messages = std::move(batch_of_messages)](const failure*) mutable {
                to(std::move(messages));
              });
}

hand_over queue_state::make_hand_over(event::handed report) {
  return hand_over([queue = me(), report = std::move(report)](bool reached) mutable {
    report.reached = reached;
    tell(queue, std::move(report));
  });
}

void queue_state::on_handed(const event::handed& event) {
  if (event.subscription != 0) subscribers_.freed(event.subscription, 0, event.bytes);
  std::vector<entry_handle> entries;
  entries.reserve(event.messages.size());
  for (const auto& id : event.messages) {
    const auto h = core_->find(id);
    if (h == no_entry) continue;
    if ((*core_)[h].place() == place::settling) {
      handed_while_settling_[h] = event.reached;
    } else if (core_->find_leased(id, event.batch) != no_entry) {
      entries.push_back(h);
    }
  }
  if (!event.reached) {
    put_back(entries, event.auto_ack);
  } else if (event.auto_ack) {
    acknowledge_handed(entries);
  } else {
    const auto until = later(now(), event.lease);
    for (const auto h : entries)
      if (core_->leased_until(h) == timer_heap<int>::never)
        core_->start_lease(h, until);  // else it was extended meanwhile
  }
  catch_up();
  serve();
}

void queue_state::put_back(const std::vector<entry_handle>& entries, bool auto_ack) {
  if (entries.empty()) return;
  const auto before = core_->ready();
  event::released regained;
  records::id_list ids;
  for (const auto h : entries) {
    if (core_->is_gone_for_limits(h)) {
      --regained.messages;
      regained.bytes -= static_cast<std::int64_t>((*core_)[h].message->content_size());
    }
    core_->undo_delivery(h);
    ids.add((*core_)[h].message->id(), (*core_)[h].deliveries);
  }
  tell_replenished(before);
  tell_released(regained.messages, regained.bytes);
  if (auto_ack) return;
  log_.append(records::returned(topic_id_, number_, ids, 0), durability::written, [](const failure*) {});
}

// They were handed over: nothing takes that back, so they go even when the record of it cannot be written.
void queue_state::acknowledge_handed(const std::vector<entry_handle>& entries) {
  if (entries.empty()) return;
  records::id_list ids;
  for (const auto h : entries) {
    ids.add((*core_)[h].message->id());
    core_->remove(h);
  }
  totals_.acknowledged += entries.size();
  ++unwritten_acks_;
  log_.append(records::acknowledged(topic_id_, number_, ids), durability::promised,
              [this](const failure*) { --unwritten_acks_; });
}

// -- pushing ------------------------------------------------------------------------------------------------------------------

void queue_state::on_subscribe(command::subscribe& command) {
  subscribers_.add(command.subscription, {command.subscriber, command.max_in_flight, command.auto_ack});
  command.answer(me());
  catch_up();
  serve();
}

void queue_state::on_unsubscribe(const event::unsubscribe& event) {
  const auto* s = subscribers_.find(event.subscription);
  if (s == nullptr) return;
  const bool auto_ack = s->auto_ack;
  subscribers_.remove(event.subscription);
  std::vector<entry_handle> reached;
  std::vector<entry_handle> on_the_way;
  for (const auto h : core_->leases_of(event.subscription))
    (core_->leased_until(h) == timer_heap<int>::never ? on_the_way : reached).push_back(h);
  put_back(on_the_way, auto_ack);
  if (!reached.empty()) {
    settled ignored;
    take_back(reached, 0, ignored, [](const failure*) {});
  }
  catch_up();
  serve();
}

// Those with room take turns, each getting its share of what is there.
void queue_state::serve_subscribers() {
  if (now() < push_not_before_) return;
  while (core_->ready() > 0 && subscribers_.hungry()) {
    const auto share = (core_->ready() + subscribers_.line() - 1) / subscribers_.line();
    const auto id = subscribers_.next();
    auto& s = *subscribers_.find(id);
    const auto batch = ++last_batch_;
    const auto taken = core_->take(std::min({s.room(), share, most_pushed}), s.room_bytes(), id, batch);
    s.in_flight += taken.size();
    for (const auto h : taken) s.unconfirmed += (*core_)[h].message->footprint();
    hand_out(taken, batch, s.auto_ack, core_->settings().ack_timeout, id,
             [this, to = s.actor](outcome<consumed> messages) {
               if (messages) return tell(to, event::deliver{std::move(*messages)});
               push_not_before_ = later(now(), push_pause);  // they come back at once, and would be pushed again
             });
  }
}

}  // namespace mqlite
