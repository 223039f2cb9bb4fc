#include "protocols/remote/session.hpp"

#include "protocols/remote/promise.hpp"
#include "protocols/remote/wire_requests.hpp"
#include "protocols/translate/names.hpp"

namespace mqlite::remote {
namespace {

/// Handles that one client may have.
constexpr std::size_t most_doors = 10'000;

}  // namespace

session_state::session_state(session_actor::pointer self, std::shared_ptr<context> shared, wire::remote_peer peer)
    : self_(self),
      shared_(std::move(shared)),
      counted_(shared_->actors->enter()),
      peer_(std::move(peer)),
      broker_(
          std::make_shared<gateway>(shared_->broker, std::make_shared<actor_loop<session_actor>>(self->address()))) {
  end_process_on_exception(self);
  watch(self_, peer_, [self](const caf::actor_addr&) { self->quit(); });
}

session_state::~session_state() {
  for (const auto& [where, door] : doors_) stop(door);
}

session_actor::behavior_type session_state::make_behavior() {
  return {
      [this](const wire::create_namespace& c) { return on_create_namespace(c); },
      [this](const wire::delete_namespace& c) { return on_delete_namespace(c); },
      [this](wire::list_namespaces) { return on_list_namespaces(); },
      [this](const wire::create_topic& c) { return on_create_topic(c); },
      [this](const wire::delete_topic& c) { return on_delete_topic(c); },
      [this](const wire::list_topics& c) { return on_list_topics(c); },
      [this](wire::get_stats) { return on_get_stats(); },
      [this](const wire::resolve& c) { return on_resolve(c); },
      [](posted& f) { f.run(); },
      [this](finish) { on_finish(); },
  };
}

// -- namespaces and topics ------------------------------------------------------------------------------------------------------

caf::result<void> session_state::on_create_namespace(const wire::create_namespace& command) {
  if (shared_->stopping) return stopping_error();
  if (const auto problem = name_problem("name", command.name)) return error_of(*problem);
  auto to = promise<void>();
  broker_->create_namespace(command.name, keep(to, *shared_));
  return to;
}

caf::result<void> session_state::on_delete_namespace(const wire::delete_namespace& command) {
  if (shared_->stopping) return stopping_error();
  if (const auto problem = name_problem("name", command.name)) return error_of(*problem);
  auto to = promise<void>();
  broker_->delete_namespace(command.name, keep(to, *shared_));
  return to;
}

caf::result<wire::name_list> session_state::on_list_namespaces() {
  if (shared_->stopping) return stopping_error();
  auto to = promise<wire::name_list>();
  broker_->list_namespaces(
      keep<std::vector<std::string>>(to, *shared_, [](auto& names) { return wire::name_list{std::move(names)}; }));
  return to;
}

caf::result<void> session_state::on_create_topic(const wire::create_topic& command) {
  if (shared_->stopping) return stopping_error();
  wire_fields fields;
  auto name_space = fields.name("namespace", command.name_space);
  auto name = fields.name("name", command.name);
  const auto count = fields.integer("queue_count", command.queue_count, 1, most_queues);
  const auto patch = fields.settings(command.settings);
  if (fields.refusal()) return error_of(*fields.refusal());
  auto to = promise<void>();
  broker_->create_topic(std::move(name_space), std::move(name), count, patch, keep(to, *shared_));
  return to;
}

caf::result<void> session_state::on_delete_topic(const wire::delete_topic& command) {
  if (shared_->stopping) return stopping_error();
  wire_fields fields;
  auto name_space = fields.name("namespace", command.name_space);
  auto name = fields.name("name", command.name);
  if (fields.refusal()) return error_of(*fields.refusal());
  auto to = promise<void>();
  broker_->delete_topic(std::move(name_space), std::move(name), keep(to, *shared_));
  return to;
}

caf::result<wire::topic_list> session_state::on_list_topics(const wire::list_topics& command) {
  if (shared_->stopping) return stopping_error();
  if (const auto problem = name_problem("namespace", command.name_space)) return error_of(*problem);
  auto to = promise<wire::topic_list>();
  broker_->list_topics(command.name_space,
                       keep<std::vector<topic_info>>(to, *shared_, [](const auto& topics) { return to_wire(topics); }));
  return to;
}

caf::result<wire::stats> session_state::on_get_stats() {
  if (shared_->stopping) return stopping_error();
  auto to = promise<wire::stats>();
  broker_->stats(keep<broker_stats>(to, *shared_, [shared = shared_](const broker_stats& all) {
    wire::stats result;
    append_stats(result.json, shared->facts, all);
    return result;
  }));
  return to;
}

// -- handles --------------------------------------------------------------------------------------------------------------------

caf::result<wire::resolved> session_state::on_resolve(const wire::resolve& command) {
  if (shared_->stopping) return stopping_error();
  wire_fields fields;
  address where{fields.name("namespace", command.name_space), fields.name("topic", command.topic),
                fields.queue(command.queue, any_queue)};
  if (fields.refusal()) return error_of(*fields.refusal());
  auto to = promise<wire::resolved>();
  broker_->get_topic(where.name_space, where.topic,
                     [this, to, where, ticket = shared_->unanswered->enter()](outcome<topic_details> details) mutable {
                       if (!details) return to.deliver(error_of(details.why()));
                       const auto door = door_to(where, *details);
                       door ? to.deliver(wire::resolved{*door}) : to.deliver(error_of(door.why()));
                     });
  return to;
}

outcome<wire::remote_topic> session_state::door_to(const address& where, const topic_details& details) {
  const auto count = details.info.queue_count;
  if (where.queue >= count)
    return failure{error_code::not_found,
                   "queue " + std::to_string(where.queue) + " not found in topic " + where.topic + " (" +
                       std::to_string(count) + (count == 1 ? " queue)" : " queues)"),
                   false};
  if (const auto known = doors_.find(where); known != doors_.end()) return wire::remote_topic(known->second);
  if (doors_.size() >= most_doors)
    return failure{error_code::resource_exhausted, "this client has " + std::to_string(most_doors) + " handles already",
                   false};
  request::queue_address queue;
  queue.name_space = where.name_space;
  queue.topic = where.topic;
  queue.queue = where.queue;
  const auto door = spawn_state<topic_door_actor, topic_door_state>(self_->home_system(), shared_, peer_, queue);
  doors_.emplace(where, door);
  return wire::remote_topic(door);
}

void session_state::on_finish() {
  for (const auto& [where, door] : doors_) tell(door, finish{});
}

}  // namespace mqlite::remote
