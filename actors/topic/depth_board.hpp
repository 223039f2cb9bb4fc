#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "actors/operations.hpp"

namespace mqlite {

/// What a topic believes of its queues: how much may be waiting in each, and which of them starve.
///
/// **Upper bounds.** Every message that comes to a queue is known here before it can be taken; messages that leave are not
/// reported, that would be a message for each. So a queue's number is never too low, and is corrected when the queue is asked:
/// whoever wants the busiest queue asks the one with the highest bound, and takes its answer if that is not below the next highest
/// bound; otherwise that one is asked. Each question corrects a bound that departures had made wrong, so the questions cost no
/// more than the departures did.
class depth_board {
 public:
  /// Queues from 0 on; new ones are empty.
  void resize(std::size_t queues);
  std::size_t size() const noexcept { return queues_.size(); }

  /// Messages are on their way to a queue.
  void sent(queue_number queue, std::uint64_t messages);
  /// Messages of a queue wait again.
  void replenished(queue_number queue, std::uint64_t messages);
  /// A queue said what waits there, having received so many messages by then.
  void corrected(queue_number queue, std::uint64_t ready, std::uint64_t received);

  std::uint64_t bound(queue_number queue) const noexcept { return at(queue).bound; }
  /// Messages on their way to a queue that had received so many.
  std::uint64_t on_the_way(queue_number queue, std::uint64_t received) const noexcept {
    // An answer may overtake the news of a move to that queue.
    return at(queue).sent > received ? at(queue).sent - received : 0;
  }

  struct busiest_queue {
    queue_number queue;
    std::uint64_t bound;
    std::uint64_t next_bound;  ///< of the second busiest
  };
  /// Nothing when no queue but `thief` can have anything.
  std::optional<busiest_queue> busiest(queue_number thief) const;
  /// The same among the queues that are not marked.
  std::optional<busiest_queue> busiest(const std::vector<bool>& left_out) const;

  /// A queue asked in vain: it waits to be woken.
  void starves(queue_number queue);
  /// It got something, or wants nothing any more. Whether it starved.
  bool fed(queue_number queue);
  /// The queue that has starved longest and is not `except`, taken off the list.
  std::optional<queue_number> next_starving(queue_number except = any_queue);
  bool anyone_starves() const noexcept { return starving_count_ > 0; }

 private:
  struct depth {
    std::uint64_t bound = 0;
    std::uint64_t sent = 0;
    bool starving = false;
    bool listed = false;  ///< stands in starving_
  };
  template <class Skip>
  std::optional<busiest_queue> busiest_but(Skip skip) const;
  depth& at(queue_number queue) { return queues_[static_cast<std::size_t>(queue)]; }
  const depth& at(queue_number queue) const { return queues_[static_cast<std::size_t>(queue)]; }

  std::vector<depth> queues_;
  std::deque<queue_number> starving_;  ///< may name queues that were fed since
  std::size_t starving_count_ = 0;
};

}  // namespace mqlite
