#pragma once

#include <cstdint>
#include <set>

namespace mqlite {

/// Which moves of messages between queues are under way. Pure.
class moves {
 public:
  /// A move, by number: they rise.
  using number = std::uint64_t;

  number begin() {
    under_way_.insert(++begun_);
    return begun_;
  }
  void end(number move) { under_way_.erase(move); }

  /// The last one that has begun.
  number begun() const noexcept { return begun_; }
  bool any() const noexcept { return !under_way_.empty(); }
  /// Whether all moves up to `last` have ended.
  bool over(number last) const noexcept { return under_way_.empty() || *under_way_.begin() > last; }

 private:
  std::set<number> under_way_;
  number begun_ = 0;
};

}  // namespace mqlite
