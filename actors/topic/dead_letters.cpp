#include "actors/topic/dead_letters.hpp"

#include <utility>

namespace mqlite {

void dead_letters::add(peeked letter) {
  if (!by_id_.try_emplace(letter.message->id(), last_ + 1).second) return;
  letters_.emplace(++last_, std::move(letter));
}

std::optional<peeked> dead_letters::take(const message_id& id) {
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return std::nullopt;
  auto node = letters_.extract(found->second);
  by_id_.erase(found);
  return std::move(node.mapped());
}

std::vector<peeked> dead_letters::list(std::size_t most) const {
  std::vector<peeked> result;
  for (auto i = letters_.begin(); i != letters_.end() && result.size() < most; ++i) result.push_back(i->second);
  return result;
}

std::vector<message_id> dead_letters::ids() const {
  std::vector<message_id> result;
  result.reserve(size());
  for (const auto& [number, letter] : letters_) result.push_back(letter.message->id());
  return result;
}

}  // namespace mqlite
