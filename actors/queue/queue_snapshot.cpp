#include "actors/queue/queue_snapshot.hpp"

#include <algorithm>

#include "actors/clock.hpp"

namespace mqlite {
namespace {

// Of a lease that is over: it ends at the next start, and its message is at the front again or is buried.
constexpr std::int64_t over = 1;
// Slots that one slice looks at, for each entry that it may give.
constexpr std::size_t looks = 16;

}  // namespace

queue_snapshot::queue_snapshot(const queue_core& core)
    : core_(core),
      slots_(core.entries_.end()),
      marks_((slots_ + 63) / 64),
      cursor_(core.line_.begin()),
      last_(core.line_.end()) {}

bool queue_snapshot::next(std::size_t most, std::int64_t now, std::vector<snapshot_entry>& out) {
  switch (stage_) {
    case stage::front:
      give_front(most, now, out);
      return true;
    case stage::arrived:
      give_arrived(most, now, out);
      return true;
    case stage::others:
    case stage::done:
      break;
  }
  if (!left_.empty()) {
    const auto count = std::min(most, left_.size());
    std::move(left_.end() - static_cast<std::ptrdiff_t>(count), left_.end(), std::back_inserter(out));
    left_.resize(left_.size() - count);
    return true;
  }
  if (stage_ == stage::done) return false;
  give_others(most, now, out);
  return true;
}

// Its slot may be one that came later: those before it that did so, too, need not be given.
void queue_snapshot::entered(entry_handle h, arrival_line::position at) {
  if (given_at(at)) return added(h);
  if (h >= slots_) {
    marks_.resize(h / 64 + 1);
    while (slots_ < h) mark(slots_++);
    ++slots_;
  }
  marks_[h / 64] &= ~(std::uint64_t{1} << h % 64);
}

void queue_snapshot::leaving(const message_ptr& m, arrival_line::position at) {
  if (!given_at(at)) left_.push_back({m});
}

void queue_snapshot::leaving(entry_handle h, std::int64_t now) {
  if (!given(h)) give(h, now, left_);
}

void queue_snapshot::give(entry_handle h, std::int64_t now, std::vector<snapshot_entry>& out) {
  out.push_back(image_of(h, now));
  mark(h);
}

// -- stages -------------------------------------------------------------------------------------------------------------------

// One that returns behind the last one that was given is met here or among the others.
void queue_snapshot::give_front(std::size_t most, std::int64_t now, std::vector<snapshot_entry>& out) {
  const auto& front = core_.returned_;
  auto i = front_ ? front.upper_bound(*front_) : front.begin();
  for (auto left = most; i != front.end() && left > 0; ++i, --left) {
    front_ = i->first;
    if (!given(i->second)) give(i->second, now, out);
  }
  if (i != front.end()) return;
  stage_ = stage::arrived;
}

void queue_snapshot::give_arrived(std::size_t most, std::int64_t now, std::vector<snapshot_entry>& out) {
  const auto& line = core_.line_;
  for (auto left = most; left > 0; --left) {
    const auto at = line.next(cursor_);
    if (at >= last_) {
      stage_ = stage::others;
      return;
    }
    if (const auto h = line.entry_at(at); h == no_entry)
      out.push_back({line.message_at(at)});
    else if (!given(h))
      give(h, now, out);
    cursor_ = at + 1;
  }
}

void queue_snapshot::give_others(std::size_t most, std::int64_t now, std::vector<snapshot_entry>& out) {
  const auto full = out.size() + most;
  for (auto left = most * looks; slot_ < slots_ && left > 0 && out.size() < full; --left) {
    if (slot_ % 64 == 0 && marks_[slot_ / 64] == ~std::uint64_t{0}) {
      slot_ += 64;
      continue;
    }
    if (!given(slot_) && core_.entries_.holds(slot_)) give(slot_, now, out);
    ++slot_;
  }
  if (slot_ >= slots_) stage_ = stage::done;
}

// -- one message --------------------------------------------------------------------------------------------------------------

// What a lease promises survives a restart only if it was taken by a pull: of a subscription's nothing remains but the delivery
// count, and of an auto_ack that was not yet recorded not even that.
snapshot_entry queue_snapshot::image_of(entry_handle h, std::int64_t now) const {
  const auto& e = core_.entries_[h];
  snapshot_entry image{e.message, e.deliveries, e.unexpiring != 0, false, 0, 0};
  const bool settling = e.place() == place::settling;
  auto where = settling ? e.remembered_place() : e.place();
  auto until = settling ? e.remembered_time() : 0;
  if (where == place::leased && !settling) {
    until = core_.owner_of(h) == pulled ? core_.leased_until(h) : 0;
    if (core_.is_gone_for_limits(h)) {
      where = place::returned;
      image.deliveries -= std::min(image.deliveries, 1U);
    }
  }
  if (where == place::delayed) image.not_before = settling ? until : core_.delayed_until(h);
  if (where == place::returned) image.to_front = image.deliveries == 0;
  // A clock that stands still begins to run when the messages have reached their consumer.
  if (until == timer_heap<entry_handle>::never) until = later(now, core_.settings().ack_timeout);
  if (where == place::leased) image.leased_until = std::max(until, over);
  return image;
}

}  // namespace mqlite
