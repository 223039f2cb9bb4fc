#include "actors/compat.hpp"
#include "actors/queue/queue_actor.hpp"

// Both ends of stealing: how a starving queue asks, and how a busy one gives.
//
//   thief                     topic                      victim
//     | -- rebalance ----------> |                          |
//     |                          | -- give ---------------> |   takes half from its tail,
//     |                          |                          |   writes the move to the log,
//     | <------------------------ stolen ------------------- |   sends the messages,
//     |                          | <------------- given --- |   and answers
//     | <---------- rebalanced - |                          |
//
// The messages travel in a message of their own, not in a response: a response that came too late would be thrown away. Who asked
// in vain is starving, and does not ask again until the topic wakes it or a consumer comes who wants an answer now.
namespace mqlite {
void queue_state::ask_to_rebalance() {
  if (hunger_ == hunger::asking || supply_ == supply::exhausted) return;
  if (!may_steal()) answer_impatient();
  if (!hungry() || !may_steal()) {
    // The topic has this queue on its list, and might spend a wake-up on it that another one needs.
    if (std::exchange(hunger_, hunger::none) == hunger::starving) tell(topic_, event::sated{number_});
    return;
  }
  if (hunger_ == hunger::starving && !ask_again_) return;
  hunger_ = hunger::asking;
  ask_again_ = false;
  ask(self_, topic_, rebalance{number_})
      .then([this](const rebalanced& answer) { rebalanced_by(answer.moved); },
            [this](const caf::error&) { rebalanced_by(0); });
}

void queue_state::rebalanced_by(std::uint64_t moved) {
  hunger_ = moved > 0 ? hunger::none : hunger::starving;
  if (moved == 0 && !ask_again_) answer_impatient();
  catch_up();
  serve();
}

// The topic has taken this queue off its list of those that starve: who is still hungry has to ask again.
void queue_state::fed_by_topic() {
  if (hunger_ == hunger::starving) hunger_ = hunger::none;
}

void queue_state::answer_impatient() {
  for (auto& w : waiters_.impatient()) answer_empty(w.command.answer);
}

void queue_state::on_wake() {
  catch_up();
  fed_by_topic();
  serve();
  if (hunger_ == hunger::none) tell(topic_, event::sated{number_});
}

caf::result<given> queue_state::on_give(const give& request) {
  catch_up();
  serve();
  const auto ready = core_->ready();
  if (ready == 0 || ready < request.at_least) return given{false, 0, ready, received_};
  auto messages = core_->give(request.count > 0 ? request.count : (ready + 1) / 2, now());
  tell_supply();
  std::vector<message_id> ids;
  for (const auto& m : messages) ids.push_back(m.message->id());
  auto promise = self_->make_response_promise<given>();
  append_parts(
      ids, durability::written,
      [&](const records::id_list& part) { return records::moved(topic_id_, number_, request.thief_number, part); },
      [this, promise, thief = request.thief, messages = std::move(messages)](const failure* problem) mutable {
        if (problem == nullptr) {
          const auto count = messages.size();
          tell(thief, event::stolen{std::move(messages)});
          promise.deliver(given{false, count, core_->ready(), received_});
          if (draining_) serve();
          return;
        }
        core_->take_back(messages);
        promise.deliver(given{true, 0, core_->ready(), received_});
        serve();
      });
  return promise;
}

// Subscriptions end here; what is on its way to a consumer, or out, is left for the next time.
caf::result<surrendered> queue_state::on_surrender(const surrender& request) {
  std::vector<std::uint64_t> subscriptions;
  subscribers_.each([&](std::uint64_t id, const auto& s) {
    subscriptions.push_back(id);
    tell(s.actor, event::closed{gone()});
  });
  for (const auto id : subscriptions) on_unsubscribe({id});

  catch_up();
  const auto at = now();
  const auto heirs = request.heirs.size();
  std::vector<event::adopted> parcels(heirs);
  std::vector<std::vector<message_id>> ids(heirs);
  surrendered result{std::vector<std::uint64_t>(heirs, 0)};
  std::size_t next = 0;
  for (const auto h : core_->all()) {
    const auto where = (*core_)[h].place();
    const bool leased = where == place::leased;
    if (where == place::settling || (leased && core_->leased_until(h) == timer_heap<int>::never)) continue;
    const std::int64_t leased_until = leased ? core_->leased_until(h) : 0;
    const std::int64_t not_before = where == place::delayed ? core_->delayed_until(h) : 0;
    ids[next].push_back((*core_)[h].message->id());
    parcels[next].messages.push_back({core_->send_off(h, now()), leased_until, not_before});
    ++result.moved[next];
    next = (next + 1) % heirs;
  }
  for (std::size_t i = 0; i < heirs; ++i)
    append_parts(
        ids[i], durability::written,
        [&](const records::id_list& part) { return records::moved(topic_id_, number_, request.numbers[i], part, at); },
        [](const failure*) {});
  auto promise = self_->make_response_promise<surrendered>();
  log_.append({}, durability::written,
              [this, promise, result, heirs = request.heirs, parcels = std::move(parcels)](const failure*) mutable {
                for (std::size_t i = 0; i < heirs.size(); ++i)
                  if (!parcels[i].messages.empty()) tell(heirs[i], std::move(parcels[i]));
                promise.deliver(std::move(result));
                serve();
              });
  return promise;
}

}  // namespace mqlite
