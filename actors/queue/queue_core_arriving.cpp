#include <algorithm>

#include "actors/queue/queue_core.hpp"
#include "actors/queue/queue_snapshot.hpp"

// How messages come into a queue, which of them get an entry, and how they are found.
namespace mqlite {

// -- arriving -----------------------------------------------------------------------------------------------------------------

void queue_core::arrive(carried_message message, std::int64_t not_before, std::int64_t now) {
  if (holds(message.message->id())) return;
  if (not_before > now) {
    to_delayed(add(std::move(message)), not_before);
  } else if (message.deliveries > 0) {
    to_front(add(std::move(message)));
  } else {
    to_tail(std::move(message));
  }
}

// -- standing in line ---------------------------------------------------------------------------------------------------------

void queue_core::count(const message& m) noexcept {
  bytes_ += m.content_size();
  newest_ = std::max(newest_, m.id());
}

entry_handle queue_core::add(carried_message m) {
  count(*m.message);
  const auto h = entries_.add(std::move(m.message));
  entries_[h].deliveries = std::min(m.deliveries, most_deliveries);
  entries_[h].unexpiring = m.unexpiring;
  index_.insert(h);
  if (snapshot_) snapshot_->added(h);
  return h;
}

entry_handle queue_core::enter(arrival_line::position at) {
  if (const auto h = line_.entry_at(at); h != no_entry) return h;
  const auto h = entries_.add({});
  entries_[h].message = line_.replace(at, h);
  entries_[h].place(place::arrived);
  entries_[h].position(at);
  index_.insert(h);
  if (snapshot_) snapshot_->entered(h, at);
  return h;
}

bool queue_core::may_stand_alone(const carried_message& m) const noexcept {
  return m.deliveries == 0 && !m.unexpiring && m.message->expires_at() == 0 && settings_.message_ttl.count() == 0;
}

void queue_core::to_tail(carried_message m) {
  if (!may_stand_alone(m) || !line_.in_order_last(m.message->id())) return to_tail(add(std::move(m)));
  count(*m.message);
  line_.push_back(std::move(m.message));
}

void queue_core::to_head(carried_message m) {
  if (!may_stand_alone(m) || !line_.in_order_first(m.message->id())) {
    const auto h = add(std::move(m));
    return to_line(h, line_.push_front(h));
  }
  count(*m.message);
  line_.push_front(std::move(m.message));
}

void queue_core::to_line(entry_handle h, arrival_line::position at) {
  entries_[h].place(place::arrived);
  entries_[h].position(at);
  watch_expiry(h);
}

void queue_core::left_line() {
  if (snapshot_) snapshot_->line_is(line_.begin(), line_.end());
}

// -- finding ------------------------------------------------------------------------------------------------------------------

entry_handle queue_core::find(const message_id& id) {
  if (const auto h = index_.find(id); h != no_entry) return h;
  const auto at = line_.find(id);
  return at == arrival_line::nowhere ? no_entry : enter(at);
}

// Most that arrive are newer than all that were ever here.
bool queue_core::holds(const message_id& id) const noexcept {
  return id <= newest_ && (index_.find(id) != no_entry || line_.find(id) != arrival_line::nowhere);
}

}  // namespace mqlite
