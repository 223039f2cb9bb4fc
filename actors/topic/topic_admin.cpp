#include <algorithm>
#include <numeric>
#include <utility>

#include "actors/compat.hpp"
#include "actors/log/records.hpp"
#include "actors/rules.hpp"
#include "actors/topic/topic_actor.hpp"

// Looking at a topic, and changing it.
namespace mqlite {
void topic_state::ask_all(std::function<void(std::vector<reported>)> then) {
  struct collection {
    std::vector<reported> reports;
    std::size_t outstanding;
    std::function<void(std::vector<reported>)> then;

    void one_less() {
      if (--outstanding == 0) then(std::move(reports));
    }
  };
  auto c = std::make_shared<collection>(collection{{}, queues_.size(), std::move(then)});
  for (queue_number i = 0; exists(i); ++i)
    ask(self_, up_to_date(i), report{})
        .then(
            [this, c](const reported& r) {
              if (exists(r.details.queue)) board_.corrected(r.details.queue, r.details.ready, r.received);
              c->reports.push_back(r);
              c->one_less();
            },
            [c](const caf::error&) { c->one_less(); });
}

void topic_state::on_get(command::get_topic& command) {
  ask_all([this, answer = std::move(command.answer)](std::vector<reported> reports) {
    topic_details details{name_space_, info(), settings_, dead_->size(), drain_until_ != timer_heap<int>::never,
                          {},          totals_};
    for (auto& r : reports) {
      details.totals += r.details.totals;
      details.queues.push_back(std::move(r.details));
    }
    std::sort(details.queues.begin(), details.queues.end(),
              [](const auto& a, const auto& b) { return a.queue < b.queue; });
    answer(std::move(details));
  });
}

// -- settings -----------------------------------------------------------------------------------------------------------------

std::string topic_state::record_of(std::int32_t active, std::size_t queues, const topic_settings& settings,
                                   std::uint64_t version) const {
  return records::topic_updated(id_, static_cast<std::uint32_t>(active), settings, version,
                                static_cast<std::uint32_t>(queues) - static_cast<std::uint32_t>(active));
}

// Changes are in force once they are recorded, and one at a time: each begins with what the last one has made of the topic.
void topic_state::change(std::function<void()> begin) {
  changes_.push_back(std::move(begin));
  if (changes_.size() == 1) begin_change();
}

void topic_state::begin_change() {
  const auto begin = changes_.front();  // a copy: it may be over, and gone from the list, before it returns
  begin();
}

void topic_state::change_done() {
  changes_.pop_front();
  if (!changes_.empty()) return begin_change();
  drop_drained();
}

void topic_state::on_update(command::update_topic& command) {
  change([this, patch = command.settings, answer = std::move(command.answer)] {
    auto changed = settings_;
    patch.apply_to(changed);
    if (auto problem = bad_settings(changed)) {
      answer(std::move(*problem));
      return change_done();
    }
    log_.append(record_of(active_, queues_.size(), changed, version_), durability::promised,
                [this, changed, answer](const failure* problem) {
                  if (problem == nullptr) {
                    settings_ = changed;
                    for (queue_number i = 0; exists(i); ++i) tell(up_to_date(i), event::settings_changed{settings_});
                    answer(done{});
                    // Once each queue has told what it released: that it did not before counts as held.
                    ask_all([this](const std::vector<reported>&) { drop_overflow(); });
                  } else {
                    answer(*problem);
                  }
                  change_done();
                });
  });
}

// -- resizing -----------------------------------------------------------------------------------------------------------------

void topic_state::add_queue(std::shared_ptr<queue_core> core) {
  queue_birth birth{id_,
                    static_cast<queue_number>(queues_.size()),
                    queues_.empty(),
                    caf::actor_cast<topic_actor>(self_),
                    settings_,
                    std::move(core)};
  if (queues_.size() == 1) tell(up_to_date(0), event::has_siblings{});
  const auto held = birth.core ? birth.core->size() : 0;
  queues_.push_back(spawn_state<queue_actor, queue_state>(self_->home_system(), env_, std::move(birth)));
  had_queues_ = std::max(had_queues_, static_cast<std::int64_t>(queues_.size()));
  board_.resize(queues_.size());
  outbox_.resize(queues_.size());
  board_.replenished(static_cast<queue_number>(queues_.size() - 1), held);
}

void topic_state::on_resize(command::resize_topic& command) {
  change([this, count = command.queue_count, answer = std::move(command.answer)] {
    if (!begin_resize(count, answer)) change_done();
  });
}

// False when there is nothing to wait for.
bool topic_state::begin_resize(std::int64_t count, const reply<resized>& answer) {
  if (count < 1 || count > most_queues) {
    answer(failure{error_code::invalid_argument, "`new_queue_count` must be from 1 to " + std::to_string(most_queues)});
    return false;
  }
  if (drain_until_ != timer_heap<int>::never) {
    answer(failure{error_code::failed_precondition, "topic " + name_ + " is still draining queues of its last resize"});
    return false;
  }
  const auto active = static_cast<std::int32_t>(count);
  if (active == active_) {
    answer(resized{active_, version_, false});
    return false;
  }
  const auto queues = std::max(queues_.size(), static_cast<std::size_t>(active));
  log_.append(record_of(active, queues, settings_, version_ + 1), durability::promised,
              [this, active, answer](const failure* problem) {
                if (problem == nullptr) {
                  resize_to(active);
                  answer(resized{active_, version_, drain_until_ != timer_heap<int>::never});
                } else {
                  answer(*problem);
                }
                change_done();
              });
  return true;
}

void topic_state::resize_to(std::int32_t active) {
  active_ = active;
  ++version_;
  while (static_cast<std::int32_t>(queues_.size()) < active_) add_queue(nullptr);
  if (static_cast<std::int32_t>(queues_.size()) == active_) return;
  drain_until_ = later(env_->clock->now(), env_->drain_timeout);
  for (auto i = active_; exists(i); ++i) tell(up_to_date(i), event::drain{});
  arm();
}

// Time is up: what is left in the queues that go is dealt to those that stay.
void topic_state::end_drain() {
  drain_until_ =
      later(env_->clock->now(), std::chrono::seconds(1));  // and again, should something have been in the way
  if (holding_moves() || std::exchange(surrendering_, true)) return;
  surrender request;
  for (std::int32_t i = 0; i < active_; ++i) {
    request.numbers.push_back(i);
    request.heirs.push_back(up_to_date(i));
  }
  surrender_from(active_, std::move(request));
}

// One after another, and one round at a time: a heir is to get what they give in the order in which the log has it.
void topic_state::surrender_from(queue_number queue, surrender request) {
  if (!exists(queue)) {
    surrendering_ = false;
    return;
  }
  const auto move = moves_.begin();
  ask(self_, up_to_date(queue), request)
      .then(
          [this, move, queue, request](const surrendered& answer) {
            for (std::size_t heir = 0; heir < answer.moved.size(); ++heir) {
              board_.sent(static_cast<queue_number>(heir), answer.moved[heir]);
              board_.fed(static_cast<queue_number>(heir));
            }
            surrender_from(queue + 1, request);
            move_ends(move);
            const auto all = std::accumulate(answer.moved.begin(), answer.moved.end(), std::uint64_t{0});
            wake_starving(all);
            sweep_again(all);
          },
          [this, move, queue, request](const caf::error&) {
            surrender_from(queue + 1, request);
            move_ends(move);
          });
}

void topic_state::on_drained(const event::drained& event) {
  if (drain_until_ == timer_heap<int>::never || event.queue < active_ || !exists(event.queue)) return;
  if (board_.on_the_way(event.queue, event.received) > 0) return;  // it will be filled again
  drained_[event.queue] = event.totals;
  drop_drained();
}

// Not while messages are on their way between queues: they may be on their way to one of these.
void topic_state::drop_drained() {
  // Nor while a snapshot is taken: what has left a queue before its turn may still be in its keeping.
  // Nor during a change: what is recorded now would undo it at a start.
  if (snapshot_ != snapshot_stage::none || !changes_.empty()) return;
  if (drained_.empty() || moves_.any() || drained_.size() < queues_.size() - static_cast<std::size_t>(active_)) return;
  for (const auto& [queue, totals] : drained_) totals_ += totals;
  drained_.clear();
  for (auto i = active_; exists(i); ++i) tell(up_to_date(i), event::dropped{});
  queues_.resize(static_cast<std::size_t>(active_));
  board_.resize(queues_.size());
  outbox_.resize(queues_.size());
  drain_until_ = timer_heap<int>::never;
  log_.append(record_of(active_, queues_.size(), settings_, version_), durability::written, [](const failure*) {});
}

}  // namespace mqlite
