#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <limits>

#include "actors/gateway.hpp"
#include "protocols/http/environment.hpp"
#include "protocols/http/handlers/handlers.hpp"
#include "protocols/http/respond.hpp"

/// Prometheus' text format, made from a snapshot at each scrape.
namespace mqlite {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using families = std::vector<MetricFamily>;
using labels = std::vector<ClientMetric::Label>;

template <class T>
struct described {
  std::string_view name;
  std::string_view help;
  std::uint64_t T::*value;
};

constexpr described<topic_totals> counters[] = {
    {"mqlite_messages_published_total", "Messages stored", &topic_totals::published},
    {"mqlite_messages_delivered_total", "Messages handed to consumers, first time or again", &topic_totals::delivered},
    {"mqlite_messages_acknowledged_total", "Messages done with", &topic_totals::acknowledged},
    {"mqlite_messages_redelivered_total", "Messages handed to consumers again", &topic_totals::redelivered},
    {"mqlite_messages_dead_lettered_total", "Messages put aside as dead letters", &topic_totals::dead_lettered},
    {"mqlite_steals_total", "Times that a starving queue took messages from a sibling", &topic_totals::steals},
    {"mqlite_messages_stolen_total", "Messages taken from sibling queues", &topic_totals::stolen},
    {"mqlite_steal_refusals_total", "Times that a starving queue found nothing to take", &topic_totals::steal_refusals},
};

constexpr described<queue_details> queue_gauges[] = {
    {"mqlite_messages_ready", "Messages that wait to be delivered", &queue_details::ready},
    {"mqlite_messages_leased", "Messages delivered and not yet acknowledged", &queue_details::leased},
    {"mqlite_messages_delayed", "Messages that may not be delivered yet", &queue_details::delayed},
    {"mqlite_consumers", "Consumers that wait or are subscribed", &queue_details::consumers},
};

MetricFamily& add_family(families& all, MetricType type, std::string_view name, std::string_view help) {
  auto& family = all.emplace_back();
  family.name = name;
  family.help = help;
  family.type = type;
  return family;
}

ClientMetric& add_metric(MetricFamily& family, labels with = {}) {
  auto& metric = family.metric.emplace_back();
  metric.label = std::move(with);
  return metric;
}

labels labels_of(const topic_details& topic) { return {{"namespace", topic.name_space}, {"topic", topic.info.name}}; }

void add_topics(families& all, const broker_stats& stats) {
  for (const auto& described : counters) {
    auto& family = add_family(all, MetricType::Counter, described.name, described.help);
    for (const auto& topic : stats.topics)
      add_metric(family, labels_of(topic)).counter.value = static_cast<double>(topic.totals.*described.value);
  }
  auto& dead = add_family(all, MetricType::Gauge, "mqlite_messages_dead", "Dead letters");
  for (const auto& topic : stats.topics)
    add_metric(dead, labels_of(topic)).gauge.value = static_cast<double>(topic.dead);
}

void add_queues(families& all, const broker_stats& stats) {
  for (const auto& described : queue_gauges) {
    auto& family = add_family(all, MetricType::Gauge, described.name, described.help);
    for (const auto& topic : stats.topics)
      for (const auto& queue : topic.queues) {
        auto with = labels_of(topic);
        with.push_back({"queue", std::to_string(queue.queue)});
        add_metric(family, std::move(with)).gauge.value = static_cast<double>(queue.*described.value);
      }
  }
}

void add_publish_times(families& all, const latency_histogram& times) {
  auto& family =
      add_family(all, MetricType::Histogram, "mqlite_publish_seconds", "From a publish's arrival to its answer");
  auto& histogram = add_metric(family).histogram;
  for (std::size_t i = 0; i <= latency_histogram::bounds.size(); ++i) {
    const bool last = i == latency_histogram::bounds.size();
    histogram.sample_count += times.count(i);
    histogram.bucket.push_back(
        {histogram.sample_count, last ? std::numeric_limits<double>::infinity() : latency_histogram::bounds[i]});
  }
  histogram.sample_sum = times.sum_seconds();
}

void add_fsync_times(families& all, const duration_histogram& times) {
  auto& family = add_family(all, MetricType::Histogram, "mqlite_log_fsync_seconds", "What an fsync of the log took");
  auto& histogram = add_metric(family).histogram;
  for (std::size_t i = 0; i < times.counts.size(); ++i) {
    const bool last = i == duration_histogram::bounds.size();
    histogram.sample_count += times.counts[i];
    histogram.bucket.push_back(
        {histogram.sample_count, last ? std::numeric_limits<double>::infinity() : duration_histogram::bounds[i]});
  }
  histogram.sample_sum = times.sum;
}

void add_server(families& all, const http_environment& environment, const log_status& log) {
  auto& connections = add_family(all, MetricType::Gauge, "mqlite_connections", "Open connections");
  for (std::size_t i = 0; i < protocol_names.size(); ++i)
    add_metric(connections, {{"protocol", std::string(protocol_names[i])}}).gauge.value =
        static_cast<double>(environment.connections->open(static_cast<protocol>(i)));
  auto& bytes = add_family(all, MetricType::Gauge, "mqlite_log_bytes", "The log's size on disk");
  add_metric(bytes).gauge.value = static_cast<double>(log.bytes);
}

void add_rewrites(families& all, const log_status& log) {
  auto& base = add_family(all, MetricType::Gauge, "mqlite_log_base_bytes", "What the last rewrite of the log has made");
  add_metric(base).gauge.value = static_cast<double>(log.base_bytes);
  auto& running =
      add_family(all, MetricType::Gauge, "mqlite_log_rewrite_running", "1 while the log is being rewritten");
  add_metric(running).gauge.value = log.rewrite.running ? 1 : 0;
  auto& rewrites = add_family(all, MetricType::Counter, "mqlite_log_rewrites_total", "Rewrites of the log that ended");
  add_metric(rewrites, {{"result", "success"}}).counter.value = static_cast<double>(log.rewrite.succeeded);
  add_metric(rewrites, {{"result", "failure"}}).counter.value = static_cast<double>(log.rewrite.failed);
  auto& took = add_family(all, MetricType::Gauge, "mqlite_log_rewrite_last_seconds", "What the last rewrite took");
  add_metric(took).gauge.value = std::chrono::duration<double>(log.rewrite.last_duration).count();
}

}  // namespace

void show_metrics(exchange& x) {
  x.broker().stats([to = x.shared_from_this()](const outcome<broker_stats>& stats) {
    if (!stats) return refuse(*to, stats.why());
    families all;
    add_topics(all, *stats);
    add_queues(all, *stats);
    add_server(all, to->environment(), stats->log);
    add_fsync_times(all, stats->log.fsync_seconds);
    add_rewrites(all, stats->log);
    add_publish_times(all, *to->environment().publish_times);
    to->body() = prometheus::TextSerializer().Serialize(all);
    to->send(200, "text/plain; version=0.0.4; charset=utf-8");
  });
}

}  // namespace mqlite
