#include "bench/load/report.hpp"

#include <boost/json.hpp>
#include <cstdarg>
#include <cstdio>

namespace mqlite::load {
namespace {

constexpr double percentiles[] = {50, 90, 99, 99.9, 99.99};

double per_second(const result& r) { return r.seconds > 0 ? static_cast<double>(r.messages) / r.seconds : 0; }

double microseconds(std::uint64_t nanoseconds) { return static_cast<double>(nanoseconds) / 1000; }

double server_cpu_per_message(const result& r) {
  return r.messages == 0 ? 0 : r.server_cpu_seconds * 1e6 / static_cast<double>(r.messages);
}

[[gnu::format(printf, 2, 3)]] void add(std::string& out, const char* format, ...) {
  char line[256];
  va_list values;
  va_start(values, format);
  std::vsnprintf(line, sizeof line, format, values);
  va_end(values);
  out += line;
}

std::string shape(const plan& p) {
  std::string out = std::to_string(p.connections) + (p.connections == 1 ? " connection" : " connections");
  if (p.what == workload::end_to_end) {
    out += ", " + std::to_string(static_cast<std::uint64_t>(p.rate)) + " messages/s";
  } else {
    out += " x " + std::to_string(p.outstanding) + " outstanding";
    if (p.batch > 1) out += ", batches of " + std::to_string(p.batch);
  }
  return out + ", " + std::to_string(p.payload_size) + " bytes, " + std::to_string(p.queues) +
         (p.queues == 1 ? " queue" : " queues");
}

void add_latency(std::string& out, const plan& p, const result& r) {
  add(out, "  latency of %s, in microseconds\n",
      p.what == workload::end_to_end ? "a message from due to arrival" : "a request");
  for (const double percent : percentiles)
    add(out, "    p%-8g %12.1f\n", percent, microseconds(r.latency.percentile(percent)));
  add(out, "    max       %12.1f\n    mean      %12.1f\n", microseconds(r.latency.largest()), r.latency.mean() / 1000);
}

std::string as_table(const plan& p, const result& r) {
  std::string out = std::string(name_of(p.via)) + ", " + name_of(p.what) + ": " + shape(p) + "\n";
  add(out, "  messages   %12llu in %.3f s%s\n", static_cast<unsigned long long>(r.messages), r.seconds,
      r.interrupted ? " (interrupted)" : "");
  add(out, "  rate       %12.0f messages/s, %.1f MB/s\n", per_second(r),
      per_second(r) * static_cast<double>(p.payload_size) / 1e6);
  if (r.latency.total() > 0) add_latency(out, p, r);  // what is pushed answers no request
  if (p.server_pid != 0)
    add(out, "  server     %12.3f us of CPU a message, %.1f MB resident\n", server_cpu_per_message(r),
        static_cast<double>(r.server_bytes) / 1e6);
  add(out, "  client     %12.3f us of CPU a message\n",
      r.messages == 0 ? 0 : r.client_cpu_seconds * 1e6 / static_cast<double>(r.messages));
  return out;
}

boost::json::object latency(const result& r) {
  boost::json::object out;
  for (const double percent : percentiles) {
    char name[16];
    std::snprintf(name, sizeof name, "p%g", percent);
    out[name] = microseconds(r.latency.percentile(percent));
  }
  out["max"] = microseconds(r.latency.largest());
  out["mean"] = r.latency.mean() / 1000;
  out["count"] = r.latency.total();
  return out;
}

std::string as_json(const plan& p, const result& r) {
  boost::json::object out{{"protocol", name_of(p.via)},
                          {"workload", name_of(p.what)},
                          {"connections", p.connections},
                          {"outstanding", p.outstanding},
                          {"batch", p.batch},
                          {"payload_size", p.payload_size},
                          {"queues", p.queues},
                          {"messages", r.messages},
                          {"seconds", r.seconds},
                          {"per_second", per_second(r)},
                          {"latency_us", latency(r)},
                          {"published", r.published},
                          {"acknowledged", r.acknowledged},
                          {"client_cpu_s", r.client_cpu_seconds},
                          {"interrupted", r.interrupted}};
  if (p.what == workload::end_to_end) out["rate"] = p.rate;
  if (r.stored) out["stored"] = *r.stored;
  if (p.server_pid != 0) {
    out["server_cpu_s"] = r.server_cpu_seconds;
    out["server_cpu_us_per_message"] = server_cpu_per_message(r);
    out["server_bytes"] = r.server_bytes;
  }
  return boost::json::serialize(out) + "\n";
}

}  // namespace

std::string report(const plan& what, const result& measured) {
  return what.json ? as_json(what, measured) : as_table(what, measured);
}

std::string contradiction(const plan& what, const result& measured) {
  if (what.keep || !measured.stored || measured.interrupted || is_peer(what.via)) return {};
  const auto held = measured.published - measured.acknowledged;
  if (held == *measured.stored) return {};
  return std::to_string(measured.published) + " publishes and " + std::to_string(measured.acknowledged) +
         " acks were answered, but the topic holds " + std::to_string(*measured.stored) + " messages";
}

}  // namespace mqlite::load
