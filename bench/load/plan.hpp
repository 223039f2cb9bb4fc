#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>

/// mqlite_bench: a load generator for every door of the broker, and for the servers that it is compared with.
namespace mqlite::load {

/// What is spoken; those behind `caf` are other servers.
enum class protocol { tcp, tcp_json, http, grpc, grpc_stream, caf, redis, nats, beanstalkd, rabbitmq, rabbitmq_quorum };

enum class workload {
  publish,     ///< as many publishes as the server answers, a fixed number of them under way
  request,     ///< the same with one under way on each connection
  drain,       ///< fills, then consumes and acknowledges in batches
  end_to_end,  ///< publishes at a fixed rate to consumers that wait; times from when a publish was due to its arrival
};

/// What is to be done: the command line, checked.
struct plan {
  protocol via = protocol::tcp;
  workload what = workload::publish;
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;
  std::size_t connections = 8;
  std::size_t outstanding = 64;  ///< requests under way on each connection
  std::size_t batch = 1;         ///< messages of a publish; of a consume and its ack where the workload drains
  std::size_t payload_size = 256;
  std::size_t queues = 1;
  double seconds = 5;                  ///< how long is measured, where `count` is absent
  std::optional<std::uint64_t> count;  ///< messages to measure
  double warm_up = 1;                  ///< seconds that are not measured
  double rate = 10'000;                ///< messages a second, of end_to_end
  std::string name_space = "bench";
  std::string topic;   ///< the queue, stream or tube at other servers
  int server_pid = 0;  ///< the process whose CPU time and memory are reported; 0 = none
  bool keep = false;   ///< the topic may exist, and stays
  bool json = false;   ///< the report is JSON
};

/// A command line that makes no sense: one line for its user.
class usage_error : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A run that cannot go on: the server is not there, went away, refuses, or says nothing any more.
class run_error : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Reads the command line. Nothing when it asks for help, which was printed. Throws usage_error.
std::optional<plan> read_plan(int argc, const char* const* argv);

/// The names on the command line.
const char* name_of(protocol via) noexcept;
const char* name_of(workload what) noexcept;

/// Whether the server is none of ours.
constexpr bool is_peer(protocol via) noexcept { return via > protocol::caf; }
/// Whether the server pushes what is drained, as far as a window goes; it is not asked.
constexpr bool pushes(protocol via) noexcept { return via >= protocol::rabbitmq; }
/// Whether payloads are written as JSON strings, whose quotes count.
constexpr bool is_json(protocol via) noexcept { return via == protocol::tcp_json || via == protocol::http; }

/// Digits of the time that end_to_end writes into payloads.
inline constexpr std::size_t stamp_size = 16;

}  // namespace mqlite::load
