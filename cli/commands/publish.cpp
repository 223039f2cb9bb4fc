#include <unistd.h>

#include <cstdio>
#include <iostream>
#include <iterator>
#include <set>

#include "cli/commands/commands.hpp"

namespace mqlite::cli {
namespace {

using stub = broker_client::stub;
using std::chrono::milliseconds;

struct publish_options : topic_target {
  v1::PublishRequest message;
  std::optional<std::string> payload;
  std::vector<std::string> headers;
  bool lines = false;

  void add_to(CLI::App* to);
  void read_headers();
};

void publish_options::add_to(CLI::App* to) {
  topic_target::add_to(to);
  // A function, because CLI11 reads some values of plain options ("{}") as its own notation.
  to->add_option_function<std::string>(
        "PAYLOAD", [this](const std::string& text) { payload = text; },
        "The message; all of standard input when it is left out")
      ->type_name("TEXT");
  to->add_option_function<std::string>(
        "-k,--key", [this](const std::string& text) { message.set_routing_key(text); },
        "Routing key: messages of one key go to one queue")
      ->type_name("TEXT");
  add_queue_or_any(
      to, "-q,--queue", [this](std::int32_t queue) { message.set_queue_id(queue); },
      "Number of the queue to use [any]");
  to->add_option("-H,--header", headers, "A header; may be repeated")->type_name("NAME=VALUE")->allow_extra_args(false);
  const auto set_delay = [this](milliseconds d) { message.set_delay_ms(d.count()); };
  const auto set_ttl = [this](milliseconds d) { message.set_ttl_ms(d.count()); };
  const auto set_moment = [this](std::int64_t ms) { message.set_deliver_at_ms(ms); };
  auto* delay = add_duration(to, "--delay", set_delay, "Not to be delivered before");
  add_number<std::int64_t>(to, "--deliver-at", 0, set_moment, "Not before this moment, in milliseconds since 1970")
      ->type_name("UNIX_MS")
      ->excludes(delay);
  add_duration(to, "--ttl", set_ttl, "A dead letter when it waits longer");
  to->add_flag("--lines", lines, "Each line of standard input is a message of its own");
}

void publish_options::read_headers() {
  for (const auto& header : headers) {
    const auto equals = header.find('=');
    if (equals == std::string::npos || equals == 0) throw bad_usage("--header must be NAME=VALUE");
    (*message.mutable_headers())[header.substr(0, equals)] = header.substr(equals + 1);
  }
}

void publish_one(command_context& c, publish_options& o) {
  if (!o.payload && c.interactive) throw bad_usage("PAYLOAD is required here");
  if (!o.payload) {
    if (isatty(STDIN_FILENO)) c.out.remark("the message, up to Ctrl-D at the start of a line:");
    o.payload = std::string(std::istreambuf_iterator(std::cin), {});
  }
  o.message.set_namespace_(o.name_space);
  o.message.set_topic(o.topic);
  o.message.set_payload(*o.payload);
  const auto where = c.broker.call(&stub::Publish, o.message);
  if (c.out.json()) return c.out.answer(where);
  c.out.line(where.message_id() + "  queue " + std::to_string(where.queue_id()));
}

/// Publishes lines in batches: as many messages as fit well into one request.
class line_publisher {
 public:
  line_publisher(command_context& c, const publish_options& options) : context_(c), options_(options) { start(); }

  void add(std::string line) {
    bytes_ += line.size();
    auto& message = *batch_.add_messages();
    message = options_.message;
    message.set_payload(std::move(line));
    if (batch_.messages_size() == most_messages || bytes_ >= most_bytes) send();
  }

  /// Sends what is left, and sums up.
  void finish() {
    if (batch_.messages_size() > 0) send();
    context_.out.remark("published " + counted(published_, "message") + " to " +
                        counted(static_cast<std::int64_t>(queues_.size()), "queue"));
    if (refused_ > 0) throw call_failed(first_refusal_ + " (" + counted(refused_, "message") + " refused)");
  }

 private:
  static constexpr int most_messages = 1000;
  static constexpr std::size_t most_bytes = 512 * 1024;

  void start() {
    batch_ = request_for<v1::PublishBatchRequest>(static_cast<const topic_target&>(options_));
    bytes_ = 0;
  }

  void send() {
    const auto answer = context_.broker.call(&stub::PublishBatch, batch_);
    for (const auto& result : answer.results()) note(result);
    if (context_.out.json()) context_.out.answer(answer);
    start();
  }

  void note(const v1::PublishResult& result) {
    if (result.code().empty()) {
      ++published_;
      queues_.insert(result.queue_id());
    } else if (++refused_ == 1) {
      first_refusal_ = result.code() + ": " + result.error();
    }
  }

  command_context& context_;
  const publish_options& options_;
  v1::PublishBatchRequest batch_;
  std::size_t bytes_ = 0;
  std::int64_t published_ = 0;
  std::int64_t refused_ = 0;
  std::string first_refusal_;
  std::set<std::int32_t> queues_;
};

void publish_lines(command_context& c, const publish_options& o) {
  if (o.payload) throw bad_usage("PAYLOAD and --lines exclude each other");
  if (c.interactive) throw bad_usage("--lines is for standard input that brings messages, not commands");
  line_publisher publisher(c, o);
  for (std::string line; std::getline(std::cin, line);) publisher.add(std::move(line));
  publisher.finish();
}

}  // namespace

void add_publish_command(command_line& line) {
  const auto o = std::make_shared<publish_options>();
  auto* publish = line.add(nullptr, "publish", "Publish a message, or many", messages_group);
  o->add_to(publish);
  line.on(publish, [o](command_context& c) {
    o->read_headers();
    o->lines ? publish_lines(c, *o) : publish_one(c, *o);
  });
}

}  // namespace mqlite::cli
