#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "actors/messages.hpp"

namespace mqlite {

/// Stored messages on their way from a topic to its queues. A publish that names a hundred queues would be a hundred actor messages,
/// each dearer than all else that is done for what it carries; so a queue that has plenty gets its messages by the batch. Nobody misses
/// what waits here: the queue has others to give out before, says when these run out, and is sent what waits ahead of anything
/// that is asked of it.
class outbox {
 public:
  using batch = std::vector<event::arrival>;

  /// Messages for a queue that has plenty go when they are `full`, which is 2 or more.
  explicit outbox(std::size_t full) : full_(full) {}

  /// Queues from 0 on; new ones do not have plenty.
  void resize(std::size_t queues) { lanes_.resize(queues); }

  /// A queue has plenty, or not any more. Its first batch is of another size than its neighbours': where messages go to all queues
  /// in turn, their batches do not go at the same moment then.
  void has_plenty(queue_number queue, bool plenty) {
    at(queue).enough = plenty ? full_ - static_cast<std::size_t>(queue) % (full_ - 1) : 1;
  }

  /// A message for a queue's tail. Where it is `urgent` it must be there in time, and so must what comes before it.
  void add(queue_number queue, event::arrival a, bool urgent) {
    auto& lane = at(queue);
    lane.waiting.push_back(std::move(a));
    if (!urgent && lane.waiting.size() < lane.enough) return;
    if (!std::exchange(lane.due, true)) due_.push_back(queue);
  }

  bool empty(queue_number queue) const noexcept { return at(queue).waiting.empty(); }

  /// What waits for a queue, to be sent now.
  batch take(queue_number queue) {
    auto& lane = at(queue);
    lane.due = false;
    if (lane.enough > 1) lane.enough = full_;
    return std::exchange(lane.waiting, {});
  }

  /// The queues to which what waits for them has to be sent now.
  std::vector<queue_number> take_due() { return std::exchange(due_, {}); }

 private:
  struct lane {
    batch waiting;
    std::size_t enough = 1;  ///< so many are sent; more than 1 where the queue has plenty
    bool due = false;        ///< stands in due_
  };
  lane& at(queue_number queue) { return lanes_[static_cast<std::size_t>(queue)]; }
  const lane& at(queue_number queue) const { return lanes_[static_cast<std::size_t>(queue)]; }

  std::size_t full_;
  std::vector<lane> lanes_;
  std::vector<queue_number> due_;
};

}  // namespace mqlite
