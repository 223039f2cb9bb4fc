#include "actors/queue/queue_core.hpp"

#include "actors/queue/queue_snapshot.hpp"

#include <algorithm>
#include <iterator>
#include <tuple>

namespace mqlite {
namespace {

constexpr auto never = timer_heap<entry_handle>::never;
// A message is fetched from memory while so many before it are taken.
constexpr arrival_line::position prefetched = 8;

}  // namespace

// -- places -------------------------------------------------------------------------------------------------------------------

void queue_core::to_front(entry_handle h) {
  entries_[h].place(place::returned);
  returned_.emplace(entries_[h].message->id(), h);
  watch_expiry(h);
}

void queue_core::to_delayed(entry_handle h, std::int64_t until) {
  entries_[h].place(place::delayed);
  entries_[h].slot = delays_.add(until, h);
  if (drops_oldest()) delayed_by_age_.emplace(entries_[h].message->id(), h);
  watch_expiry(h);
}

void queue_core::to_leased(entry_handle h, std::int64_t until, lease_owner owner, std::uint64_t batch,
                           bool gone_for_limits) {
  const auto slot = leases_.add(until, lease{h, owner, batch, gone_for_limits, no_entry, no_entry});
  entries_[h].place(place::leased);
  entries_[h].slot = slot;
  if (owner == pulled) return;
  const auto [first, added] = owners_.try_emplace(owner, slot);
  if (added) return;
  leases_[slot].next = first->second;
  leases_[first->second].prev = slot;
  first->second = slot;
}

void queue_core::end_lease(entry_handle h) {
  const auto l = leases_.remove(entries_[h].slot);
  if (l.owner == pulled) return;
  freed_.push_back(l.owner);
  if (l.next != no_entry) leases_[l.next].prev = l.prev;
  if (l.prev != no_entry) {
    leases_[l.prev].next = l.next;
  } else if (l.next != no_entry) {
    owners_[l.owner] = l.next;
  } else {
    owners_.erase(l.owner);
  }
}

// Takes an entry out of the place where it is; the caller puts it into another.
void queue_core::leave(entry_handle h) {
  if (waits(h)) forget_expiry(h);
  switch (entries_[h].place()) {
    case place::arrived:
      line_.remove(entries_[h].position());
      left_line();
      break;
    case place::returned:
      returned_.erase(entries_[h].message->id());
      break;
    case place::delayed:
      delays_.remove(entries_[h].slot);
      if (!delayed_by_age_.empty()) delayed_by_age_.erase(entries_[h].message->id());
      break;
    case place::leased:
      end_lease(h);
      break;
    case place::settling:
      --settling_;
      break;
    case place::none:
      break;
  }
  entries_[h].place(place::none);
}

bool queue_core::waits(entry_handle h) const noexcept {
  const auto where = entries_[h].place();
  return where == place::arrived || where == place::returned || where == place::delayed;
}

// -- delivering ---------------------------------------------------------------------------------------------------------------

std::vector<entry_handle> queue_core::take(std::size_t most, std::uint64_t most_bytes, lease_owner owner,
                                           std::uint64_t batch) {
  std::vector<entry_handle> taken;
  std::uint64_t bytes = 0;
  taken.reserve(std::min(most, ready()));
  while (taken.size() < most && ready() > 0 && (taken.empty() || bytes < most_bytes)) {
    line_.prefetch(line_.begin() + prefetched);  // in a deep queue it is cold
    const auto h = returned_.empty() ? enter(line_.begin()) : returned_.begin()->second;
    leave(h);
    to_leased(h, never, owner, batch, false);
    if (entries_[h].deliveries < most_deliveries) entries_[h].deliveries = entries_[h].deliveries + 1;
    bytes += entries_[h].message->footprint();
    taken.push_back(h);
  }
  return taken;
}

entry_handle queue_core::find_leased(const message_id& id, std::uint64_t batch) const noexcept {
  const auto h = index_.find(id);
  if (h == no_entry || entries_[h].place() != place::leased || leases_[entries_[h].slot].batch != batch)
    return no_entry;
  return h;
}

void queue_core::undo_delivery(entry_handle h) {
  leave(h);
  if (entries_[h].deliveries > 0) entries_[h].deliveries = entries_[h].deliveries - 1;
  to_front(h);
}

std::optional<burial> queue_core::fail_delivery(entry_handle h, std::int64_t now, std::int64_t not_before) {
  leave(h);
  if (settings_.max_deliveries > 0 && entries_[h].deliveries >= settings_.max_deliveries)
    return to_bury(h, dead_reason::max_deliveries, place::leased);
  if (expiry_of(h) <= now) return to_bury(h, dead_reason::expired, place::leased);
  if (not_before > now) {
    to_delayed(h, not_before);
  } else {
    to_front(h);
  }
  return std::nullopt;
}

std::vector<entry_handle> queue_core::leases_of(lease_owner owner) const {
  std::vector<entry_handle> result;
  const auto first = owners_.find(owner);
  if (first == owners_.end()) return result;
  for (auto slot = first->second; slot != no_entry; slot = leases_[slot].next) result.push_back(leases_[slot].entry);
  return result;
}

// -- settling -----------------------------------------------------------------------------------------------------------------

queue_core::settled_from queue_core::settle(entry_handle h) {
  settled_from before{h, entries_[h].place(), never, pulled, 0, false};
  if (before.place == place::leased) {
    before.when = leased_until(h);
    before.owner = owner_of(h);
    before.batch = leases_[entries_[h].slot].batch;
    before.gone_for_limits = is_gone_for_limits(h);
  } else if (before.place == place::delayed) {
    before.when = delayed_until(h);
  }
  leave(h);
  // What belongs to a subscription, or was handed over with auto_ack, does not outlive the process: it is over.
  const bool passing = before.place == place::leased && (before.owner != pulled || before.gone_for_limits);
  to_settling(h, before.place, passing ? 0 : before.when);
  return before;
}

void queue_core::to_settling(entry_handle h, place before, std::int64_t until) {
  entries_[h].place(place::settling);
  entries_[h].remember(before, until);
  ++settling_;
}

carried_message queue_core::remove(entry_handle h) {
  leave(h);
  index_.remove(h);
  carried_message result{entries_[h].message, entries_[h].deliveries, entries_[h].unexpiring != 0};
  bytes_ -= result.message->content_size();
  entries_.remove(h);
  return result;
}

void queue_core::restore(const settled_from& before) {
  const auto h = before.entry;
  leave(h);
  if (before.place == place::leased) {
    to_leased(h, before.when, before.owner, before.batch, before.gone_for_limits);
  } else if (before.place == place::delayed) {
    to_delayed(h, before.when);
  } else {
    to_front(h);
  }
}

burial queue_core::to_bury(entry_handle h, dead_reason reason, place before) {
  to_settling(h, before, 0);
  return {h, reason};
}

carried_message queue_core::send_off(entry_handle h, std::int64_t now) {
  if (snapshot_) snapshot_->leaving(h, now);
  return remove(h);
}

// -- time ---------------------------------------------------------------------------------------------------------------------

std::int64_t queue_core::expiry_of(entry_handle h) const noexcept {
  const auto& m = *entries_[h].message;
  if (entries_[h].unexpiring) return never;
  const auto own = m.expires_at() == 0 ? never : m.expires_at();
  if (settings_.message_ttl.count() == 0) return own;
  const auto published = m.id().timestamp();
  const auto ttl = settings_.message_ttl.count();
  return std::min(own, published > never - ttl ? never : published + ttl);
}

void queue_core::watch_expiry(entry_handle h) {
  const auto when = expiry_of(h);
  if (when != never) expiries_.emplace(when, h);
}

void queue_core::forget_expiry(entry_handle h) {
  if (!expiries_.empty()) expiries_.erase({expiry_of(h), h});
}

void queue_core::settings(const topic_settings& settings) {
  const bool same_ttl = settings.message_ttl == settings_.message_ttl;
  settings_ = settings;
  delayed_by_age_.clear();
  if (drops_oldest())
    delays_.each([this](std::int64_t, entry_handle h) { delayed_by_age_.emplace(entries_[h].message->id(), h); });
  if (same_ttl) return;
  expiries_.clear();
  if (settings_.message_ttl.count() > 0)
    for (auto p = line_.begin(); p != line_.end(); p = line_.next(p + 1)) enter(p);
  entries_.each([this](entry_handle h, const entry&) {
    if (waits(h)) watch_expiry(h);
  });
}

std::int64_t queue_core::next_due() const noexcept {
  const auto expiry = expiries_.empty() ? never : expiries_.begin()->first;
  return std::min({leases_.next(), delays_.next(), expiry});
}

void queue_core::end_delays(std::int64_t now) {
  if (delays_.next() > now) return;
  std::vector<std::pair<std::int64_t, entry_handle>> ended;
  while (delays_.next() <= now) {
    const auto h = delays_[delays_.first()];
    ended.emplace_back(delayed_until(h), h);
    if (snapshot_) snapshot_->leaving(h, now);  // as delayed: what has come since stands before it
    leave(h);
  }
  std::sort(ended.begin(), ended.end(), [this](const auto& a, const auto& b) {
    return std::tie(a.first, entries_[a.second].message->id()) < std::tie(b.first, entries_[b.second].message->id());
  });
  for (const auto& [when, h] : ended) entries_[h].deliveries > 0 ? to_front(h) : to_tail(h);
}

queue_core::due_messages queue_core::due(std::int64_t now) {
  due_messages result;
  while (leases_.next() <= now) {
    ++result.timed_out;
    if (auto b = fail_delivery(leases_[leases_.first()].entry, now)) result.burials.push_back(*b);
  }
  end_delays(now);
  while (!expiries_.empty() && expiries_.begin()->first <= now) {
    const auto h = expiries_.begin()->second;
    leave(h);
    result.burials.push_back(to_bury(h, dead_reason::expired, place::arrived));
  }
  return result;
}

// -- snapshots ----------------------------------------------------------------------------------------------------------------

void queue_core::begin_snapshot() { snapshot_ = std::make_shared<queue_snapshot>(*this); }

bool queue_core::next_slice(std::size_t most, std::int64_t now, std::vector<snapshot_entry>& out) {
  if (!snapshot_) return false;
  if (snapshot_->next(most, now, out)) return true;
  snapshot_ = nullptr;
  return false;
}

// -- looking ------------------------------------------------------------------------------------------------------------------

namespace {

// The first `most` of them by time.
template <class Timers, class EntryOf>
std::vector<entry_handle> first_due(const Timers& timers, std::size_t most, EntryOf entry_of) {
  std::vector<std::pair<std::int64_t, entry_handle>> all;
  all.reserve(timers.size());
  timers.each([&](std::int64_t when, const auto& value) { all.emplace_back(when, entry_of(value)); });
  const auto count = std::min(most, all.size());
  std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(count), all.end());
  std::vector<entry_handle> result;
  for (std::size_t i = 0; i < count; ++i) result.push_back(all[i].second);
  return result;
}

}  // namespace

std::vector<entry_handle> queue_core::leased_entries(std::size_t most) const {
  return first_due(leases_, most, [](const lease& l) { return l.entry; });
}

std::vector<entry_handle> queue_core::delayed_entries(std::size_t most) const {
  return first_due(delays_, most, [](entry_handle h) { return h; });
}

std::vector<entry_handle> queue_core::all() {
  std::vector<entry_handle> result;
  result.reserve(size());
  for (const auto& [id, h] : returned_) result.push_back(h);
  for (auto p = line_.begin(); p != line_.end(); p = line_.next(p + 1)) result.push_back(enter(p));
  entries_.each([&](entry_handle h, const entry& e) {
    if (e.place() != place::arrived && e.place() != place::returned) result.push_back(h);
  });
  return result;
}

}  // namespace mqlite
