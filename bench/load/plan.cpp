#include "bench/load/plan.hpp"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <iterator>

namespace mqlite::load {
namespace {

struct protocol_name {
  const char* name;
  std::uint16_t port;  // where its server listens by default
};
constexpr protocol_name protocols[] = {{"tcp", 7070},      {"tcp-json", 7070},       {"http", 8080},
                                       {"grpc", 9090},     {"grpc-stream", 9090},    {"caf", 6060},
                                       {"redis", 6379},    {"nats", 4222},           {"beanstalkd", 11300},
                                       {"rabbitmq", 5672}, {"rabbitmq-quorum", 5672}};
constexpr const char* workloads[] = {"publish", "request", "drain", "end-to-end"};

/// What the command line has, before it is known to make sense.
struct given {
  std::string via = "tcp", what = "publish", address, name_space = "bench", topic;
  std::optional<std::uint64_t> connections, outstanding, batch, queues, count;
  std::uint64_t payload_size = 256;
  std::optional<double> duration, warm_up, rate;
  int server_pid = 0;
  bool keep = false, json = false;
};

void declare(CLI::App& app, given& in) {
  app.option_defaults()->always_capture_default(false);
  app.add_option("--protocol", in.via,
                 "tcp (default), tcp-json, http, grpc, grpc-stream or caf; redis, nats, beanstalkd, rabbitmq (a "
                 "classic queue) or rabbitmq-quorum for the same load on another server");
  app.add_option("--workload", in.what, "publish (default), request, drain or end-to-end");
  app.add_option("--address", in.address, "HOST:PORT of the server; by default its usual port on 127.0.0.1");
  app.add_option("--connections", in.connections, "connections (8; 1 for request, drain and end-to-end)");
  app.add_option("--outstanding", in.outstanding, "requests under way on each connection (64; 1 when draining)");
  app.add_option("--batch", in.batch, "messages of a publish (1), or of a consume and its ack (100)");
  app.add_option("--payload-size", in.payload_size, "bytes of a payload (256)");
  app.add_option("--queues", in.queues, "queues of the topic (1); above 1000 they are spread over several topics");
  app.add_option("--duration", in.duration, "seconds to measure (5)");
  app.add_option("--count", in.count, "messages to measure, in place of a duration; to drain (200000)");
  app.add_option("--warm-up", in.warm_up, "seconds before the measurement (1)");
  app.add_option("--rate", in.rate, "messages a second, end-to-end (10000)");
  app.add_option("--namespace", in.name_space, "the topic's namespace (bench); made where it is missing");
  app.add_option("--topic", in.topic, "a topic of the run's own; by default a new name");
  app.add_flag("--keep", in.keep, "the topic may exist before, and stays afterwards");
  app.add_option("--server-pid", in.server_pid, "process whose CPU time and memory are reported");
  app.add_flag("--json", in.json, "the report is one line of JSON");
}

template <class Names>
std::size_t position(const Names& names, const std::string& name, const char* what) {
  for (std::size_t i = 0; i < std::size(names); ++i) {
    if constexpr (requires { names[i].name; }) {
      if (name == names[i].name) return i;
    } else {
      if (name == names[i]) return i;
    }
  }
  throw usage_error("there is no " + std::string(what) + " " + name);
}

void require(bool sound, const std::string& text) {
  if (!sound) throw usage_error(text);
}

void read_address(plan& out, const std::string& text) {
  const auto colon = text.rfind(':');
  const auto digits = colon == std::string::npos ? "" : text.substr(colon + 1);
  const bool number =
      !digits.empty() && digits.size() <= 5 && digits.find_first_not_of("0123456789") == std::string::npos;
  const auto port = number ? std::stoul(digits) : 0;
  require(colon > 0 && port > 0 && port < 65536, "--address takes HOST:PORT, not " + text);
  out.host = text.substr(0, colon);
  out.port = static_cast<std::uint16_t>(port);
}

std::size_t bounded(const std::optional<std::uint64_t>& given, std::size_t usual, std::uint64_t most,
                    const char* name) {
  const auto value = given.value_or(usual);
  require(value >= 1 && value <= most, std::string(name) + " is from 1 to " + std::to_string(most));
  return static_cast<std::size_t>(value);
}

double positive(const std::optional<double>& given, double usual, double least, const char* name) {
  const auto value = given.value_or(usual);
  require(value >= least && value <= 86'400 * 365.0,
          std::string(name) + " is " + std::to_string(value) + ": too " + (value < least ? "little" : "much"));
  return value;
}

/// What only some workloads and servers have.
void check_combination(const plan& out, const given& in) {
  const bool drains = out.what == workload::drain;
  const bool streams = out.what == workload::end_to_end;
  require(!(in.count && in.duration), "--count and --duration exclude each other");
  require(!(drains && in.duration), "drain takes --count, not --duration: it ends when the queue is empty");
  require(!(drains && in.warm_up), "drain has no --warm-up: every message is drained once");
  require(streams || !in.rate, "--rate is for end-to-end: the other workloads go as fast as the server");
  require(!(streams && (in.outstanding || in.batch)), "end-to-end goes by --rate, without --outstanding and --batch");
  require(!(out.what == workload::request && in.outstanding), "request has one request under way: no --outstanding");
  require(!(is_peer(out.via) && out.queues > 1), "--queues: other servers are measured with one queue");
  require(!(is_peer(out.via) && !drains && out.batch > 1), "--batch: other servers have no batches to publish");
  require(out.via != protocol::grpc_stream || drains || out.batch == 1, "--batch: a stream gathers by itself");
  require(!(drains && in.outstanding && out.outstanding > 64), "--outstanding is at most 64 when draining");
  require(!(drains && out.via == protocol::nats && out.outstanding > 1),
          "--outstanding: a pull of NATS is one at a time");
  require(!(drains && pushes(out.via) && out.outstanding > 1), "--outstanding: RabbitMQ pushes without being asked");
  const std::size_t least = (streams ? stamp_size : 0) + (is_json(out.via) ? 2 : 0);
  require(out.payload_size >= least, "--payload-size is at least " + std::to_string(least) + " here");
}

plan checked(const given& in) {
  plan out;
  out.via = static_cast<protocol>(position(protocols, in.via, "protocol"));
  out.what = static_cast<workload>(position(workloads, in.what, "workload"));
  out.port = protocols[static_cast<std::size_t>(out.via)].port;
  if (!in.address.empty()) read_address(out, in.address);
  const bool drains = out.what == workload::drain;
  out.connections = bounded(in.connections, out.what == workload::publish ? 8 : 1, 20'000, "--connections");
  const bool one = drains || out.what == workload::request;
  out.outstanding = bounded(in.outstanding, one ? 1 : 64, 100'000, "--outstanding");
  out.batch = bounded(in.batch, drains ? 100 : 1, 10'000, "--batch");
  require(in.payload_size <= 1u << 30, "--payload-size is at most 1 GiB");
  out.payload_size = static_cast<std::size_t>(in.payload_size);
  out.queues = bounded(in.queues, 1, 100'000, "--queues");
  out.seconds = positive(in.duration, 5, 0.01, "--duration");
  out.warm_up = positive(in.warm_up, 1, 0, "--warm-up");
  out.rate = positive(in.rate, 10'000, 1, "--rate");
  if (in.count) out.count = bounded(in.count, 1, 1'000'000'000'000, "--count");
  if (drains && !out.count) out.count = 200'000;
  out.name_space = in.name_space;
  out.topic = in.topic.empty() ? "bench-" + std::to_string(getpid()) : in.topic;
  require(in.server_pid >= 0, "--server-pid is a process");
  out.server_pid = in.server_pid;
  out.keep = in.keep;
  out.json = in.json;
  check_combination(out, in);
  return out;
}

}  // namespace

const char* name_of(protocol via) noexcept { return protocols[static_cast<std::size_t>(via)].name; }
const char* name_of(workload what) noexcept { return workloads[static_cast<std::size_t>(what)]; }

std::optional<plan> read_plan(int argc, const char* const* argv) {
  CLI::App app{"Puts load on a broker and reports what it answered, and how soon."};
  app.set_help_flag("--help", "this text");
  given in;
  declare(app, in);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    std::cout << app.help();
    return {};
  } catch (const CLI::ParseError& error) {
    throw usage_error(error.what());
  }
  return checked(in);
}

}  // namespace mqlite::load
