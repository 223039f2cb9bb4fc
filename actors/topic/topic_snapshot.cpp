#include "actors/compat.hpp"
#include "actors/log/records.hpp"
#include "actors/topic/topic_actor.hpp"

// A topic's part in a rewrite of the log.
//
//   rewriter                   topic                      queues
//     | -- begin_snapshot ---> |   moves that are under way come to their end, new ones wait;
//     |                        |   an append of nothing: whatever was recorded is in force
//     |                        | -- begin_snapshot ---> |   the same for what the queue has recorded
//     |                        | <----------- begun --- |   from here on it keeps for the snapshot what moves away
//     | <------ its record --- |   moves go on
//     | -- next_slice ------------------------------> |   again and again, one queue after another
//     | -- next_slice -------> |   the dead letters
//     | -- snapshot_over ----> |
//
// When the queues have begun, no message is on its way from one place to another: each is in one queue, or a dead letter, and that
// one gives it to the snapshot, wherever it goes afterwards. The records of all that happens afterwards are in the new log file.
namespace mqlite {
namespace {

constexpr std::size_t slice_size = 2'000;

}  // namespace

caf::result<topic_snapshot> topic_state::on_begin_snapshot() {
  end_snapshot();  // one that its rewriter has left behind
  snapshot_ = snapshot_stage::beginning;
  auto promise = self_->make_response_promise<topic_snapshot>();
  when_moves_are_over_ = [this, number = ++snapshots_, promise] { pass_barrier(number, promise); };
  if (!moves_.any()) std::exchange(when_moves_are_over_, nullptr)();
  return promise;
}

void topic_state::pass_barrier(std::uint64_t number, snapshot_promise promise) {
  log_.append({}, durability::promised, [this, number, promise](const failure* problem) {
    if (problem != nullptr) return refuse_snapshot(number, promise, *problem);
    ask_queues(number, promise);
  });
}

void topic_state::ask_queues(std::uint64_t number, snapshot_promise promise) {
  if (number != snapshots_ || !holding_moves())
    return refuse_snapshot(number, promise, {error_code::unavailable, "the rewrite was given up"});
  struct progress {
    std::size_t outstanding;
    std::optional<failure> problem;
  };
  auto p = std::make_shared<progress>(progress{queues_.size(), std::nullopt});
  auto one_less = [this, p, number, promise, queues = queues_]() mutable {
    if (--p->outstanding > 0) return;
    if (!p->problem && (number != snapshots_ || !holding_moves()))
      p->problem = failure{error_code::unavailable, "the rewrite was given up"};
    if (p->problem) return refuse_snapshot(number, promise, std::move(*p->problem));
    snapshot_ = snapshot_stage::listing;
    dead_->begin_snapshot();
    const auto draining = static_cast<std::uint32_t>(queues_.size()) - static_cast<std::uint32_t>(active_);
    promise.deliver(
        topic_snapshot{std::nullopt, id_,
                       records::topic_created(id_, name_space_, name_, static_cast<std::uint32_t>(active_), settings_,
                                              version_, draining, static_cast<std::uint32_t>(had_queues_)),
                       std::move(queues)});
    release_moves();
  };
  for (queue_number i = 0; exists(i); ++i)
    ask(self_, up_to_date(i), begin_snapshot{})
        .then(
            [p, one_less](queue_snapshot_begun& begun) mutable {
              if (begun.problem) p->problem = std::move(begun.problem);
              one_less();
            },
            [p, one_less](const caf::error&) mutable {
              p->problem = failure{error_code::unavailable, "a queue did not answer"};
              one_less();
            });
}

void topic_state::refuse_snapshot(std::uint64_t number, snapshot_promise promise, failure why) {
  promise.deliver(topic_snapshot{std::move(why), id_, {}, {}});
  if (number == snapshots_) end_snapshot();
}

dead_slice topic_state::on_next_slice() {
  dead_slice slice;
  slice.valid = snapshot_ == snapshot_stage::listing;
  slice.last = !dead_->next_slice(slice_size, slice.letters);
  return slice;
}

void topic_state::end_snapshot() {
  if (snapshot_ == snapshot_stage::none) return;
  snapshot_ = snapshot_stage::none;
  when_moves_are_over_ = nullptr;
  dead_->end_snapshot();
  for (const auto& queue : queues_) tell(queue, event::snapshot_over{});
  release_moves();
  drop_drained();
}

void topic_state::release_moves() {
  for (const auto& move : std::exchange(held_moves_, {})) move();
}

}  // namespace mqlite
