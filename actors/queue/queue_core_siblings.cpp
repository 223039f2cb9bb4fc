#include <algorithm>
#include <iterator>

#include "actors/queue/queue_core.hpp"

// What a queue exchanges with its siblings, and what it drops when all of them together hold too much.
namespace mqlite {

void queue_core::arrive_stolen(std::span<carried_message> messages) {
  const auto behind = head_;
  const auto last = tail_;
  if (behind != no_entry) {
    head_ = tail_ = no_entry;
  }
  for (auto& m : messages) {
    if (holds(m.message->id())) continue;
    const auto h = add(std::move(m));
    if (entries_[h].deliveries > 0) {
      to_front(h);
    } else {
      to_tail(h);
    }
  }
  if (behind == no_entry) return;
  entries_[behind].prev = tail_;
  (tail_ == no_entry ? head_ : entries_[tail_].next) = behind;
  tail_ = last;
}

void queue_core::take_back(std::span<carried_message> messages) {
  auto before = tail_;
  for (auto i = messages.size(); i-- > 0;) {
    auto& m = messages[i];
    const auto id = m.message->id();
    if (holds(id)) continue;
    const auto h = add(std::move(m));
    if (entries_[h].deliveries > 0) {
      to_front(h);
      continue;
    }
    while (before != no_entry && entries_[before].message->id() > id) before = entries_[before].prev;
    insert_behind(before, h);
  }
}

std::vector<carried_message> queue_core::give(std::size_t count, std::int64_t now) {
  count = std::min(count, ready());
  std::vector<carried_message> given;
  given.reserve(count);
  while (given.size() < count)
    given.push_back(send_off(arrived_ > 0 ? tail_ : std::prev(returned_.end())->second, now));
  std::reverse(given.begin(), given.end());
  return given;
}

std::vector<entry_handle> queue_core::oldest(std::size_t most) const {
  std::vector<entry_handle> found;
  auto returned = returned_.begin();
  auto arrived = head_;
  auto delayed = delayed_by_age_.begin();
  while (found.size() < most) {
    const bool is_returned = returned != returned_.end();
    const auto waiting = is_returned ? returned->second : arrived;
    const bool has_delayed = delayed != delayed_by_age_.end();
    if (waiting == no_entry && !has_delayed) break;
    if (waiting == no_entry || (has_delayed && delayed->first < entries_[waiting].message->id())) {
      found.push_back((delayed++)->second);
      continue;
    }
    found.push_back(waiting);
    if (is_returned)
      ++returned;
    else
      arrived = entries_[arrived].next;
  }
  return found;
}

std::vector<burial> queue_core::drop_oldest(std::size_t count, const message_id& through) {
  std::vector<burial> dropped;
  for (const auto h : oldest(count)) {
    if (entries_[h].message->id() > through) break;
    const auto where = entries_[h].place();
    const auto until = where == place::delayed ? delayed_until(h) : 0;
    leave(h);
    to_settling(h, where == place::delayed ? where : place::arrived, until);
    dropped.push_back({h, dead_reason::overflow});
  }
  return dropped;
}

}  // namespace mqlite
