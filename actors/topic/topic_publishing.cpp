#include <algorithm>

#include "actors/compat.hpp"
#include "actors/topic/topic_actor.hpp"
#include "persistence/published_record.hpp"

// How published messages get their ids, their queues and their record.
namespace mqlite {
namespace {

// A record has a length of four bytes and a reader that holds it in memory: publishes that take more become several records.
constexpr std::size_t most_record_bytes = 16U << 20;

void add_to(published_record& record, const message& m, queue_number queue, std::int64_t not_before) {
  unsigned char id[16];
  m.id().to_bytes(id);
  record.add({.id = id,
              .queue = static_cast<std::uint32_t>(queue),
              .payload = m.payload(),
              .attributes = m.attributes(),
              .not_before = not_before});
}

}  // namespace

queue_number topic_state::next_in_turn() {
  return static_cast<queue_number>(turn_++ % static_cast<std::uint32_t>(active_));
}

outcome<queue_number> topic_state::route(const draft& message) {
  if (message.queue >= active_ || message.queue < any_queue) return no_queue(message.queue);
  if (message.queue != any_queue) return message.queue;
  if (message.has_key) return static_cast<queue_number>(message.key_hash % static_cast<std::uint32_t>(active_));
  return next_in_turn();
}

std::optional<failure> topic_state::admit(const message& m) {
  if (env_->max_memory > 0 && message::memory() > env_->max_memory)
    return failure{error_code::resource_exhausted,
                   "the broker's messages take more memory than limits.max_memory allows"};
  const auto size = static_cast<std::int64_t>(m.content_size());
  if (settings_.max_bytes > 0 && size > static_cast<std::int64_t>(settings_.max_bytes))
    return failure{error_code::resource_exhausted, "topic " + name_ + " cannot hold a message of " +
                                                       std::to_string(size) + " bytes (max_bytes " +
                                                       std::to_string(settings_.max_bytes) + ")"};
  if (settings_.overflow == overflow_policy::reject) {
    if (settings_.max_length > 0 && held_ >= static_cast<std::int64_t>(settings_.max_length))
      return failure{error_code::resource_exhausted, "topic " + name_ + " is full: it holds " + std::to_string(held_) +
                                                         " messages (max_length " +
                                                         std::to_string(settings_.max_length) + ")"};
    if (settings_.max_bytes > 0 && held_bytes_ + size > static_cast<std::int64_t>(settings_.max_bytes))
      return failure{error_code::resource_exhausted, "topic " + name_ + " is full: it holds " +
                                                         std::to_string(held_bytes_) + " bytes (max_bytes " +
                                                         std::to_string(settings_.max_bytes) + ")"};
  }
  ++held_;
  held_bytes_ += size;
  return std::nullopt;
}

// A command of many large messages makes several records.
struct topic_state::publish_progress {
  std::vector<outcome<published>> results;
  reply<std::vector<outcome<published>>> answer;
  std::size_t outstanding = 1;
};

void topic_state::on_publish(command::publish& command) {
  auto progress = std::make_shared<publish_progress>();
  progress->results.reserve(command.drafts.size());
  progress->answer = std::move(command.answer);
  std::size_t bytes = 0;
  for (const auto& d : command.drafts) bytes += d.message->content_size() + 40;
  published_record record(id_, std::min(bytes, most_record_bytes));
  routed_arrivals arrivals;
  arrivals.reserve(command.drafts.size());
  const auto now = env_->clock->now();
  for (auto& d : command.drafts) {
    auto where = route(d);
    if (where)
      if (auto problem = admit(*d.message)) where = std::move(*problem);
    if (!where) {
      progress->results.emplace_back(std::move(where.why()));
      continue;
    }
    d.message->assign(ids_.next(now));
    add_to(record, *d.message, *where, d.not_before);
    const auto position = static_cast<std::uint32_t>(progress->results.size());
    progress->results.emplace_back(published{d.message->id(), *where});
    arrivals.push_back({{std::move(d.message), d.not_before}, *where, position});
    if (record.size() < most_record_bytes) continue;
    store(std::exchange(record, published_record(id_)), std::exchange(arrivals, {}), progress);
  }
  if (!record.empty()) store(std::move(record), std::move(arrivals), progress);
  if (--progress->outstanding == 0) progress->answer(std::move(progress->results));
}

void topic_state::store(published_record record, routed_arrivals arrivals,
                        const std::shared_ptr<publish_progress>& progress) {
  ++progress->outstanding;
  log_.append(std::move(record).finish(), durability::promised,
              [this, arrivals = std::move(arrivals), progress](const failure* problem) mutable {
                if (problem == nullptr) {
                  distribute(std::move(arrivals));
                } else {
                  for (const auto& a : arrivals) {
                    on_released({1, static_cast<std::int64_t>(a.arrival.message->content_size())});
                    progress->results[a.position] = *problem;
                  }
                }
                if (--progress->outstanding == 0)
                  when_dropped([progress] { progress->answer(std::move(progress->results)); });
              });
}

void topic_state::distribute(routed_arrivals arrivals) {
  std::uint64_t spare = 0;
  for (auto& [arrival, to, position] : arrivals) {
    // A resize may have dropped the queue meanwhile: its messages go to the last one that is left.
    const auto queue = exists(to) ? to : static_cast<queue_number>(queues_.size() - 1);
    board_.sent(queue, 1);
    if (!board_.fed(queue)) ++spare;
    if (!drained_.empty()) drained_.erase(queue);
    const bool urgent = queue >= active_ || arrival.not_before != 0 || arrival.message->expires_at() != 0 ||
                        settings_.message_ttl.count() != 0;
    outbox_.add(queue, std::move(arrival), urgent);
  }
  for (const auto queue : outbox_.take_due()) send_waiting(queue, false);
  totals_.published += arrivals.size();
  drop_overflow();
  wake_starving(spare);
  sweep_again(arrivals.size());
}

void topic_state::send_waiting(queue_number queue, bool refill) {
  tell(queues_[static_cast<std::size_t>(queue)], event::arrived{outbox_.take(queue), refill});
}

void topic_state::on_supply_changed(const event::supply_changed& event) {
  if (!exists(event.queue)) return;
  outbox_.set_plenty(event.queue, event.plenty);
  if (!event.plenty) send_waiting(event.queue, true);
}

void topic_state::on_released(const event::released& event) {
  held_ -= event.messages;
  held_bytes_ -= event.bytes;
}

}  // namespace mqlite
