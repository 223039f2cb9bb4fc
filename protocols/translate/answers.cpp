#include "protocols/translate/answers.hpp"

#include <algorithm>

#include "protocols/translate/error_names.hpp"
#include "protocols/translate/json_text.hpp"

namespace mqlite {
namespace {

/// Appends `[a,b]`, each element by `append`.
template <class Range, class Append>
void append_array(std::string& out, const Range& range, Append append) {
  out += '[';
  bool first = true;
  for (const auto& element : range) {
    if (!first) out += ',';
    first = false;
    append(element);
  }
  out += ']';
}

template <std::integral T>
void append_member(std::string& out, std::string_view name, T value) {
  out += ",\"";
  out += name;
  out += "\":";
  append_number(out, value);
}

void append_settings(std::string& out, const topic_settings& settings) {
  out += "{\"ack_timeout_ms\":";
  append_number(out, whole_milliseconds(settings.ack_timeout));
  append_member(out, "max_deliveries", settings.max_deliveries);
  append_member(out, "message_ttl_ms", whole_milliseconds(settings.message_ttl));
  append_member(out, "max_length", settings.max_length);
  append_member(out, "max_bytes", settings.max_bytes);
  out += ",\"overflow\":\"";
  out += settings.overflow == overflow_policy::reject ? "reject" : "drop_oldest";
  out += "\",\"steal\":\"";
  out += settings.steal == steal_policy::half ? "half" : "off";
  out += "\"}";
}

void append_queue(std::string& out, const queue_details& queue) {
  out += "{\"queue_id\":";
  append_number(out, queue.queue);
  append_member(out, "ready", queue.ready);
  append_member(out, "leased", queue.leased);
  append_member(out, "delayed", queue.delayed);
  append_member(out, "bytes", queue.bytes);
  append_member(out, "consumers", queue.consumers);
  out += '}';
}

std::string_view counter_of(settlement what) {
  switch (what) {
    case settlement::ack:
      return "acknowledged";
    case settlement::nack:
      return "returned";
    case settlement::extend:
      break;
  }
  return "extended";
}

}  // namespace

void append_published(std::string& out, const published& where) {
  out += "{\"message_id\":\"";
  const auto start = out.size();
  out.resize(start + message_id::text_size);
  where.id.write_text(out.data() + start);
  out += "\",\"queue_id\":";
  append_number(out, where.queue);
  out += '}';
}

void append_failure_members(std::string& out, const failure& why) {
  out += "\"code\":\"";
  out += names_of(why.code).name;
  out += "\",\"message\":";
  append_json_string(out, why.text);
}

void append_settled(std::string& out, settlement what, const settled& result, const named_messages& named) {
  const auto append_text = [&](std::uint32_t position) { append_json_string(out, named.texts.at(position)); };
  auto unknown = result.unknown;
  unknown.insert(unknown.end(), named.no_ids.begin(), named.no_ids.end());
  std::sort(unknown.begin(), unknown.end());
  out += "{\"";
  out += counter_of(what);
  out += "\":";
  append_number(out, result.count);
  if (what == settlement::nack) append_member(out, "dead_lettered", result.dead_lettered);
  out += ",\"unknown\":";
  append_array(out, unknown, append_text);
  out += ",\"stale\":";
  append_array(out, result.stale, append_text);
  out += '}';
}

void append_names(std::string& out, const std::vector<std::string>& names) {
  append_array(out, names, [&](const std::string& name) { append_json_string(out, name); });
}

void append_topic_info(std::string& out, const topic_info& info) {
  out += "\"name\":";
  append_json_string(out, info.name);
  append_member(out, "queue_count", info.queue_count);
  append_member(out, "version", info.version);
}

void append_topics(std::string& out, const std::vector<topic_info>& topics) {
  append_array(out, topics, [&](const topic_info& info) {
    out += '{';
    append_topic_info(out, info);
    out += '}';
  });
}

void append_topic_details(std::string& out, const topic_details& details) {
  out += '{';
  append_topic_info(out, details.info);
  out += ",\"settings\":";
  append_settings(out, details.settings);
  append_member(out, "dead", details.dead);
  out += ",\"draining\":";
  out += details.draining ? "true" : "false";
  out += ",\"queues\":";
  append_array(out, details.queues, [&](const queue_details& queue) { append_queue(out, queue); });
  out += '}';
}

void append_resized(std::string& out, const resized& result) {
  out += "{\"new_queue_count\":";
  append_number(out, result.queue_count);
  append_member(out, "version", result.version);
  out += ",\"draining\":";
  out += result.draining ? "true}" : "false}";
}

void append_backed_up(std::string& out, const backed_up& result) {
  out += "{\"dir\":";
  append_json_string(out, result.folder);
  append_member(out, "bytes", result.bytes);
  out += '}';
}

void append_count(std::string& out, std::string_view name, std::uint64_t count) {
  out += "{\"";
  out += name;
  out += "\":";
  append_number(out, count);
  out += '}';
}

}  // namespace mqlite
