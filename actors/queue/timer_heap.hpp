#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace mqlite {

/// Things that fall due at a time: a binary heap whose items know their positions, so that any of them can be moved or taken out.
/// Adding, moving and removing take O(log n), constant time when times rise as they are added.
template <class T>
class timer_heap {
 public:
  using slot = std::uint32_t;
  static constexpr std::int64_t never = INT64_MAX;

  /// Adds an item that is due at `when` (unix nanoseconds; `never` keeps it out of the heap until it is moved).
  slot add(std::int64_t when, T value) {
    const auto s = new_slot();
    items_[s].value = std::move(value);
    items_[s].when = never;
    items_[s].position = outside;
    items_[s].used = true;
    move(s, when);
    return s;
  }

  /// Gives an item another time.
  void move(slot s, std::int64_t when) {
    auto& item = items_[s];
    const auto before = item.when;
    item.when = when;
    if (when == never) return leave(s);
    if (item.position == outside) {
      item.position = static_cast<std::uint32_t>(heap_.size());
      heap_.push_back(s);
      rise(item.position);
    } else if (when < before) {
      rise(item.position);
    } else {
      sink(item.position);
    }
  }

  /// Takes an item out.
  T remove(slot s) {
    leave(s);
    items_[s].used = false;
    free_.push_back(s);
    if (free_.size() == items_.size()) return give_back(s);
    return std::move(items_[s].value);
  }

  T& operator[](slot s) noexcept { return items_[s].value; }
  const T& operator[](slot s) const noexcept { return items_[s].value; }
  std::int64_t when(slot s) const noexcept { return items_[s].when; }

  /// When the first item is due; `never` when none is.
  std::int64_t next() const noexcept { return heap_.empty() ? never : items_[heap_.front()].when; }
  /// The item that is due first; only when next() is not `never`.
  slot first() const noexcept { return heap_.front(); }

  std::size_t size() const noexcept { return items_.size() - free_.size(); }

  /// Calls `visit(when, const T&)` for each item, in no particular order.
  template <class Visit>
  void each(Visit visit) const {
    for (const auto& item : items_)
      if (item.used) visit(item.when, item.value);
  }

 private:
  static constexpr std::uint32_t outside = ~std::uint32_t{0};

  struct item {
    std::int64_t when = never;
    std::uint32_t position = outside;
    bool used = false;
    T value{};
  };

  slot new_slot() {
    if (!free_.empty()) {
      const auto s = free_.back();
      free_.pop_back();
      return s;
    }
    items_.emplace_back();
    return static_cast<slot>(items_.size() - 1);
  }

  // The last item is gone: what a burst needed need not stay.
  T give_back(slot s) {
    T value = std::move(items_[s].value);
    if (items_.capacity() > 1024) {
      items_ = {};
      free_ = {};
      heap_ = {};
    }
    return value;
  }

  void leave(slot s) {
    const auto hole = std::exchange(items_[s].position, outside);
    if (hole == outside) return;
    const auto last = heap_.back();
    heap_.pop_back();
    if (last == s) return;
    put(hole, last);
    rise(hole);
    sink(items_[last].position);
  }

  void put(std::uint32_t position, slot s) noexcept {
    heap_[position] = s;
    items_[s].position = position;
  }

  void rise(std::uint32_t position) noexcept {
    const auto s = heap_[position];
    while (position > 0 && items_[s].when < items_[heap_[(position - 1) / 2]].when) {
      put(position, heap_[(position - 1) / 2]);
      position = (position - 1) / 2;
    }
    put(position, s);
  }

  void sink(std::uint32_t position) noexcept {
    const auto s = heap_[position];
    for (;;) {
      auto child = 2 * position + 1;
      if (child >= heap_.size()) break;
      if (child + 1 < heap_.size() && items_[heap_[child + 1]].when < items_[heap_[child]].when) ++child;
      if (items_[heap_[child]].when >= items_[s].when) break;
      put(position, heap_[child]);
      position = child;
    }
    put(position, s);
  }

  std::vector<item> items_;
  std::vector<slot> free_;
  std::vector<slot> heap_;
};

}  // namespace mqlite
