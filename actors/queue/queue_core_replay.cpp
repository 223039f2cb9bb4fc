#include <algorithm>

#include "actors/queue/queue_core.hpp"

// What the records of the log do to a queue when they are replayed.
namespace mqlite {

void queue_core::replay_lease(const message_id& id, std::int64_t until, std::optional<std::uint32_t> deliveries) {
  const auto h = find(id);
  if (h == no_entry) return;
  leave(h);
  if (deliveries) entries_[h].deliveries = std::min(*deliveries, most_deliveries);
  to_leased(h, until, pulled, 0, false);
}

void queue_core::replay_return(const message_id& id, std::int64_t not_before, std::optional<std::uint32_t> deliveries) {
  const auto h = find(id);
  if (h == no_entry) return;
  leave(h);
  if (deliveries) entries_[h].deliveries = std::min(*deliveries, most_deliveries);
  not_before == 0 ? to_front(h) : to_delayed(h, not_before);
}

std::optional<carried_message> queue_core::replay_remove(const message_id& id) {
  const auto h = find(id);
  if (h == no_entry) return std::nullopt;
  return remove(h);
}

}  // namespace mqlite
