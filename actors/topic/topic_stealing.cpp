#include <algorithm>
#include <numeric>

#include "actors/compat.hpp"
#include "actors/topic/topic_actor.hpp"

// How a topic brings a starving queue together with its busiest sibling. actors/queue/queue_stealing.cpp draws the protocol.
namespace mqlite {
namespace {

constexpr std::chrono::nanoseconds shortest_steal_pause = std::chrono::milliseconds(25);
constexpr std::chrono::nanoseconds longest_steal_pause = std::chrono::seconds(2);

}  // namespace
// One question for work: who was asked for it, and who had most.
struct topic_state::search {
  queue_number thief;
  caf::typed_response_promise<rebalanced> promise;
  std::vector<bool> asked;
  queue_number best = any_queue;
  std::uint64_t best_ready = 0;
};

caf::result<rebalanced> topic_state::on_rebalance(const rebalance& request) {
  auto s = std::make_shared<search>();
  s->thief = request.thief;
  s->promise = self_->make_response_promise<rebalanced>();
  const auto promise = s->promise;
  if (exists(request.thief)) board_.fed(request.thief);
  steal_for(std::move(s));
  return promise;
}

// The queue with the highest bound is asked first; if it has less than the next one may have, that one is asked. Each is asked
// once, because the bounds of busy queues rise as fast as they are corrected; then the one that had most is taken at its word.
void topic_state::steal_for(std::shared_ptr<search> s) {
  if (holding_moves()) {
    held_moves_.emplace_back([this, s] { steal_for(s); });
    return;
  }
  if (!exists(s->thief) || s->thief >= active_ || settings_.steal == steal_policy::off) return refuse_steal(*s, false);
  s->asked.resize(queues_.size());
  s->asked[static_cast<std::size_t>(s->thief)] = true;
  const auto busiest = board_.busiest(s->asked);
  if (busiest && busiest->bound > s->best_ready)
    return ask_to_give(std::move(s), busiest->queue, std::max({std::uint64_t{1}, busiest->next_bound, s->best_ready}));
  if (s->best == any_queue || !exists(s->best)) return refuse_steal(*s, true);
  const auto best = std::exchange(s->best, any_queue);
  s->best_ready = UINT64_MAX;  // nobody else is asked after it
  ask_to_give(std::move(s), best, 1);
}

void topic_state::ask_to_give(std::shared_ptr<search> s, queue_number victim, std::uint64_t at_least) {
  s->asked[static_cast<std::size_t>(victim)] = true;
  const auto move = moves_.begin();
  const auto thief = s->thief;
  ask(self_, up_to_date(victim), give{thief, queues_[static_cast<std::size_t>(thief)], at_least, 0})
      .then(
          [this, s, victim, move](const given& answer) {
            moved(move, victim, s->thief, answer);
            if (answer.refused) return refuse_steal(*s, true);
            if (answer.moved == 0) {
              if (s->best_ready != UINT64_MAX && answer.ready > s->best_ready) {
                s->best = victim;
                s->best_ready = answer.ready;
              }
              return steal_for(s);
            }
            ++totals_.steals;
            totals_.stolen += answer.moved;
            steal_pause_ = {};
            s->promise.deliver(rebalanced{answer.moved});
            wake_starving(1, s->thief);
          },
          [this, s, move](const caf::error&) {
            move_ends(move);
            refuse_steal(*s, true);
          });
}

// Something may have come to a queue after it was asked, or the log refuses moves for now: then the search goes on after a pause,
// 25 ms at first and up to 2 s. Where every queue is known to be empty nothing is to be done until something arrives.
void topic_state::refuse_steal(search& s, bool may_ask_again) {
  ++totals_.steal_refusals;
  if (may_ask_again && exists(s.thief)) {
    board_.starves(s.thief);
    if (board_.busiest(s.thief) && steal_retry_ == timer_heap<int>::never) {
      steal_pause_ = std::clamp(steal_pause_ * 2, shortest_steal_pause, longest_steal_pause);
      steal_retry_ = later(env_->clock->now(), steal_pause_);
      arm();
    }
  }
  s.promise.deliver(rebalanced{0});
}

void topic_state::moved(moves::number move, queue_number from, queue_number to, const given& answer) {
  if (exists(from)) board_.corrected(from, answer.ready, answer.received);
  if (answer.ready > 0) drained_.erase(from);  // they could not go
  if (answer.moved > 0 && exists(to)) {
    board_.sent(to, answer.moved);
    drained_.erase(to);
    sweep_again(answer.moved);
  }
  move_ends(move);
}

void topic_state::move_ends(moves::number move) {
  moves_.end(move);
  drop_drained();
  for (auto& waiting : std::exchange(after_moves_, {})) {
    if (moves_.over(waiting.moves_before)) {
      search_again(std::move(waiting));
    } else {
      after_moves_.push_back(std::move(waiting));
    }
  }
  if (moves_.any()) return;
  if (const auto go_on = std::exchange(when_moves_are_over_, nullptr)) go_on();
}

void topic_state::wake_starving(std::uint64_t most, queue_number except) {
  for (; most > 0 && board_.anyone_starves() && board_.busiest(any_queue); --most) {
    const auto starving = board_.next_starving(except);
    if (!starving) return;
    tell(up_to_date(*starving), event::wake{});
  }
}

void topic_state::on_sated(const event::sated& event) {
  if (exists(event.queue)) board_.fed(event.queue);
  wake_starving(1);
}

void topic_state::on_replenished(const event::replenished& event) {
  if (!exists(event.queue)) return;
  board_.replenished(event.queue, event.count);
  board_.fed(event.queue);
  wake_starving(event.count, event.queue);
  sweep_again(event.count);
}

// -- levelling ----------------------------------------------------------------------------------------------------------------

void topic_state::on_rebalance_topic(command::rebalance_topic& command) {
  ask_all([this, answer = std::move(command.answer)](std::vector<reported> reports) {
    std::vector<std::uint64_t> depths(queues_.size(), 0);
    for (const auto& r : reports)
      if (exists(r.details.queue)) depths[static_cast<std::size_t>(r.details.queue)] = r.details.ready;
    level(std::move(depths), answer);
  });
}

// Moves the surplus of the deepest queue to the shallowest until none has more than its share.
void topic_state::level(std::vector<std::uint64_t> depths, reply<done> answer) {
  if (holding_moves()) {
    held_moves_.emplace_back([this, depths, answer] { level(depths, answer); });
    return;
  }
  depths.resize(static_cast<std::size_t>(active_));
  const auto total = std::accumulate(depths.begin(), depths.end(), std::uint64_t{0});
  const auto deepest = std::max_element(depths.begin(), depths.end());
  const auto shallowest = std::min_element(depths.begin(), depths.end());
  const auto share = total / depths.size();
  if (*deepest <= *shallowest + 1) return answer(done{});
  const auto count = std::min(*deepest - share, std::max<std::uint64_t>(1, share - *shallowest));
  const auto from = static_cast<std::size_t>(deepest - depths.begin());
  const auto to = static_cast<std::size_t>(shallowest - depths.begin());
  const auto move = moves_.begin();
  ask(self_, up_to_date(static_cast<queue_number>(from)), give{static_cast<queue_number>(to), queues_[to], 1, count})
      .then(
          [this, move, from, to, depths, answer](const given& g) mutable {
            moved(move, static_cast<queue_number>(from), static_cast<queue_number>(to), g);
            depths[from] = g.moved == 0 ? 0 : std::min(depths[from] - std::min(depths[from], g.moved), g.ready);
            depths[to] += g.moved;
            level(std::move(depths), std::move(answer));
          },
          [this, move, answer](const caf::error&) {
            move_ends(move);
            answer(failure{error_code::unavailable, "a queue of topic " + name_ + " did not answer"});
          });
}

}  // namespace mqlite
