#include <algorithm>

#include "actors/compat.hpp"
#include "actors/topic/topic_actor.hpp"

// What a topic does for consumers: sends them to their queue, or gathers from all queues.
namespace mqlite {
namespace {

// How often ids are looked for while messages move: each round misses one with little probability.
constexpr std::uint32_t most_rounds = 8;

}  // namespace

// A consume over all queues. It asks one queue after another, most waiting first, until it has enough; when there is nothing it is
// parked until something comes.
struct topic_state::sweep {
  command::consume command;
  std::uint64_t number = 0;  ///< by age
  std::int64_t until = 0;    ///< waits until then when nothing is there
  consumed found;
  std::uint64_t bytes = 0;  ///< of what was found
  std::vector<bool> asked;
  std::vector<bool> declined;  ///< had fewer than another one might have had
  std::uint64_t news = 0;      ///< what had come when this round began
  std::uint32_t timer = 0;
  bool parked = false;
  bool cancelled = false;
  std::optional<failure> problem;
};

void topic_state::on_consume(command::consume& command) {
  if (command.queue != any_queue) return pass_on(command);
  start_sweep(std::move(command));
}

void topic_state::start_sweep(command::consume command) {
  auto s = std::make_shared<sweep>();
  s->command = std::move(command);
  s->number = ++last_sweep_;
  s->news = news_;
  if (const auto wait = s->command.options.wait; wait.count() > 0) {
    s->until = later(env_->clock->now(), wait);
    sweeps_[s->command.consumer] = s;
  }
  go_on(std::move(s));
}

void topic_state::go_on(std::shared_ptr<sweep> s) {
  s->asked.resize(queues_.size());
  s->declined.resize(queues_.size());
  const auto have = s->found.deliveries.size();
  const auto& options = s->command.options;
  const auto busiest = board_.busiest(s->asked);
  if (!busiest || have >= options.most || s->bytes >= options.most_bytes || s->cancelled) return finish(s);
  const auto next = busiest->queue;
  const auto i = static_cast<std::size_t>(next);
  const auto at_least = s->declined[i] ? 1 : std::max<std::uint64_t>(1, busiest->next_bound);
  s->asked[i] = true;
  ask(self_, up_to_date(next),
      collect{at_least, options.most - have, options.most_bytes - s->bytes, options.auto_ack, options.lease})
      .then(
          [this, s, next, i](collected& answer) {
            if (exists(next)) board_.corrected(next, answer.ready, answer.received);
            auto& all = s->found;
            if (answer.found.deliveries.empty() && answer.ready > 0 && !answer.problem && !s->declined[i]) {
              s->declined[i] = true;  // it has fewer than another one may have; its turn may come again
              s->asked[i] = false;
            }
            if (answer.problem && !s->problem) s->problem = std::move(answer.problem);
            for (const auto& one : answer.found.deliveries) s->bytes += one.message->footprint();
            std::move(answer.found.deliveries.begin(), answer.found.deliveries.end(),
                      std::back_inserter(all.deliveries));
            std::move(answer.found.hand_overs.begin(), answer.found.hand_overs.end(),
                      std::back_inserter(all.hand_overs));
            go_on(s);
          },
          [this, s](const caf::error&) { go_on(s); });
}

void topic_state::finish(const std::shared_ptr<sweep>& s) {
  const bool empty = s->found.deliveries.empty();
  if (empty && !s->problem && !s->cancelled && s->until > env_->clock->now()) {
    s->asked.clear();
    s->declined.clear();
    if (s->news == news_) return park(s);
    s->news = news_;
    return go_on(s);
  }
  sweeps_.erase(s->command.consumer);
  if (empty && s->problem) {
    s->command.answer(std::move(*s->problem));
  } else {
    s->command.answer(std::move(s->found));
  }
  if (!empty && !parked_.empty() && board_.busiest(any_queue)) sweep_again(1);
}

void topic_state::park(const std::shared_ptr<sweep>& s) {
  s->parked = true;
  s->timer = sweep_timers_.add(s->until, s);
  parked_.emplace(s->number, s);
  arm();
}

void topic_state::unpark(const std::shared_ptr<sweep>& s) {
  s->parked = false;
  sweep_timers_.remove(s->timer);
  parked_.erase(s->number);
}

void topic_state::on_cancel(const command::cancel& command) {
  if (command.queue != any_queue) {
    if (exists(command.queue)) tell(up_to_date(command.queue), command);
    return;
  }
  const auto found = sweeps_.find(command.consumer);
  if (found == sweeps_.end()) return;
  const auto s = found->second;
  s->cancelled = true;
  if (!s->parked) return;
  unpark(s);
  finish(s);
}

void topic_state::sweep_again(std::uint64_t messages) {
  ++news_;
  for (; messages > 0 && !parked_.empty(); --messages) {
    const auto s = parked_.begin()->second;
    unpark(s);
    s->news = news_;
    go_on(s);
  }
}

void topic_state::arm() {
  const auto at = env_->clock->now();
  const auto due = std::min({drain_until_, steal_retry_, sweep_timers_.next()});
  if (due == timer_heap<int>::never) return;
  const auto next = std::min(due, later(at, longest_timer));
  if (next >= armed_) return;
  armed_ = next;
  tell_after(self_, std::chrono::nanoseconds(std::max<std::int64_t>(next - at, 0)), caf::actor_cast<topic_actor>(self_),
             event::tick{next});
}

void topic_state::on_tick(const event::tick& tick) {
  if (tick.when != armed_) return;  // another one was set since, for an earlier time
  armed_ = timer_heap<int>::never;
  const auto at = env_->clock->now();
  while (sweep_timers_.next() <= at) {
    const auto s = sweep_timers_[sweep_timers_.first()];
    unpark(s);
    finish(s);
  }
  if (steal_retry_ <= at) {
    steal_retry_ = timer_heap<int>::never;
    wake_starving(queues_.size());
  }
  if (drain_until_ <= at) end_drain();
  arm();
}

// -- settling -----------------------------------------------------------------------------------------------------------------

void topic_state::on_settle(command::settle& command) {
  command.moves_before = moves_.begun();
  command.moving_before = moves_.any();
  if (!exists(command.queue) && command.queue < had_queues_) command.queue = 0;  // what that queue had is in others now
  pass_on(command);
}

// Messages that move while they are looked for may be missed: then everyone is asked once more, when those moves are over.
void topic_state::on_unheld(event::unheld& event) {
  auto& rest = event.rest;
  for (queue_number q = 0; exists(q); ++q)
    if (std::find(rest.asked.begin(), rest.asked.end(), q) == rest.asked.end())
      return tell(up_to_date(q), std::move(rest));
  if ((rest.moving_before || rest.moves_before != moves_.begun()) && rest.rounds < most_rounds) {
    rest.moves_before = moves_.begun();
    if (moves_.over(rest.moves_before)) return search_again(std::move(rest));
    return after_moves_.push_back(std::move(rest));
  }
  for (const auto& target : rest.targets) rest.so_far.unknown.push_back(target.position);
  std::sort(rest.so_far.unknown.begin(), rest.so_far.unknown.end());
  std::sort(rest.so_far.stale.begin(), rest.so_far.stale.end());
  rest.answer(std::move(rest.so_far));
}

void topic_state::search_again(command::settle rest) {
  ++rest.rounds;
  rest.asked.clear();
  rest.moves_before = moves_.begun();
  rest.moving_before = moves_.any();
  tell(up_to_date(0), std::move(rest));
}

// -- subscribing --------------------------------------------------------------------------------------------------------------

void topic_state::on_subscribe(command::subscribe& command) {
  if (command.queue != any_queue) return pass_on(command);
  if (settings_.steal == steal_policy::off)
    return command.answer(failure{error_code::failed_precondition,
                                  "topic " + name_ + " has steal = off: subscribe to one of its queues"});
  attaching_.push_back(std::move(command));
  if (attaching_.size() > 1) return;  // those who come at once are dealt out together, and so evenly
  ask_all([this](std::vector<reported> reports) { attach(std::move(reports)); });
}

void topic_state::attach(std::vector<reported> reports) {
  std::erase_if(reports, [this](const reported& r) { return r.details.queue >= active_; });
  for (auto& command : std::exchange(attaching_, {})) {
    const auto fewest = std::min_element(reports.begin(), reports.end(), [](const auto& a, const auto& b) {
      return std::pair(a.details.consumers, a.details.queue) < std::pair(b.details.consumers, b.details.queue);
    });
    command.queue = fewest == reports.end() ? 0 : fewest->details.queue;
    if (fewest != reports.end()) ++fewest->details.consumers;
    pass_on(command);
  }
}

}  // namespace mqlite
