#include "cli/commands/commands.hpp"

namespace mqlite::cli {
namespace {

using stub = broker_client::stub;

void add_list(command_line& line, CLI::App* group) {
  struct given : topic_target {
    std::int32_t limit = 0;
  };
  const auto o = std::make_shared<given>();
  auto* list = line.add(group, "list", "Show a topic's dead letters, with the reason");
  o->add_to(list);
  add_number(list, "-n,--limit", 1, o->limit, "Most messages to show [10]");
  line.on(list, [o](command_context& c) {
    auto request = request_for<v1::ListDeadRequest>(static_cast<const topic_target&>(*o));
    request.set_limit(o->limit);
    const auto found = c.broker.call(&stub::ListDead, request);
    if (c.out.json()) return c.out.answer(found);
    for (const auto& dead : found.messages()) c.out.dead_message(dead);
    if (found.messages().empty()) c.out.remark("no dead letters");
  });
}

void add_redrive(command_line& line, CLI::App* group) {
  struct given : topic_target {
    std::vector<std::string> ids;
  };
  const auto o = std::make_shared<given>();
  auto* redrive = line.add(group, "redrive", "Give dead letters back to their queues");
  o->add_to(redrive);
  redrive->add_option("ID", o->ids, "Which ones; all when none is named");
  line.on(redrive, [o](command_context& c) {
    auto request = request_for<v1::RedriveDeadRequest>(static_cast<const topic_target&>(*o));
    for (const auto& id : o->ids) request.add_message_ids(id);
    const auto done = c.broker.call(&stub::RedriveDead, request);
    c.out.json() ? c.out.answer(done) : c.out.line("redriven " + counted(done.redriven(), "message"));
  });
}

void add_purge(command_line& line, CLI::App* group) {
  const auto target = std::make_shared<topic_target>();
  auto* purge = line.add(group, "purge", "Delete a topic's dead letters");
  target->add_to(purge);
  line.on(purge, [target](command_context& c) {
    const auto done = c.broker.call(&stub::PurgeDead, request_for<v1::PurgeDeadRequest>(*target));
    c.out.json() ? c.out.answer(done) : c.out.line("purged " + counted(done.purged(), "message"));
  });
}

}  // namespace

void add_dead_commands(command_line& line) {
  auto* group = line.add(nullptr, "dead", "Look at, redrive and purge dead letters", messages_group);
  group->require_subcommand(1);
  add_list(line, group);
  add_redrive(line, group);
  add_purge(line, group);
}

}  // namespace mqlite::cli
