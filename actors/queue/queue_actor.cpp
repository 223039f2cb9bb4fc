#include "actors/queue/queue_actor.hpp"

#include "actors/compat.hpp"

namespace mqlite {

queue_state::queue_state(queue_actor::pointer self, environment_ptr env, queue_birth birth)
    : self_(self),
      env_(std::move(env)),
      topic_id_(birth.topic_id),
      number_(birth.number),
      alone_(birth.alone),
      topic_(std::move(birth.topic)),
      core_(birth.core ? std::move(birth.core) : std::make_shared<queue_core>()),
      log_(env_->log, caf::actor_cast<journal_client>(self)) {
  end_process_on_exception(self);
  core_->settings(birth.settings);
}

queue_state::~queue_state() {
  subscribers_.each([this](std::uint64_t, const auto& s) { tell(s.actor, event::closed{gone()}); });
}

failure queue_state::gone() const {
  return {error_code::not_found,
          "queue " + std::to_string(number_) + " is gone: its topic has fewer queues now, or was deleted"};
}

queue_actor queue_state::me() const { return caf::actor_cast<queue_actor>(self_); }

queue_actor::behavior_type queue_state::make_behavior() {
  serve();
  return {
      // CAF compares a message with one handler after the other: those that come for every message are first.
      [this](event::arrived& event) { on_arrived(event); },
      [this](const event::appended& report) { log_.appended(report); },
      [this](const event::handed& event) { on_handed(event); },
      [this](command::settle& command) { on_settle(command); },
      [this](command::consume& command) { on_consume(command); },
      [this](event::stolen& event) { on_stolen(event); },
      [this](event::adopted& event) { on_adopted(event); },
      [this](const collect& request) { return on_collect(request); },
      [this](event::drain) {
        draining_ = true;
        serve();
      },
      [this](const surrender& request) { return on_surrender(request); },
      [this](const give& request) { return on_give(request); },
      [this](begin_snapshot) { return on_begin_snapshot(); },
      [this](next_slice) { return on_next_slice(); },
      [this](event::snapshot_over) {
        ++snapshots_;
        core_->end_snapshot();
      },
      [this](event::dropped) { on_dropped(); },
      [this](event::wake) { on_wake(); },
      [this](const command::cancel& command) {
        waiters_.cancel(command.consumer);
        serve();
      },
      [this](command::subscribe& command) { on_subscribe(command); },
      [this](const event::unsubscribe& event) { on_unsubscribe(event); },
      [this](command::peek& command) { on_peek(command); },
      [this](command::purge& command) { on_purge(command); },
      [this](const find_oldest& request) { return on_find_oldest(request); },
      [this](const event::drop_oldest& event) { return on_drop_oldest(event); },
      [this](const event::settings_changed& event) { on_settings(event); },
      [this](event::has_siblings) {
        alone_ = false;
        serve();
      },
      [this](report) { return on_report(); },
      [this](const event::tick& tick) {
        if (tick.when != armed_) return;  // another one was set since, for an earlier time
        armed_ = timer_heap<int>::never;
        catch_up();
        serve();
      },
  };
}

// -- arriving -----------------------------------------------------------------------------------------------------------------

void queue_state::on_arrived(event::arrived& event) {
  received_ += event.messages.size();
  if (event.refill) supply_ = supply::direct;
  catch_up();
  if (!event.messages.empty()) fed_by_topic();
  const auto at = now();
  for (auto& m : event.messages) core_->arrive({std::move(m.message), 0, m.unexpiring}, m.not_before, at);
  serve();
}

void queue_state::on_stolen(event::stolen& event) {
  received_ += event.messages.size();
  catch_up();
  core_->arrive_stolen(event.messages);
  serve();
}

void queue_state::on_adopted(event::adopted& event) {
  received_ += event.messages.size();
  catch_up();
  fed_by_topic();
  const auto at = now();
  for (auto& m : event.messages) {
    const auto id = m.carried.message->id();
    core_->arrive(std::move(m.carried), m.not_before, at);
    if (m.leased_until != 0) core_->replay_lease(id, m.leased_until, std::nullopt);
  }
  serve();
}

void queue_state::on_settings(const event::settings_changed& event) {
  core_->settings(event.settings);
  tell_released(0, 0);
  if (!may_steal()) answer_impatient();
  catch_up();
  serve();
}

void queue_state::on_dropped() {
  if (released_.messages != 0 || released_.bytes != 0) tell(topic_, std::exchange(released_, {}));
  while (!waiters_.empty()) waiters_.pop().command.answer(gone());
  self_->quit();
}

// -- snapshots ----------------------------------------------------------------------------------------------------------------

// An append of nothing: when it is reported, so is everything that was appended before it.
caf::result<queue_snapshot_begun> queue_state::on_begin_snapshot() {
  auto promise = self_->make_response_promise<queue_snapshot_begun>();
  log_.append({}, durability::promised, [this, promise, number = ++snapshots_](const failure* problem) mutable {
    if (problem != nullptr) return promise.deliver(queue_snapshot_begun{*problem});
    if (number == snapshots_) core_->begin_snapshot();  // else it was given up meanwhile
    promise.deliver(queue_snapshot_begun{});
  });
  return promise;
}

queue_slice queue_state::on_next_slice() {
  queue_slice slice{number_, {}, false, core_->has_snapshot()};
  slice.entries.reserve(slice_size);
  slice.last = !core_->next_slice(slice_size, now(), slice.entries);
  return slice;
}

// -- looking ------------------------------------------------------------------------------------------------------------------

reported queue_state::on_report() {
  catch_up();
  return {{number_, core_->ready(), core_->leased(), core_->delayed(), core_->bytes(),
           waiters_.size() + subscribers_.size(), totals_},
          received_};
}

void queue_state::on_peek(command::peek& command) {
  catch_up();
  std::vector<peeked> seen;
  std::uint64_t bytes = 0;
  const auto look = [&](const message_ptr& m, std::uint32_t deliveries) {
    if (bytes >= most_answer_bytes) return;
    bytes += m->footprint();
    seen.push_back({m, number_, deliveries, dead_reason::none, 0});
  };
  const auto look_at = [&](const std::vector<entry_handle>& entries) {
    for (const auto h : entries) look((*core_)[h].message, (*core_)[h].deliveries);
  };
  switch (command.state) {
    case peek_state::ready:
      core_->each_ready(command.most, look);
      break;
    case peek_state::leased:
      look_at(core_->leased_entries(command.most));
      break;
    case peek_state::delayed:
      look_at(core_->delayed_entries(command.most));
      break;
  }
  command.answer(std::move(seen));
}

}  // namespace mqlite
