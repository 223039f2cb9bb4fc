#include "cli/commands/commands.hpp"

namespace mqlite::cli {
namespace {

using stub = broker_client::stub;

struct peek_options : queue_target {
  std::int32_t limit = 0;
  std::string state;
};

void add_peek(command_line& line) {
  const auto o = std::make_shared<peek_options>();
  auto* peek = line.add(nullptr, "peek", "Look at messages without taking them", messages_group);
  o->add_to(peek);
  add_number(peek, "-n,--limit", 1, o->limit, "Most messages to show [10]");
  peek->add_option("--state", o->state, "Which ones [ready]")->type_name("ready|leased|delayed");
  line.on(peek, [o](command_context& c) {
    auto request = request_for<v1::PeekRequest>(static_cast<const queue_target&>(*o));
    request.set_limit(o->limit);
    request.set_state(o->state);
    const auto found = c.broker.call(&stub::Peek, request);
    c.out.json() ? c.out.answer(found) : c.out.messages(found.messages());
  });
}

void add_purge(command_line& line) {
  const auto o = std::make_shared<queue_target>();
  auto* purge = line.add(nullptr, "purge", "Delete what waits in a queue", messages_group);
  o->add_to(purge);
  line.on(purge, [o](command_context& c) {
    const auto done = c.broker.call(&stub::Purge, request_for<v1::PurgeRequest>(*o));
    c.out.json() ? c.out.answer(done) : c.out.line("purged " + counted(done.purged(), "message"));
  });
}

}  // namespace

void add_queue_commands(command_line& line) {
  add_peek(line);
  add_purge(line);
}

}  // namespace mqlite::cli
