#include "actors/compat.hpp"
#include "actors/log/records.hpp"
#include "actors/topic/topic_actor.hpp"

// A topic's dead letters.
namespace mqlite {

void topic_state::on_buried(event::buried& event) {
  for (auto& m : event.messages) dead_->add({std::move(m.message), event.queue, m.deliveries, event.reason, event.at});
}

void topic_state::on_redrive(command::redrive_dead& command) {
  if (holding_moves()) {
    held_moves_.emplace_back([this, held = std::move(command)]() mutable { on_redrive(held); });
    return;
  }
  const auto parts = records::in_parts(command.ids ? std::move(*command.ids) : dead_->ids());
  const auto redriven = part_count::of(parts.size(), std::move(command.answer));
  for (const auto& part : parts) redrive(part, redriven);
}

void topic_state::redrive(const std::vector<message_id>& ids, std::shared_ptr<part_count> redriven) {
  records::id_list recorded;
  std::vector<std::uint32_t> numbers;
  routed_arrivals arrivals;
  std::vector<peeked> taken;
  for (const auto& id : ids) {
    auto letter = dead_->take(id);
    if (!letter) continue;
    const auto queue = letter->queue < active_ ? letter->queue : next_in_turn();
    recorded.add(id);
    numbers.push_back(static_cast<std::uint32_t>(queue));
    arrivals.push_back({{letter->message, 0, true}, queue});
    taken.push_back(std::move(*letter));
  }
  if (taken.empty()) return redriven->over(0, nullptr);
  log_.append(records::redriven(id_, recorded, numbers, env_->clock->now()), durability::promised,
              [this, taken = std::move(taken), arrivals = std::move(arrivals),
               redriven = std::move(redriven)](const failure* problem) mutable {
                if (problem != nullptr) {
                  for (auto& letter : taken) dead_->add(std::move(letter));
                  return redriven->over(0, problem);
                }
                for (const auto& letter : taken) {
                  ++held_;
                  held_bytes_ += static_cast<std::int64_t>(letter.message->content_size());
                }
                distribute(std::move(arrivals));
                totals_.published -= taken.size();  // they were counted when they were published
                when_dropped([redriven, count = taken.size()] { redriven->over(count, nullptr); });
              });
}

void topic_state::on_purge_dead(command::purge_dead& command) {
  if (holding_moves()) {
    held_moves_.emplace_back([this, held = std::move(command)]() mutable { on_purge_dead(held); });
    return;
  }
  const auto parts = records::in_parts(dead_->ids());
  const auto purged = part_count::of(parts.size(), std::move(command.answer));
  for (const auto& part : parts) {
    std::vector<peeked> taken;
    records::id_list recorded;
    for (const auto& id : part) {
      recorded.add(id);
      taken.push_back(*dead_->take(id));
    }
    log_.append(records::dead_purged(id_, recorded), durability::promised,
                [this, taken = std::move(taken), purged](const failure* problem) mutable {
                  if (problem != nullptr)
                    for (auto& letter : taken) dead_->add(std::move(letter));
                  purged->over(taken.size(), problem);
                });
  }
}

}  // namespace mqlite
