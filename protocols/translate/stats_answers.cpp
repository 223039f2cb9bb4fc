#include "protocols/translate/stats_answers.hpp"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <utility>

#include "protocols/translate/json_text.hpp"

namespace mqlite {
namespace {

/// Sums over topics.
struct summary {
  topic_totals totals;
  std::uint64_t queues = 0;
  std::uint64_t ready = 0;
  std::uint64_t leased = 0;
  std::uint64_t delayed = 0;
  std::uint64_t dead = 0;
  std::uint64_t bytes = 0;
  std::uint64_t consumers = 0;
};

void add(summary& sum, const topic_details& topic) {
  sum.totals += topic.totals;
  sum.dead += topic.dead;
  sum.queues += topic.queues.size();
  for (const auto& queue : topic.queues) {
    sum.ready += queue.ready;
    sum.leased += queue.leased;
    sum.delayed += queue.delayed;
    sum.bytes += queue.bytes;
    sum.consumers += queue.consumers;
  }
}

summary sum_up(const broker_stats& stats) {
  summary sum;
  for (const auto& topic : stats.topics) add(sum, topic);
  return sum;
}

/// Bytes of this process in memory (proc(5), statm).
std::uint64_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::uint64_t size = 0, resident = 0;
  statm >> size >> resident;
  return resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

/// Writes the members of one object.
class object_writer {
 public:
  /// A member of the object around it.
  object_writer(std::string& out, std::string_view name) : out_(out) { out_ += ",\"" + std::string(name) + "\":{"; }
  /// An element of an array, or an object of its own.
  explicit object_writer(std::string& out) : out_(out) { out_ += '{'; }
  ~object_writer() { out_ += '}'; }
  object_writer(const object_writer&) = delete;
  object_writer& operator=(const object_writer&) = delete;

  template <class T>
  object_writer& add(std::string_view name, const T& value) {
    out_ += first_ ? "\"" : ",\"";
    first_ = false;
    out_ += name;
    out_ += "\":";
    if constexpr (std::is_same_v<T, bool>)
      out_ += value ? "true" : "false";
    else if constexpr (std::is_integral_v<T>)
      append_number(out_, value);
    else
      append_json_string(out_, value);
    return *this;
  }

 private:
  std::string& out_;
  bool first_ = true;
};

/// What is the same for all topics together and for one.
void add_summary(object_writer& object, const summary& sum) {
  object.add("ready", sum.ready)
      .add("leased", sum.leased)
      .add("delayed", sum.delayed)
      .add("dead", sum.dead)
      .add("bytes", sum.bytes)
      .add("consumers", sum.consumers)
      .add("published", sum.totals.published)
      .add("delivered", sum.totals.delivered)
      .add("acknowledged", sum.totals.acknowledged)
      .add("redelivered", sum.totals.redelivered)
      .add("dead_lettered", sum.totals.dead_lettered)
      .add("steals", sum.totals.steals)
      .add("stolen", sum.totals.stolen)
      .add("steal_refusals", sum.totals.steal_refusals);
}

void append_totals(std::string& out, const broker_stats& stats, const summary& sum) {
  object_writer object(out, "totals");
  object.add("namespaces", stats.namespaces).add("topics", stats.topics.size()).add("queues", sum.queues);
  add_summary(object, sum);
}

void append_topic(std::string& out, const topic_details& topic) {
  summary sum;
  add(sum, topic);
  object_writer object(out);
  object.add("namespace", topic.name_space)
      .add("name", topic.info.name)
      .add("queue_count", topic.info.queue_count)
      .add("version", topic.info.version)
      .add("draining", topic.draining);
  add_summary(object, sum);
}

void append_topics(std::string& out, const broker_stats& stats) {
  out += ",\"topics\":[";
  bool first = true;
  for (const auto& topic : stats.topics) {
    if (!std::exchange(first, false)) out += ',';
    append_topic(out, topic);
  }
  out += ']';
}

/// Per second, on average since the broker started.
void append_rates(std::string& out, const topic_totals& totals, double seconds) {
  const auto per_second = [&](std::uint64_t count) {
    return static_cast<std::uint64_t>(std::llround(static_cast<double>(count) / std::max(seconds, 1.0)));
  };
  object_writer(out, "rates")
      .add("published", per_second(totals.published))
      .add("delivered", per_second(totals.delivered))
      .add("acknowledged", per_second(totals.acknowledged));
}

void append_rewrite(std::string& out, const rewrite_status& rewrite) {
  object_writer(out, "rewrite")
      .add("running", rewrite.running)
      .add("messages", rewrite.messages)
      .add("bytes", rewrite.bytes)
      .add("succeeded", rewrite.succeeded)
      .add("failed", rewrite.failed)
      .add("last_problem", rewrite.last_problem)
      .add("last_duration_ms", std::chrono::duration_cast<std::chrono::milliseconds>(rewrite.last_duration).count())
      .add("last_ended", rewrite.last_ended);
}

void append_log(std::string& out, const log_status& log) {
  object_writer object(out, "log");
  object.add("enabled", log.enabled)
      .add("healthy", log.healthy)
      .add("problem", log.problem)
      .add("fsync", log.fsync)
      .add("dir", log.folder)
      .add("bytes", log.bytes)
      .add("records", log.records)
      .add("writes", log.writes)
      .add("fsyncs", log.fsyncs)
      .add("base_bytes", log.base_bytes)
      .add("copying", log.copying);
  append_rewrite(out, log.rewrite);
}

void append_connections(std::string& out, const connection_counter& connections) {
  object_writer object(out, "connections");
  for (std::size_t i = 0; i < protocol_names.size(); ++i)
    object.add(protocol_names[i], connections.open(static_cast<protocol>(i)));
}

}  // namespace

void append_stats(std::string& out, const server_facts& facts, const broker_stats& stats, stats_detail detail) {
  const auto sum = sum_up(stats);
  const double up = std::chrono::duration<double>(std::chrono::steady_clock::now() - facts.started).count();
  out += "{\"version\":";
  append_json_string(out, facts.version);
  out += ",\"uptime_ms\":";
  append_number(out, static_cast<std::int64_t>(up * 1000));
  append_totals(out, stats, sum);
  append_rates(out, sum.totals, up);
  append_log(out, stats.log);
  object_writer(out, "memory")
      .add("resident_bytes", resident_bytes())
      .add("message_bytes", sum.bytes)
      .add("max_bytes", facts.max_memory);
  append_connections(out, *facts.connections);
  if (detail == stats_detail::topics) append_topics(out, stats);
  out += '}';
}

}  // namespace mqlite
