#include "actors/queue/arrival_line.hpp"

#include <algorithm>
#include <utility>

namespace mqlite {

arrival_line::~arrival_line() {
  for (const auto& b : blocks_)
    for (const auto c : b->places)
      if (is_alone(c)) message_ptr::adopt(address(c));
}

// -- blocks -------------------------------------------------------------------------------------------------------------------

// One is kept in reserve: a line that is empty again and again would else allocate all the time.
std::unique_ptr<arrival_line::block> arrival_line::new_block(std::uint64_t number) {
  auto b = spare_ ? std::exchange(spare_, nullptr) : std::make_unique<block>();
  b->number = number;
  b->after = {};
  return b;
}

// Mostly the first or the last; else, where none between them has gone, as many behind the first as its number is higher.
arrival_line::block_list::const_iterator arrival_line::block_of(std::uint64_t number) const noexcept {
  if (blocks_.empty() || number > blocks_.back()->number) return blocks_.end();
  const auto first = blocks_.front()->number;
  if (number <= first) return blocks_.begin();
  const auto distance = std::min<std::uint64_t>(number - first, blocks_.size() - 1);
  const auto guess = blocks_.begin() + static_cast<std::ptrdiff_t>(distance);
  if ((*guess)->number == number) return guess;
  return std::lower_bound(blocks_.begin(), guess, number,
                          [](const auto& b, std::uint64_t wanted) { return b->number < wanted; });
}

// -- the ends -----------------------------------------------------------------------------------------------------------------

arrival_line::position arrival_line::put_last(place_content c) {
  const auto number = end_ / block_size;
  if (blocks_.empty() || blocks_.back()->number != number) {
    blocks_.push_back(new_block(number));
    blocks_.back()->after = newest_;
  }
  auto& b = *blocks_.back();
  b.places[end_ % block_size] = c;
  ++b.used;
  ++size_;
  return end_++;
}

arrival_line::position arrival_line::put_first(place_content c) {
  const auto p = begin_ - 1;
  if (blocks_.empty() || blocks_.front()->number != p / block_size) blocks_.push_front(new_block(p / block_size));
  auto& b = *blocks_.front();
  b.places[p % block_size] = c;
  ++b.used;
  ++size_;
  return begin_ = p;
}

void arrival_line::push_back(message_ptr m) {
  const auto id = m->id();
  put_last(std::bit_cast<place_content>(m.release()));
  ++alone_;
  newest_ = id;
  if (oldest_ == message_id()) oldest_ = id;
}

// The blocks behind the first one learn what they are newer than.
void arrival_line::push_front(message_ptr m) {
  const auto id = m->id();
  put_first(std::bit_cast<place_content>(m.release()));
  ++alone_;
  oldest_ = id;
  if (newest_ == message_id()) newest_ = id;
  blocks_.front()->after = {};
  for (auto b = std::next(blocks_.begin()); b != blocks_.end() && (*b)->after == message_id(); ++b)
    (*b)->after = oldest_;
}

// Drops what is empty at the ends.
void arrival_line::close_up() noexcept {
  if (size_ == 0) {
    begin_ = end_;
    newest_ = oldest_ = {};
    return;
  }
  begin_ = next(begin_);
  while (end_ > begin_ && (blocks_.back()->number != (end_ - 1) / block_size || at(end_ - 1) == 0)) {
    const auto last = (blocks_.back()->number + 1) * block_size;
    end_ = std::min(end_ - 1, last);
  }
}

// -- places -------------------------------------------------------------------------------------------------------------------

arrival_line::position arrival_line::next(position p) const noexcept {
  for (auto b = block_of(p / block_size); b != blocks_.end(); ++b) {
    p = std::max(p, (*b)->number * block_size);
    for (const auto behind = ((*b)->number + 1) * block_size; p < behind && p < end_; ++p)
      if ((*b)->places[p % block_size] != 0) return p;
  }
  return end_;
}

entry_handle arrival_line::entry_at(position p) const noexcept {
  const auto c = at(p);
  return is_entry(c) ? static_cast<entry_handle>(c >> 1) : no_entry;
}

message_ptr arrival_line::message_at(position p) const noexcept { return message_ptr::share(address(at(p))); }

void arrival_line::prefetch(position p) const noexcept {
  const auto b = block_of(p / block_size);
  if (b == blocks_.end()) return;
  if (const auto c = (*b)->places[p % block_size]; is_alone(c)) __builtin_prefetch(address(c));
}

message_ptr arrival_line::replace(position p, entry_handle h) noexcept {
  --alone_;
  return message_ptr::adopt(address(std::exchange(at(p), of(h))));
}

message_ptr arrival_line::remove(position p) noexcept {
  const auto found = block_of(p / block_size);
  auto& b = **found;
  const auto c = std::exchange(b.places[p % block_size], 0);
  --size_;
  if (--b.used == 0) {
    auto& owner = const_cast<std::unique_ptr<block>&>(*found);
    spare_ = std::move(owner);
    blocks_.erase(found);
  }
  if (p == begin_ || p + 1 == end_) close_up();
  if (!is_alone(c)) return {};
  --alone_;
  return message_ptr::adopt(address(c));
}

// -- finding ------------------------------------------------------------------------------------------------------------------

arrival_line::position arrival_line::find(const message_id& id) const noexcept {
  if (alone_ == 0 || id > newest_ || id < oldest_) return nowhere;
  if (const auto c = blocks_.front()->places[begin_ % block_size]; is_alone(c) && address(c)->id() == id) return begin_;
  // The last block whose messages may be as old.
  const auto behind =
      std::partition_point(blocks_.begin(), blocks_.end(), [&](const auto& b) { return b->after < id; });
  if (behind == blocks_.begin()) return nowhere;
  const auto& b = **std::prev(behind);
  std::uint64_t from = 0;
  std::uint64_t to = block_size;
  while (from < to) {
    const auto middle = from + (to - from) / 2;
    auto i = middle;
    while (i < to && !is_alone(b.places[i])) ++i;
    if (i == to) {
      to = middle;
      continue;
    }
    const auto order = address(b.places[i])->id() <=> id;
    if (order == 0) return b.number * block_size + i;
    order < 0 ? from = i + 1 : to = middle;
  }
  return nowhere;
}

}  // namespace mqlite
