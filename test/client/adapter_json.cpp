#include "adapter_json.hpp"

#include <charconv>

#include "protocols/translate/base64.hpp"
#include "protocols/translate/json_slices.hpp"
#include "protocols/translate/json_text.hpp"

namespace mqlite::adapter {
namespace {

std::string text_of(std::string_view value) {
  std::string buffer;
  return std::string(unescape(value, buffer));
}

void append_member(std::string& out, const char* name, std::int64_t value) {
  out += "\"" + std::string(name) + "\":" + std::to_string(value);
}

/// All of a message but the brace at its end.
void append_members(std::string& out, const api::message& one, const std::string& name_space,
                    const std::string& topic) {
  out += "{\"id\":\"" + one.id.text() + "\",\"namespace\":\"" + name_space + "\",\"topic\":\"" + topic + "\",";
  append_member(out, "queue_id", one.queue);
  if (is_json(one.payload) && one.payload.find_first_of("\r\n") == std::string::npos) {  // an answer is one line
    out += ",\"payload\":" + one.payload;
  } else {
    out += ",\"payload_base64\":\"";
    append_base64(out, one.payload);
    out += '"';
  }
  out += ',';
  append_member(out, "timestamp", one.id.timestamp());
  out += ",\"headers\":{";
  bool first = true;
  for (const auto& [name, value] : one.headers) {
    if (!std::exchange(first, false)) out += ',';
    append_json_string(out, name);
    out += ':';
    append_json_string(out, value);
  }
  out += '}';
  if (!one.routing_key.empty()) {
    out += ",\"routing_key\":";
    append_json_string(out, one.routing_key);
  }
  out += ',';
  append_member(out, "delivery_count", one.delivery_count);
  out += ",\"receipt\":\"" + one.receipt() + "\"";
}

}  // namespace

// -- reading --------------------------------------------------------------------------------------------------------------------

std::string_view fields::raw(std::string_view name) const {
  if (object_.empty()) return {};
  for (object_members members(object_); members.next();)
    if (members.name() == name) return members.value();
  return {};
}

std::string fields::text(std::string_view name, std::string_view absent) const {
  const auto value = raw(name);
  return value.empty() || value.front() != '"' ? std::string(absent) : text_of(value);
}

std::optional<std::int64_t> fields::number(std::string_view name) const {
  const auto value = raw(name);
  std::int64_t result = 0;
  const auto [end, problem] = std::from_chars(value.data(), value.data() + value.size(), result);
  if (value.empty() || problem != std::errc() || end != value.data() + value.size()) return std::nullopt;
  return result;
}

std::optional<api::milliseconds> fields::duration(std::string_view name) const {
  const auto value = number(name);
  if (!value) return std::nullopt;
  return api::milliseconds(*value);
}

std::vector<fields> fields::objects(std::string_view name) const {
  std::vector<fields> result;
  for (array_elements elements(raw(name)); elements.next();) result.emplace_back(elements.value());
  return result;
}

std::vector<std::string> fields::texts(std::string_view name) const {
  std::vector<std::string> result;
  for (array_elements elements(raw(name)); elements.next();) result.push_back(text_of(elements.value()));
  return result;
}

std::optional<std::vector<std::string>> fields::texts_or_none(std::string_view name) const {
  if (raw(name).empty() || raw(name) == "null") return std::nullopt;
  return texts(name);
}

api::result<api::draft> fields::message() const {
  api::draft result;
  if (const auto base64 = raw("payload_base64"); !base64.empty()) {
    auto bytes = decode_base64(text_of(base64));
    if (!bytes) return api::failure{api::errc::invalid_argument, "`payload_base64` must be Base64"};
    result.payload = std::move(*bytes);
  } else {
    result.payload = raw("payload");
  }
  if (const auto headers = raw("headers"); !headers.empty())
    for (object_members members(headers); members.next();)
      result.headers[std::string(members.name())] = text_of(members.value());
  result.routing_key = text("routing_key");
  result.queue = number("queue_id").value_or(api::usual_queue);
  result.delay = duration("delay_ms").value_or(api::milliseconds(0));
  result.deliver_at = duration("deliver_at_ms").value_or(api::milliseconds(0));
  result.time_to_live = duration("ttl_ms");
  return result;
}

api::consume_options fields::consuming() const {
  api::consume_options result;
  result.batch_size = number("batch_size").value_or(result.batch_size);
  result.auto_ack = flag("auto_ack");
  result.wait = duration("wait_ms").value_or(result.wait);
  result.lease = duration("lease_ms");
  result.queue = number("queue_id").value_or(api::usual_queue);
  return result;
}

api::topic_settings fields::settings() const {
  api::topic_settings result;
  result.ack_timeout = duration("ack_timeout_ms");
  result.max_deliveries = number("max_deliveries");
  result.message_ttl = duration("message_ttl_ms");
  result.max_length = number("max_length");
  result.max_bytes = number("max_bytes");
  if (!raw("overflow").empty()) result.overflow = text("overflow");
  if (!raw("steal").empty()) result.steal = text("steal");
  return result;
}

// -- writing --------------------------------------------------------------------------------------------------------------------

void append_problem(std::string& out, const api::failure& why, std::string_view name) {
  out += "\"code\":\"" + std::string(api::name_of(why.code)) + "\",\"" + std::string(name) + "\":";
  append_json_string(out, why.text);
}

void append(std::string& out, const std::string& text) { append_json_string(out, text); }

void append(std::string& out, const api::published& where) {
  out += '{';
  if (where.ok()) {
    out += "\"message_id\":\"" + where.id.text() + "\",";
    append_member(out, "queue_id", where.queue);
  } else {
    append_problem(out, {where.code, where.text}, "message");
  }
  out += '}';
}

void append(std::string& out, const api::topic_info& info) {
  out += "{\"name\":\"" + info.name + "\",";
  append_member(out, "queue_count", info.queue_count);
  out += ',';
  append_member(out, "version", static_cast<std::int64_t>(info.version));
  out += '}';
}

void append(std::string& out, const api::topic_details& details) {
  append(out, details.info);
  const auto& s = details.settings;
  out.back() = ',';
  append_member(out, "dead", static_cast<std::int64_t>(details.dead));
  out += ",\"settings\":{";
  append_member(out, "ack_timeout_ms", s.ack_timeout.value().count());
  out += ',';
  append_member(out, "max_deliveries", s.max_deliveries.value());
  out += ',';
  append_member(out, "message_ttl_ms", s.message_ttl.value().count());
  out += ',';
  append_member(out, "max_length", s.max_length.value());
  out += ',';
  append_member(out, "max_bytes", s.max_bytes.value());
  out += ",\"overflow\":\"" + s.overflow.value() + "\",\"steal\":\"" + s.steal.value() + "\"},\"queues\":[";
  for (const auto& q : details.queues) {
    if (&q != &details.queues.front()) out += ',';
    out += '{';
    append_member(out, "queue_id", q.queue);
    for (const auto& [name, value] : {std::pair{"ready", q.ready},
                                      {"leased", q.leased},
                                      {"delayed", q.delayed},
                                      {"bytes", q.bytes},
                                      {"consumers", q.consumers}}) {
      out += ',';
      append_member(out, name, static_cast<std::int64_t>(value));
    }
    out += '}';
  }
  out += "]}";
}

void append(std::string& out, const api::resized& how) {
  out += '{';
  append_member(out, "new_queue_count", how.queue_count);
  out += ',';
  append_member(out, "version", static_cast<std::int64_t>(how.version));
  out += how.draining ? ",\"draining\":true}" : ",\"draining\":false}";
}

void append(std::string& out, const api::settled& how, std::string_view action) {
  out += '{';
  append_member(out,
                action == "ack"    ? "acknowledged"
                : action == "nack" ? "returned"
                                   : "extended",
                static_cast<std::int64_t>(how.count));
  if (action == "nack") {
    out += ',';
    append_member(out, "dead_lettered", static_cast<std::int64_t>(how.dead_lettered));
  }
  out += ",\"unknown\":";
  append_list(out, how.unknown);
  out += ",\"stale\":";
  append_list(out, how.stale);
  out += '}';
}

void append(std::string& out, const api::message& one, const std::string& name_space, const std::string& topic) {
  append_members(out, one, name_space, topic);
  out += '}';
}

void append(std::string& out, const api::peeked& one, const std::string& name_space, const std::string& topic) {
  append_members(out, one.message, name_space, topic);
  if (!one.reason.empty()) {
    out += ",\"reason\":\"" + one.reason + "\",";
    append_member(out, "dead_at", one.dead_at);
  }
  out += '}';
}

}  // namespace mqlite::adapter
