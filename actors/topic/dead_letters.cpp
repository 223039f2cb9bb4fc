#include "actors/topic/dead_letters.hpp"

#include <utility>

namespace mqlite {

void dead_letters::add(peeked letter) {
  const place where{letter.dead_at, last_ + 1};
  if (!by_id_.try_emplace(letter.message->id(), where).second) return;
  ++last_;
  letters_.emplace(where, std::move(letter));
}

std::optional<peeked> dead_letters::take(const message_id& id) {
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return std::nullopt;
  auto node = letters_.extract(found->second);
  if (found->second > given_ && found->second.number <= to_give_) left_.push_back(node.mapped());
  by_id_.erase(found);
  return std::move(node.mapped());
}

void dead_letters::begin_snapshot() {
  end_snapshot();
  to_give_ = last_;
}

bool dead_letters::next_slice(std::size_t most, std::vector<peeked>& out) {
  const auto before = out.size();
  for (; !left_.empty() && out.size() - before < most; left_.pop_back()) out.push_back(std::move(left_.back()));
  for (auto i = letters_.upper_bound(given_); i != letters_.end() && out.size() - before < most; ++i) {
    given_ = i->first;
    if (i->first.number <= to_give_) out.push_back(i->second);
  }
  if (out.size() > before) return true;
  end_snapshot();
  return false;
}

void dead_letters::end_snapshot() {
  given_ = before_all;
  to_give_ = 0;
  left_.clear();
}

std::vector<peeked> dead_letters::list(std::size_t most) const {
  std::vector<peeked> result;
  std::uint64_t bytes = 0;
  for (auto i = letters_.begin(); i != letters_.end() && result.size() < most && bytes < most_answer_bytes; ++i) {
    bytes += i->second.message->footprint();
    result.push_back(i->second);
  }
  return result;
}

std::vector<message_id> dead_letters::ids() const {
  std::vector<message_id> result;
  result.reserve(size());
  for (const auto& [where, letter] : letters_) result.push_back(letter.message->id());
  return result;
}

}  // namespace mqlite
