#include "cli/text/stats_view.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <map>
#include <stdexcept>
#include <utility>

#include "cli/text/escape.hpp"
#include "cli/text/table.hpp"
#include "cli/text/units.hpp"

namespace mqlite::cli {
namespace {

namespace json = boost::json;
using std::chrono::milliseconds;

/// The number called `name`, 0 when there is none: a broker of another version may say less.
std::int64_t number(const json::object& from, std::string_view name) {
  const auto* value = from.if_contains(name);
  if (!value) return 0;
  if (value->is_int64()) return value->get_int64();
  return value->is_uint64() ? static_cast<std::int64_t>(value->get_uint64()) : 0;
}

std::string text(const json::object& from, std::string_view name) {
  const auto* value = from.if_contains(name);
  return value && value->is_string() ? escaped(std::string_view(value->get_string())) : std::string();
}

bool flag(const json::object& from, std::string_view name) {
  const auto* value = from.if_contains(name);
  return value && value->is_bool() && value->get_bool();
}

const json::object& member(const json::object& from, std::string_view name) {
  static const json::object nothing;
  const auto* value = from.if_contains(name);
  return value && value->is_object() ? value->get_object() : nothing;
}

std::string count(const json::object& from, std::string_view name) { return count_text(number(from, name)); }

std::string log_text(const json::object& log) {
  if (!flag(log, "enabled")) return "log off";
  if (!flag(log, "healthy")) return "LOG CANNOT BE WRITTEN: " + text(log, "problem");
  return "log " + bytes_text(number(log, "bytes")) + ", fsync " + text(log, "fsync");
}

/// How much the counter `name` grew a second.
std::string rate(const json::object& now, const json::object& before, std::string_view name, milliseconds between) {
  const auto grown = std::max<std::int64_t>(number(now, name) - number(before, name), 0);
  return rate_text(static_cast<double>(grown) * 1000 / static_cast<double>(std::max<std::int64_t>(between.count(), 1)));
}

using topics_by_name = std::map<std::pair<std::string, std::string>, const json::object*>;

topics_by_name topics_of(const json::object& stats) {
  topics_by_name topics;
  const auto* list = stats.if_contains("topics");
  if (!list || !list->is_array()) return topics;
  for (const auto& topic : list->get_array())
    if (topic.is_object())
      topics[{text(topic.get_object(), "namespace"), text(topic.get_object(), "name")}] = &topic.get_object();
  return topics;
}

bool selects(const topic_filter& filter, const std::string& name_space, const std::string& topic) {
  return (filter.name_space.empty() || name_space == filter.name_space) &&
         (filter.topic.empty() || topic == filter.topic);
}

table topics_table(const json::object& now, const json::object& before, milliseconds between,
                   const topic_filter& filter) {
  table rows({{"NAMESPACE"},
              {"TOPIC"},
              number_column("QUEUES"),
              number_column("READY"),
              number_column("LEASED"),
              number_column("DELAYED"),
              number_column("DEAD"),
              number_column("CONSUMERS"),
              number_column("PUBLISHED/S"),
              number_column("DELIVERED/S"),
              number_column("ACKED/S")});
  const auto earlier = topics_of(before);
  for (const auto& [name, topic] : topics_of(now)) {
    if (!selects(filter, name.first, name.second)) continue;
    const auto found = earlier.find(name);
    const auto& old = found == earlier.end() ? *topic : *found->second;
    rows.add({name.first, name.second, count(*topic, "queue_count"), count(*topic, "ready"), count(*topic, "leased"),
              count(*topic, "delayed"), count(*topic, "dead"), count(*topic, "consumers"),
              rate(*topic, old, "published", between), rate(*topic, old, "delivered", between),
              rate(*topic, old, "acknowledged", between)});
  }
  return rows;
}

std::string headline(const json::object& stats) {
  return "MQLite " + text(stats, "version") + "  up " + duration_text(milliseconds(number(stats, "uptime_ms")));
}

}  // namespace

json::object read_stats(std::string_view text) {
  json::error_code error;
  auto value = json::parse(json::string_view(text.data(), text.size()), error);
  if (error || !value.is_object()) throw std::runtime_error("the broker's statistics cannot be read");
  return std::move(value.get_object());
}

std::string describe_stats(const json::object& stats) {
  const auto& totals = member(stats, "totals");
  const auto& memory = member(stats, "memory");
  std::string out = headline(stats) + "\n";
  out += "  holds        " + count(totals, "namespaces") + " namespaces, " + count(totals, "topics") + " topics, " +
         count(totals, "queues") + " queues\n";
  out += "  messages     " + count(totals, "ready") + " ready, " + count(totals, "leased") + " leased, " +
         count(totals, "delayed") + " delayed, " + count(totals, "dead") + " dead\n";
  out += "  so far       " + count(totals, "published") + " published, " + count(totals, "delivered") + " delivered, " +
         count(totals, "acknowledged") + " acknowledged, " + count(totals, "redelivered") + " redelivered\n";
  out += "  stealing     " + count(totals, "stolen") + " messages moved in " + count(totals, "steals") + " steals\n";
  out += "  consumers    " + count(totals, "consumers") + "\n";
  out += "  memory       " + bytes_text(number(memory, "resident_bytes")) + ", of it messages " +
         bytes_text(number(memory, "message_bytes")) + "\n";
  out += "  persistence  " + log_text(member(stats, "log")) + "\n";
  out += "  connections ";
  for (const auto& [protocol, open] : member(stats, "connections"))
    out += " " + escaped(std::string_view(protocol.data(), protocol.size())) + " " +
           count_text(open.is_int64() ? open.get_int64() : 0);
  return out + "\n";
}

void keep_topics(json::object& stats, const topic_filter& filter) {
  auto* list = stats.if_contains("topics");
  if (!list || !list->is_array()) return;
  auto& topics = list->get_array();
  const auto others = std::remove_if(topics.begin(), topics.end(), [&](const json::value& topic) {
    return !topic.is_object() ||
           !selects(filter, text(topic.get_object(), "namespace"), text(topic.get_object(), "name"));
  });
  topics.erase(others, topics.end());
}

std::string overview(const json::object& now, const json::object& before, milliseconds between,
                     const topic_filter& filter) {
  const auto& totals = member(now, "totals");
  const auto& earlier = member(before, "totals");
  std::string out = headline(now) + "  " + log_text(member(now, "log")) + "  memory " +
                    bytes_text(number(member(now, "memory"), "resident_bytes")) + "\n";
  out += "published " + rate(totals, earlier, "published", between) + "/s  delivered " +
         rate(totals, earlier, "delivered", between) + "/s  acknowledged " +
         rate(totals, earlier, "acknowledged", between) + "/s\n\n";
  return out + topics_table(now, before, between, filter).text();
}

}  // namespace mqlite::cli
