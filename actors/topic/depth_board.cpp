#include "actors/topic/depth_board.hpp"

#include <utility>

namespace mqlite {

void depth_board::resize(std::size_t queues) {
  for (auto i = queues; i < queues_.size(); ++i) fed(static_cast<queue_number>(i));
  queues_.resize(queues);
}

void depth_board::sent(queue_number queue, std::uint64_t messages) {
  at(queue).bound += messages;
  at(queue).sent += messages;
}

void depth_board::replenished(queue_number queue, std::uint64_t messages) { at(queue).bound += messages; }

void depth_board::corrected(queue_number queue, std::uint64_t ready, std::uint64_t received) {
  at(queue).bound = ready + on_the_way(queue, received);
}

template <class Skip>
std::optional<depth_board::busiest_queue> depth_board::busiest_but(Skip skip) const {
  busiest_queue result{any_queue, 0, 0};
  for (std::size_t i = 0; i < queues_.size(); ++i) {
    const auto bound = queues_[i].bound;
    if (bound == 0 || skip(i)) continue;
    if (bound > result.bound) {
      result = {static_cast<queue_number>(i), bound, result.bound};
    } else if (bound > result.next_bound) {
      result.next_bound = bound;
    }
  }
  if (result.queue == any_queue) return std::nullopt;
  return result;
}

std::optional<depth_board::busiest_queue> depth_board::busiest(queue_number thief) const {
  return busiest_but([thief](std::size_t i) { return static_cast<queue_number>(i) == thief; });
}

std::optional<depth_board::busiest_queue> depth_board::busiest(const std::vector<bool>& left_out) const {
  return busiest_but([&](std::size_t i) { return i < left_out.size() && left_out[i]; });
}

void depth_board::starves(queue_number queue) {
  auto& d = at(queue);
  if (!std::exchange(d.starving, true)) ++starving_count_;
  if (!std::exchange(d.listed, true)) starving_.push_back(queue);
}

bool depth_board::fed(queue_number queue) {
  if (!std::exchange(at(queue).starving, false)) return false;
  --starving_count_;
  return true;
}

std::optional<queue_number> depth_board::next_starving(queue_number except) {
  for (auto left = starving_.size(); left > 0; --left) {
    const auto queue = starving_.front();
    starving_.pop_front();
    if (static_cast<std::size_t>(queue) >= queues_.size()) continue;
    if (queue == except && at(queue).starving) {
      starving_.push_back(queue);
      continue;
    }
    at(queue).listed = false;
    if (fed(queue)) return queue;
  }
  return std::nullopt;
}

}  // namespace mqlite
