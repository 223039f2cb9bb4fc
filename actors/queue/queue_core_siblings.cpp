#include <algorithm>
#include <iterator>

#include "actors/queue/queue_core.hpp"
#include "actors/queue/queue_snapshot.hpp"

// What a queue exchanges with its siblings, and what it drops when all of them together hold too much.
namespace mqlite {

void queue_core::arrive_stolen(std::span<carried_message> messages) {
  for (auto i = messages.size(); i-- > 0;) {
    auto& m = messages[i];
    if (holds(m.message->id())) continue;
    m.deliveries > 0 ? to_front(add(std::move(m))) : to_head(std::move(m));
  }
}

// Those at the tail that are newer step back and line up again behind them. A snapshot has lost its place in the line then.
void queue_core::take_back(std::span<carried_message> messages) {
  std::vector<entry_handle> behind;
  for (auto i = messages.size(); i-- > 0;) {
    auto& m = messages[i];
    const auto id = m.message->id();
    if (holds(id)) continue;
    const auto h = add(std::move(m));
    if (entries_[h].deliveries > 0) {
      to_front(h);
      continue;
    }
    while (line_.size() > 0) {
      const auto last = enter(line_.end() - 1);
      if (entries_[last].message->id() < id) break;
      leave(last);
      behind.push_back(last);
    }
    behind.push_back(h);
  }
  if (!behind.empty()) end_snapshot();
  std::reverse(behind.begin(), behind.end());
  for (const auto h : behind) to_tail(h);
}

carried_message queue_core::send_off_last(std::int64_t now) {
  if (line_.size() == 0) return send_off(std::prev(returned_.end())->second, now);
  const auto at = line_.end() - 1;
  if (const auto h = line_.entry_at(at); h != no_entry) return send_off(h, now);
  carried_message m{line_.message_at(at)};
  if (snapshot_) snapshot_->leaving(m.message, at);
  line_.remove(at);
  left_line();
  bytes_ -= m.message->content_size();
  return m;
}

std::vector<carried_message> queue_core::give(std::size_t count, std::int64_t now) {
  count = std::min(count, ready());
  std::vector<carried_message> given;
  given.reserve(count);
  while (given.size() < count) given.push_back(send_off_last(now));
  std::reverse(given.begin(), given.end());
  return given;
}

std::vector<entry_handle> queue_core::oldest(std::size_t most) {
  std::vector<entry_handle> found;
  auto returned = returned_.begin();
  auto arrived = line_.begin();
  auto delayed = delayed_by_age_.begin();
  while (found.size() < most) {
    const bool is_returned = returned != returned_.end();
    const auto waiting = is_returned ? returned->second : arrived == line_.end() ? no_entry : enter(arrived);
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
      arrived = line_.next(arrived + 1);
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
