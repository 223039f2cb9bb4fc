#include "actors/topic/topic_actor.hpp"

#include "actors/compat.hpp"

namespace mqlite {

topic_state::topic_state(topic_actor::pointer self, environment_ptr env, topic_birth birth)
    : self_(self),
      env_(std::move(env)),
      id_(birth.id),
      name_space_(std::move(birth.name_space)),
      name_(std::move(birth.name)),
      settings_(birth.settings),
      version_(birth.version),
      active_(birth.queue_count),
      outbox_(env_->arrival_batch),
      dead_(birth.dead ? std::move(birth.dead) : std::make_shared<dead_letters>()),
      log_(env_->log, caf::actor_cast<journal_client>(self)),
      ids_(env_->seed ^ (birth.id * 0x9e3779b97f4a7c15), birth.newest) {
  end_process_on_exception(self);
  had_queues_ = birth.had_queues;
  for (auto& core : birth.cores) {
    held_ += static_cast<std::int64_t>(core->size());
    held_bytes_ += static_cast<std::int64_t>(core->bytes());
    add_queue(std::move(core));
  }
  while (static_cast<std::int32_t>(queues_.size()) < active_) add_queue(nullptr);
  if (static_cast<std::int32_t>(queues_.size()) > active_)
    drain_until_ = later(env_->clock->now(), env_->drain_timeout);
}

topic_state::~topic_state() {
  for (const auto& queue : queues_) stop(queue);
}

topic_actor::behavior_type topic_state::make_behavior() {
  for (auto i = active_; exists(i); ++i) tell(up_to_date(i), event::drain{});
  arm();
  return {
      // CAF compares a message with one handler after the other: those that come for every message are first.
      [this](command::publish& command) { on_publish(command); },
      [this](const event::appended& report) { log_.appended(report); },
      [this](command::settle& command) { on_settle(command); },
      [this](command::consume& command) { on_consume(command); },
      [this](const rebalance& request) { return on_rebalance(request); },
      [this](const event::released& event) { on_released(event); },
      [this](const event::supply_changed& event) { on_supply_changed(event); },
      [this](const command::cancel& command) { on_cancel(command); },
      [this](command::subscribe& command) { on_subscribe(command); },
      [this](command::peek& command) { pass_on(command); },
      [this](command::purge& command) { pass_on(command); },
      [this](command::list_dead& command) { command.answer(dead_->list(command.most)); },
      [this](command::redrive_dead& command) { on_redrive(command); },
      [this](command::purge_dead& command) { on_purge_dead(command); },
      [this](command::get_topic& command) { on_get(command); },
      [this](command::update_topic& command) { on_update(command); },
      [this](command::resize_topic& command) { on_resize(command); },
      [this](command::rebalance_topic& command) { on_rebalance_topic(command); },
      [this](describe) { return described{info()}; },
      [this](begin_snapshot) { return on_begin_snapshot(); },
      [this](next_slice) { return on_next_slice(); },
      [this](event::snapshot_over) { end_snapshot(); },
      [this](const event::sated& event) { on_sated(event); },
      [this](const event::replenished& event) { on_replenished(event); },
      [this](event::buried& event) { on_buried(event); },
      [this](event::unheld& event) { on_unheld(event); },
      [this](const event::drained& event) { on_drained(event); },
      [this](const event::tick& tick) { on_tick(tick); },
  };
}

failure topic_state::no_queue(std::int64_t queue) const {
  return {error_code::not_found, "queue " + std::to_string(queue) + " not found in topic " + name_ + " (" +
                                     std::to_string(active_) + (active_ == 1 ? " queue)" : " queues)")};
}

}  // namespace mqlite
