#include <limits>

#include "cli/commands/commands.hpp"

namespace mqlite::cli {
namespace {

using stub = broker_client::stub;

struct subscribe_options : queue_target {
  bool ack = false;
  std::int32_t max_in_flight = 0;
  std::int64_t count = std::numeric_limits<std::int64_t>::max();

  void add_to(CLI::App* to);
};

void subscribe_options::add_to(CLI::App* to) {
  add_optional_to(to, "Number of the queue; any when it is left out");
  to->add_flag("-a,--auto-ack", ack, "Acknowledge each message once it is printed; else all come back when this ends");
  add_number(to, "--max-in-flight", 1, max_in_flight, "Most messages unacknowledged at a time [256]");
  add_number<std::int64_t>(to, "-n,--count", 1, count, "End after so many messages");
}

void acknowledge(command_context& c, const v1::Message& message) {
  v1::AckRequest request;
  request.set_namespace_(message.namespace_());
  request.set_topic(message.topic());
  request.set_queue_id(message.queue_id());
  request.add_message_ids(message.receipt());
  c.broker.call(&stub::Ack, request);
}

/// Messages are taken with an acknowledgement of our own, also for --auto-ack: what was handed over but never printed, because
/// somebody pressed Ctrl-C, comes back.
void subscribe(command_context& c, const subscribe_options& o) {
  auto request = request_for<v1::SubscribeRequest>(static_cast<const queue_target&>(o));
  request.set_max_in_flight(o.max_in_flight);
  grpc::ClientContext context;
  const interruption::scope ending(c.interrupted, [&context] { context.TryCancel(); });
  const auto stream = c.broker.subscribe(context, request);
  v1::Message message;
  auto left = o.count;
  for (; left > 0 && stream->Read(&message); --left) {
    c.out.message(message);
    c.out.flush();
    if (o.ack) acknowledge(c, message);
    if (left == 1) context.TryCancel();
  }
  const auto status = stream->Finish();
  if (left > 0) require_ok(status);
}

}  // namespace

void add_subscribe_command(command_line& line) {
  const auto o = std::make_shared<subscribe_options>();
  auto* sub = line.add(nullptr, "subscribe", "Print messages as they come, until Ctrl-C", messages_group);
  o->add_to(sub);
  line.on(sub, [o](command_context& c) { until_interrupted([&] { subscribe(c, *o); }); });
}

}  // namespace mqlite::cli
