#include "cli/commands/commands.hpp"

namespace mqlite::cli {
namespace {

using stub = broker_client::stub;
using std::chrono::milliseconds;

struct consume_options : queue_target {
  v1::ConsumeRequest request;

  void add_to(CLI::App* to);
};

void consume_options::add_to(CLI::App* to) {
  add_optional_to(to, "Number of the queue; when it is left out, all are looked at, most waiting first");
  add_number<std::int32_t>(
      to, "-n,--batch", 1, [this](std::int32_t count) { request.set_batch_size(count); }, "Most messages to take [1]");
  to->add_flag_function(
      "-a,--auto-ack", [this](std::int64_t) { request.set_auto_ack(true); },
      "Acknowledged as they are handed over; else they come back unless they are acknowledged in time");
  const auto set_wait = [this](milliseconds d) { request.set_wait_ms(d.count()); };
  const auto set_lease = [this](milliseconds d) { request.set_lease_ms(d.count()); };
  add_duration(to, "-w,--wait", set_wait, "How long to wait for a first message [0]");
  add_duration(to, "--lease", set_lease, "Time to acknowledge [the topic's ack timeout]");
}

}  // namespace

void add_consume_command(command_line& line) {
  const auto o = std::make_shared<consume_options>();
  auto* consume = line.add(nullptr, "consume", "Take messages", messages_group);
  o->add_to(consume);
  line.on(consume, [o](command_context& c) {
    o->request.set_namespace_(o->name_space);
    o->request.set_topic(o->topic);
    o->request.set_queue_id(o->queue);
    const auto found = c.broker.call(&stub::Consume, o->request, milliseconds(o->request.wait_ms()));
    c.out.json() ? c.out.answer(found) : c.out.messages(found.messages());
  });
}

}  // namespace mqlite::cli
