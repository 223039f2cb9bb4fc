#pragma once

#include <compare>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <unordered_map>
#include <vector>

#include "actors/operations.hpp"

namespace mqlite {

/// The messages of a topic that could not be processed, in the order in which they died. Pure.
class dead_letters {
 public:
  /// One that is here already is left alone.
  void add(peeked letter);
  /// Takes a letter out; nothing when it is not here.
  std::optional<peeked> take(const message_id& id);
  bool contains(const message_id& id) const { return by_id_.contains(id); }

  /// Begins to list the letters that are here now, in slices, while others come and go: each is given once, also when it was taken
  /// out before its turn.
  void begin_snapshot();
  /// Appends the next letters to `out`, at most `most`. False when nothing is left: the snapshot is over.
  bool next_slice(std::size_t most, std::vector<peeked>& out);
  void end_snapshot();

  std::size_t size() const noexcept { return letters_.size(); }
  /// The first, at most `most`.
  std::vector<peeked> list(std::size_t most) const;
  /// All ids, in order.
  std::vector<message_id> ids() const;

 private:
  struct hash {
    std::size_t operator()(const message_id& id) const noexcept { return id.hash(); }
  };
  /// Queues tell of their dead when they get to it, and the log may have heard of them in another order: the time of death is what
  /// both know.
  struct place {
    std::int64_t dead_at = 0;
    std::uint64_t number = 0;  ///< in the order in which they came

    auto operator<=>(const place&) const = default;
  };
  static constexpr place before_all{std::numeric_limits<std::int64_t>::min(), 0};

  std::map<place, peeked> letters_;
  std::unordered_map<message_id, place, hash> by_id_;
  std::uint64_t last_ = 0;
  place given_ = before_all;   ///< the snapshot that is being taken has given letters up to here
  std::uint64_t to_give_ = 0;  ///< and has to give those with numbers up to here
  std::vector<peeked> left_;   ///< taken out before their turn
};

}  // namespace mqlite
