#include <algorithm>
#include <queue>

#include "actors/compat.hpp"
#include "actors/topic/topic_actor.hpp"

// What a topic with `overflow` = `drop_oldest` does when it is over its limits: the oldest that wait in any of its queues, or are
// delayed there, become dead letters. Its queues name their oldest; of all these the oldest are chosen, and then their queues are
// told to drop them. Who has published is answered behind that.
namespace mqlite {
namespace {

// Messages that one search finds in a queue: as many as the largest batch has. Where more are too many, another one follows.
constexpr std::int64_t most_found = 10'000;

}  // namespace

// The oldest of all queues: what one has delayed nobody else knows.
struct topic_state::overflow_search {
  struct source {
    queue_number number;
    std::vector<oldest_found::waiting> messages;
    std::size_t chosen = 0;  ///< of them, from the front
    message_id through;      ///< the youngest of those
  };
  std::vector<source> queues;
  std::size_t unanswered = 0;
  /// Answers to what was published before the search, held back no longer than it.
  std::vector<std::function<void()>> waiting;

  /// Marks the oldest, until at least so many messages and bytes are gone.
  void choose(std::int64_t messages, std::int64_t bytes) {
    using next = std::pair<message_id, source*>;
    std::priority_queue<next, std::vector<next>, std::greater<>> oldest;
    for (auto& q : queues)
      if (!q.messages.empty()) oldest.emplace(q.messages.front().id, &q);
    while ((messages > 0 || bytes > 0) && !oldest.empty()) {
      auto& q = *oldest.top().second;
      oldest.pop();
      const auto& m = q.messages[q.chosen++];
      q.through = std::max(q.through, m.id);
      --messages;
      bytes -= static_cast<std::int64_t>(m.bytes);
      if (q.chosen < q.messages.size()) oldest.emplace(q.messages[q.chosen].id, &q);
    }
  }
};

std::int64_t topic_state::surplus_messages() const {
  return settings_.max_length > 0 ? held_ - static_cast<std::int64_t>(settings_.max_length) : 0;
}

std::int64_t topic_state::surplus_bytes() const {
  return settings_.max_bytes > 0 ? held_bytes_ - static_cast<std::int64_t>(settings_.max_bytes) : 0;
}

void topic_state::drop_overflow() {
  const auto messages = surplus_messages();
  const auto bytes = surplus_bytes();
  if ((messages <= 0 && bytes <= 0) || settings_.overflow != overflow_policy::drop_oldest || dropping_) return;
  const auto average = std::max<std::int64_t>(1, held_bytes_ / std::max<std::int64_t>(1, held_));
  const auto most = std::clamp<std::int64_t>(std::max(messages, bytes / average + 1), 1, most_found);
  auto search = std::make_shared<overflow_search>();
  for (std::size_t i = 0; i < queues_.size(); ++i) search->queues.push_back({static_cast<queue_number>(i), {}, 0, {}});
  search->unanswered = search->queues.size();
  dropping_ = true;
  search->waiting.swap(after_dropping_);
  for (std::size_t i = 0; i < search->queues.size(); ++i) {
    const auto number = search->queues[i].number;
    ask(self_, up_to_date(number), find_oldest{static_cast<std::uint64_t>(most)})
        .then(
            [this, search, i, number](oldest_found& answer) {
              if (exists(number)) board_.corrected(number, answer.ready, answer.received);
              search->queues[i].messages = std::move(answer.messages);
              if (--search->unanswered == 0) drop_found(search);
            },
            [this, search](const caf::error&) {
              if (--search->unanswered == 0) drop_found(search);
            });
  }
}

void topic_state::when_dropped(std::function<void()> then) {
  dropping_ ? after_dropping_.push_back(std::move(then)) : then();
}

// While others go on publishing there may always be too many: nobody waits for more than the search behind the one that ran.
void topic_state::end_search(overflow_search& search) {
  dropping_ = false;
  if (!search.queues.empty()) drop_overflow();  // else nothing waits any more
  for (const auto& then : std::exchange(search.waiting, {})) then();
  if (dropping_) return;
  for (const auto& then : std::exchange(after_dropping_, {})) then();
}

void topic_state::drop_found(const std::shared_ptr<overflow_search>& search) {
  search->choose(surplus_messages(), surplus_bytes());
  std::erase_if(search->queues, [this](const auto& q) { return q.chosen == 0 || !exists(q.number); });
  search->unanswered = search->queues.size();
  if (search->queues.empty()) return end_search(*search);
  for (const auto& q : search->queues) {
    const auto over = [this, search] {
      if (--search->unanswered == 0) end_search(*search);
    };
    ask(self_, up_to_date(q.number), event::drop_oldest{q.chosen, q.through})
        .then(
            [this, number = q.number, over](const oldest_dropped& answer) {
              if (exists(number)) board_.corrected(number, answer.ready, answer.received);
              over();
            },
            [over](const caf::error&) { over(); });
  }
}

}  // namespace mqlite
