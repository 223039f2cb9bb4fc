#include "cli/commands/commands.hpp"

namespace mqlite::cli {
namespace {

using stub = broker_client::stub;
using std::chrono::milliseconds;

/// Messages of a queue, by id or receipt.
struct settle_options : queue_target {
  std::vector<std::string> ids;
  milliseconds duration{0};
  std::string reason;

  void add_to(CLI::App* to) {
    queue_target::add_to(to);
    to->add_option("ID", ids, "Ids, or receipts (ID#DELIVERY), which name one delivery alone")->required();
  }
};

template <class Request>
Request request_to_settle(const settle_options& o) {
  auto request = request_for<Request>(static_cast<const queue_target&>(o));
  for (const auto& id : o.ids) request.add_message_ids(id);
  return request;
}

/// What the ids that had no effect were.
template <class Response>
void remark_on_others(output& out, const Response& response) {
  for (const auto& id : response.unknown()) out.line("unknown: " + id);
  for (const auto& id : response.stale()) out.line("stale: " + id);
}

void ack(command_context& c, const settle_options& o) {
  const auto done = c.broker.call(&stub::Ack, request_to_settle<v1::AckRequest>(o));
  if (c.out.json()) return c.out.answer(done);
  c.out.line("acknowledged " + counted(done.acknowledged(), "message"));
  remark_on_others(c.out, done);
}

void nack(command_context& c, const settle_options& o) {
  auto request = request_to_settle<v1::NackRequest>(o);
  request.set_delay_ms(o.duration.count());
  request.set_reason(o.reason);
  const auto done = c.broker.call(&stub::Nack, request);
  if (c.out.json()) return c.out.answer(done);
  c.out.line("returned " + counted(done.returned(), "message"));
  if (done.dead_lettered() > 0) c.out.line("dead-lettered " + counted(done.dead_lettered(), "message"));
  remark_on_others(c.out, done);
}

void extend(command_context& c, const settle_options& o) {
  auto request = request_to_settle<v1::ExtendRequest>(o);
  request.set_lease_ms(o.duration.count());
  const auto done = c.broker.call(&stub::Extend, request);
  if (c.out.json()) return c.out.answer(done);
  c.out.line("extended " + counted(done.extended(), "message"));
  remark_on_others(c.out, done);
}

}  // namespace

void add_settle_commands(command_line& line) {
  const auto o = std::make_shared<settle_options>();
  const auto set_duration = [o](milliseconds d) { o->duration = d; };

  auto* acks = line.add(nullptr, "ack", "Acknowledge messages: they are done", messages_group);
  o->add_to(acks);
  line.on(acks, [o](command_context& c) { ack(c, *o); });

  auto* nacks = line.add(nullptr, "nack", "Give messages back to their queue", messages_group);
  o->add_to(nacks);
  add_duration(nacks, "--delay", set_duration, "Not to be delivered again before");
  nacks->add_option("--reason", o->reason, "Why")->type_name("TEXT");
  line.on(nacks, [o](command_context& c) { nack(c, *o); });

  auto* extends = line.add(nullptr, "extend", "Keep messages longer before they count as failed", messages_group);
  o->add_to(extends);
  add_duration(extends, "--lease", set_duration, "Time from now on [the topic's ack timeout]");
  line.on(extends, [o](command_context& c) { extend(c, *o); });
}

}  // namespace mqlite::cli
