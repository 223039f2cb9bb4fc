#include "actors/queue/entry_store.hpp"

#include <utility>

namespace mqlite {

std::uint32_t entry_store::add_chunk() {
  auto number = static_cast<std::uint32_t>(chunks_.size());
  if (released_.empty()) {
    chunks_.emplace_back();
  } else {
    number = released_.back();
    released_.pop_back();
  }
  chunks_[number] = std::make_unique<chunk>();
  ++held_;
  link(number);
  return number;
}

void entry_store::link(std::uint32_t number) noexcept {
  auto& c = *chunks_[number];
  c.prev_with_room = no_chunk;
  c.next_with_room = first_with_room_;
  if (first_with_room_ != no_chunk) chunks_[first_with_room_]->prev_with_room = number;
  first_with_room_ = number;
}

void entry_store::unlink(std::uint32_t number) noexcept {
  const auto& c = *chunks_[number];
  (c.prev_with_room == no_chunk ? first_with_room_ : chunks_[c.prev_with_room]->next_with_room) = c.next_with_room;
  if (c.next_with_room != no_chunk) chunks_[c.next_with_room]->prev_with_room = c.prev_with_room;
}

entry_handle entry_store::add(message_ptr message) {
  const auto number = first_with_room_ != no_chunk ? first_with_room_ : add_chunk();
  auto& c = *chunks_[number];
  auto slot = c.free;
  if (slot != no_entry) {
    c.free = c.slots[slot].slot;
    c.slots[slot] = entry{};
  } else {
    slot = c.fresh++;
  }
  if (++c.used == chunk_size) unlink(number);
  ++size_;
  message::charge(bookkeeping);
  c.slots[slot].message = std::move(message);
  return number * chunk_size + slot;
}

void entry_store::remove(entry_handle h) {
  const auto number = h / chunk_size;
  const auto slot = h % chunk_size;
  auto& c = *chunks_[number];
  c.slots[slot].message = {};
  c.slots[slot].place(place::none);
  c.slots[slot].slot = c.free;
  c.free = slot;
  --size_;
  message::charge(-bookkeeping);
  if (c.used-- == chunk_size) link(number);
  if (c.used == 0 && held_ > 1) {
    unlink(number);
    chunks_[number].reset();
    released_.push_back(number);
    --held_;
  }
}

}  // namespace mqlite
