#include "actors/queue/consumers.hpp"

#include <algorithm>
#include <utility>

namespace mqlite {
namespace {

// Bytes that may be on their way to one subscriber: enough to keep a socket busy, little enough for a thousand slow readers.
constexpr std::uint64_t most_unconfirmed = 512 * 1024;

}  // namespace

// -- waiters ------------------------------------------------------------------------------------------------------------------

void waiter_list::add(command::consume command, std::int64_t until) {
  waiters_.push_back({std::move(command), until, 0});
  const auto at = std::prev(waiters_.end());
  if (until == 0) {
    ++impatient_;
  } else {
    at->timer = timers_.add(until, at);
  }
  if (at->command.consumer != 0) by_consumer_[at->command.consumer] = at;
}

waiter_list::waiter waiter_list::take(position at) {
  if (at->until == 0) {
    --impatient_;
  } else {
    timers_.remove(at->timer);
  }
  if (at->command.consumer != 0) by_consumer_.erase(at->command.consumer);
  auto result = std::move(*at);
  waiters_.erase(at);
  return result;
}

waiter_list::waiter waiter_list::pop() { return take(waiters_.begin()); }

void waiter_list::cancel(std::uint64_t consumer) {
  if (const auto found = by_consumer_.find(consumer); found != by_consumer_.end()) take(found->second);
}

std::vector<waiter_list::waiter> waiter_list::due(std::int64_t now) {
  std::vector<waiter> result;
  while (timers_.next() <= now) result.push_back(take(timers_[timers_.first()]));
  return result;
}

std::vector<waiter_list::waiter> waiter_list::impatient() {
  std::vector<waiter> result;
  for (auto i = waiters_.begin(); impatient_ > 0;) {
    const auto at = i++;
    if (at->until == 0) result.push_back(take(at));
  }
  return result;
}

// -- subscribers --------------------------------------------------------------------------------------------------------------

std::size_t subscriber_ring::subscriber::room() const noexcept {
  return unconfirmed >= most_unconfirmed || in_flight >= window ? 0 : window - in_flight;
}

std::uint64_t subscriber_ring::subscriber::room_bytes() const noexcept {
  return unconfirmed >= most_unconfirmed ? 0 : most_unconfirmed - unconfirmed;
}

void subscriber_ring::add(std::uint64_t id, subscriber s) {
  auto& added = subscribers_[id] = std::move(s);
  stand_in_line(id, added);
}

bool subscriber_ring::remove(std::uint64_t id) { return subscribers_.erase(id) > 0; }

subscriber_ring::subscriber* subscriber_ring::find(std::uint64_t id) {
  const auto found = subscribers_.find(id);
  return found == subscribers_.end() ? nullptr : &found->second;
}

void subscriber_ring::stand_in_line(std::uint64_t id, subscriber& s) {
  if (s.listed || s.room() == 0) return;
  s.listed = true;
  line_.push_back(id);
}

void subscriber_ring::freed(std::uint64_t id, std::size_t messages, std::uint64_t bytes) {
  auto* s = find(id);
  if (s == nullptr) return;
  s->in_flight -= std::min(messages, s->in_flight);
  s->unconfirmed -= std::min(bytes, s->unconfirmed);
  stand_in_line(id, *s);
}

// Those who went, or whose windows are full, leave the line here.
bool subscriber_ring::hungry() {
  while (!line_.empty()) {
    auto* s = find(line_.front());
    if (s != nullptr && s->room() > 0) return true;
    if (s != nullptr) s->listed = false;
    line_.pop_front();
  }
  return false;
}

std::uint64_t subscriber_ring::next() {
  const auto id = line_.front();
  line_.pop_front();
  line_.push_back(id);
  return id;
}

}  // namespace mqlite
