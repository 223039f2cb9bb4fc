#include "actors/queue/id_index.hpp"

#include <algorithm>
#include <utility>

namespace mqlite {

void id_index::bucket_array::add() {
  if (size < segment_size && size == first_size) {
    const auto larger_size = std::max(smallest_segment, 2 * first_size);
    auto larger = std::make_unique<bucket[]>(larger_size);
    if (size > 0) std::copy_n(segments[0].get(), size, larger.get());
    segments.resize(1);
    segments[0] = std::move(larger);
    first_size = larger_size;
  } else if (size == segments.size() * segment_size) {
    segments.push_back(std::make_unique<bucket[]>(segment_size));
  }
  auto& added = (*this)[size++];
  added.used = 0;
  added.overflow = none;
}

void id_index::bucket_array::drop_last() noexcept {
  // One segment is kept in reserve: a table whose size swings around a boundary would else allocate all the time.
  --size;
  if (segments.size() > size / segment_size + 2) segments.pop_back();
}

// Blocks of 16 clock steps are scattered, and keep their 16 places together; within a block the places are turned by an amount of its
// own, so that a clock that only ever shows every 16th step fills all buckets as well. The mixing is Murmur3's finalizer (Appleby).
std::uint32_t id_index::hash_of(const message_id& id) noexcept {
  const auto tick = id.tick();
  auto block = tick >> 4;
  block = (block ^ block >> 33) * 0xff51afd7ed558ccd;
  block = (block ^ block >> 33) * 0xc4ceb9fe1a85ec53;
  block ^= block >> 33;
  const auto place = (tick + (block >> 32)) & 15;
  return static_cast<std::uint32_t>((block & ~std::uint64_t{15}) | place);
}

// With level_ <= buckets < 2 * level_, the buckets 0 .. buckets - level_ - 1 are split already.
std::uint32_t id_index::bucket_of(std::uint32_t hash) const noexcept {
  const auto wide = hash & (2 * level_ - 1);
  return wide < buckets_.size ? wide : wide & (level_ - 1);
}

entry_handle id_index::find(const message_id& id) const noexcept {
  if (size_ == 0) return no_entry;
  const auto hash = hash_of(id);
  for (const auto* b = &buckets_[bucket_of(hash)];; b = &overflow_[b->overflow]) {
    for (std::uint32_t i = 0; i < b->used; ++i)
      if (b->hashes[i] == hash && entries_[b->handles[i]].message->id() == id) return b->handles[i];
    if (b->overflow == none) return no_entry;
  }
}

void id_index::insert(entry_handle h) {
  if (size_ >= buckets_.size * usual_load) grow();
  const auto hash = hash_of(h);
  put(bucket_of(hash), hash, h);
  ++size_;
}

void id_index::put(std::uint32_t number, std::uint32_t hash, entry_handle h) {
  auto* b = &buckets_[number];
  for (auto last = none; b->used == slots; b = &overflow_[last]) {
    auto next = b->overflow;
    if (next == none) {
      next = take_overflow();
      (last == none ? buckets_[number] : overflow_[last]).overflow = next;
    }
    last = next;
  }
  b->hashes[b->used] = hash;
  b->handles[b->used] = h;
  ++b->used;
}

std::uint32_t id_index::take_overflow() {
  if (free_overflow_ == none) {
    overflow_.add();
    return overflow_.size - 1;
  }
  const auto taken = free_overflow_;
  free_overflow_ = std::exchange(overflow_[taken].overflow, none);
  return taken;
}

void id_index::release(std::uint32_t overflow) noexcept {
  overflow_[overflow].used = 0;
  overflow_[overflow].overflow = free_overflow_;
  free_overflow_ = overflow;
}

void id_index::remove(entry_handle h) noexcept {
  auto* b = &buckets_[bucket_of(hash_of(h))];
  bucket* found = nullptr;
  std::uint32_t slot = 0;
  bucket* before = nullptr;
  for (;; before = b, b = &overflow_[b->overflow]) {
    for (std::uint32_t i = 0; found == nullptr && i < b->used; ++i)
      if (b->handles[i] == h) {
        found = b;
        slot = i;
      }
    if (b->overflow == none) break;
  }
  // The last one of the chain takes its place.
  --b->used;
  found->hashes[slot] = b->hashes[b->used];
  found->handles[slot] = b->handles[b->used];
  if (b->used == 0 && before != nullptr) {
    release(before->overflow);
    before->overflow = none;
  }
  --size_;
  if (buckets_.size > 1 && size_ < buckets_.size * usual_load / 2) shrink();
}

void id_index::grow() {
  if (buckets_.size == 0) {
    buckets_.add();
    return;
  }
  const auto from = buckets_.size - level_;
  buckets_.add();
  const auto old = buckets_[from];
  buckets_[from].used = 0;
  buckets_[from].overflow = none;
  const auto deal = [&](const bucket& b) {
    for (std::uint32_t i = 0; i < b.used; ++i)
      put((b.hashes[i] & level_) != 0 ? from + level_ : from, b.hashes[i], b.handles[i]);
  };
  deal(old);
  for (auto o = old.overflow; o != none;) {
    const auto copy = overflow_[o];
    release(o);
    deal(copy);
    o = copy.overflow;
  }
  if (buckets_.size == 2 * level_) level_ *= 2;
}

// The last bucket goes back to the one that it was split from, which may need an overflow bucket for it.
void id_index::shrink() noexcept {
  if (buckets_.size == level_) level_ /= 2;
  const auto last = buckets_.size - 1;
  const auto old = buckets_[last];
  buckets_.drop_last();
  const auto deal = [&](const bucket& b) {
    for (std::uint32_t i = 0; i < b.used; ++i) put(last - level_, b.hashes[i], b.handles[i]);
  };
  deal(old);
  for (auto o = old.overflow; o != none;) {
    const auto copy = overflow_[o];
    release(o);
    deal(copy);
    o = copy.overflow;
  }
}

}  // namespace mqlite
