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

// What is stored by one record, and where it goes then.
struct topic_state::publish_part {
  queue_arrivals arrivals;
  std::vector<std::size_t> positions;  ///< in the command
};

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
  publish_part part;
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
    part.positions.push_back(progress->results.size());
    progress->results.emplace_back(published{d.message->id(), *where});
    add(part.arrivals, *where, {std::move(d.message), d.not_before});
    if (record.size() < most_record_bytes) continue;
    store(std::exchange(record, published_record(id_)), std::exchange(part, {}), progress);
  }
  if (!record.empty()) store(std::move(record), std::move(part), progress);
  if (--progress->outstanding == 0) progress->answer(std::move(progress->results));
}

void topic_state::store(published_record record, publish_part part, const std::shared_ptr<publish_progress>& progress) {
  forget_slots(part.arrivals);
  ++progress->outstanding;
  log_.append(std::move(record).finish(), durability::promised,
              [this, part = std::move(part), progress](const failure* problem) mutable {
                if (problem == nullptr) {
                  distribute(std::move(part.arrivals));
                } else {
                  for (const auto& batch : part.arrivals)
                    for (const auto& a : batch.messages)
                      on_released({1, static_cast<std::int64_t>(a.message->content_size())});
                  for (const auto position : part.positions) progress->results[position] = *problem;
                }
                if (--progress->outstanding == 0)
                  when_dropped([progress] { progress->answer(std::move(progress->results)); });
              });
}

// A topic may have a thousand queues of which one publish names a few: slots_ finds a queue's batch without searching.
void topic_state::add(queue_arrivals& arrivals, queue_number queue, event::arrival a) {
  slots_.resize(queues_.size(), no_slot);
  auto& slot = slots_[static_cast<std::size_t>(queue)];
  if (slot == no_slot) {
    slot = static_cast<std::uint32_t>(arrivals.size());
    arrivals.push_back({queue, {}});
  }
  arrivals[slot].messages.push_back(std::move(a));
}

void topic_state::forget_slots(const queue_arrivals& arrivals) {
  for (const auto& batch : arrivals) slots_[static_cast<std::size_t>(batch.queue)] = no_slot;
}

void topic_state::distribute(queue_arrivals arrivals) {
  std::uint64_t spare = 0;
  std::uint64_t all = 0;
  for (auto& batch : arrivals) {
    const auto count = batch.messages.size();
    // A resize may have dropped the queue meanwhile: its messages go to the last one that is left.
    const auto queue = exists(batch.queue) ? batch.queue : static_cast<queue_number>(queues_.size() - 1);
    board_.sent(queue, count);
    drained_.erase(queue);
    all += count;
    spare += board_.fed(queue) ? count - 1 : count;
    tell(queues_[static_cast<std::size_t>(queue)], event::arrived{std::move(batch.messages)});
  }
  totals_.published += all;
  drop_overflow();
  wake_starving(spare);
  sweep_again(all);
}

void topic_state::on_released(const event::released& event) {
  held_ -= event.messages;
  held_bytes_ -= event.bytes;
}

}  // namespace mqlite
