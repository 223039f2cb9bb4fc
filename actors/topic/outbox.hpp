#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "actors/messages.hpp"

namespace mqlite {

/// Stored messages on their way from a topic to its queues. A publish that names a hundred queues would be a hundred actor
/// messages, each dearer than all else that is done for what it carries; so a queue that has plenty gets its messages by the
/// batch. Nobody misses what waits here: the queue has others to give out before, says when they have run out, and is sent what
/// waits ahead of anything that is asked of it.
class outbox {
 public:
  using batch = std::vector<event::arrival>;

  /// Messages for a queue that has plenty go in batches of `full`.
  explicit outbox(std::size_t full) : full_(full) {}

  /// Queues from 0 on; new ones do not have plenty.
  void resize(std::size_t queues) {
    for (auto i = lanes_.size(); i < queues; ++i) lanes_.push_back({{}, full_ - i % full_});
    lanes_.resize(queues);
  }

  void set_plenty(queue_number queue, bool plenty) { at(queue).plenty = plenty; }

  /// A message for a queue's tail. Where it is `urgent` it must be there in time, and so must what comes before it.
  void add(queue_number queue, event::arrival a, bool urgent) {
    auto& lane = at(queue);
    if (lane.plenty && lane.waiting.empty()) lane.waiting.reserve(lane.left);
    lane.waiting.push_back(std::move(a));
    if (--lane.left == 0)
      lane.left = full_;
    else if (lane.plenty && !urgent)
      return;
    if (!std::exchange(lane.due, true)) due_.push_back(queue);
  }

  bool empty(queue_number queue) const noexcept { return at(queue).waiting.empty(); }

  /// What waits for a queue, to be sent now.
  batch take(queue_number queue) {
    at(queue).due = false;
    return std::exchange(at(queue).waiting, {});
  }

  /// The queues to which what waits for them has to be sent now.
  std::vector<queue_number> take_due() { return std::exchange(due_, {}); }

 private:
  struct lane {
    batch waiting;
    /// Messages until a batch goes, whether or not one was sent early. At first each queue has another number, so that the batches
    /// of queues that get messages in turn do not all go at the same moment.
    std::size_t left;
    bool plenty = false;
    bool due = false;  ///< stands in due_
  };
  lane& at(queue_number queue) { return lanes_[static_cast<std::size_t>(queue)]; }
  const lane& at(queue_number queue) const { return lanes_[static_cast<std::size_t>(queue)]; }

  std::size_t full_;
  std::vector<lane> lanes_;
  std::vector<queue_number> due_;
};

}  // namespace mqlite
