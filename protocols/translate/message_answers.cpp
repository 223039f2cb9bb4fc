#include "protocols/translate/answers.hpp"
#include "protocols/translate/base64.hpp"
#include "protocols/translate/json_text.hpp"

namespace mqlite {
namespace {

void append_payload(std::string& out, std::string_view payload) {
  if (is_json(payload)) {
    out += ",\"payload\":";
    out += payload;
    return;
  }
  out += ",\"payload_base64\":\"";
  append_base64(out, payload);
  out += '"';
}

/// `headers` and, where there is one, `routing_key`.
void append_attributes(std::string& out, std::string_view bytes) {
  message_attributes attributes;
  if (bytes.empty() || !message_attributes::decode(bytes, attributes)) {
    out += ",\"headers\":{}";
    return;
  }
  out += ",\"headers\":{";
  bool first = true;
  for (const auto& [name, value] : attributes.headers) {
    if (!first) out += ',';
    first = false;
    append_json_string(out, name);
    out += ':';
    append_json_string(out, value);
  }
  out += '}';
  if (attributes.routing_key.empty()) return;
  out += ",\"routing_key\":";
  append_json_string(out, attributes.routing_key);
}

void append_id(std::string& out, message_id id) {
  const auto start = out.size();
  out.resize(start + message_id::text_size);
  id.write_text(out.data() + start);
}

/// All of a message but the brace at its end.
void append_members(std::string& out, const message_origin& from, const message& which, queue_number queue,
                    std::uint32_t deliveries) {
  out += "{\"id\":\"";
  append_id(out, which.id());
  out += "\",\"namespace\":\"";
  out += from.name_space;
  out += "\",\"topic\":\"";
  out += from.topic;
  out += "\",\"queue_id\":";
  append_number(out, queue);
  append_payload(out, which.payload());
  out += ",\"timestamp\":";
  append_number(out, which.id().timestamp());
  append_attributes(out, which.attributes());
  out += ",\"delivery_count\":";
  append_number(out, deliveries);
  out += ",\"receipt\":\"";
  append_id(out, which.id());
  out += '#';
  append_number(out, deliveries);
  out += '"';
}

}  // namespace

std::string_view name_of(dead_reason reason) noexcept {
  switch (reason) {
    case dead_reason::none:
      return "none";
    case dead_reason::max_deliveries:
      return "max_deliveries";
    case dead_reason::expired:
      return "expired";
    case dead_reason::overflow:
      return "overflow";
  }
  return "none";
}

void append_message(std::string& out, const message_origin& from, const delivery& message) {
  append_members(out, from, *message.message, message.queue, message.deliveries);
  out += '}';
}

void append_messages(std::string& out, const message_origin& from, const std::vector<delivery>& messages) {
  out += '[';
  for (const auto& message : messages) {
    if (&message != &messages.front()) out += ',';
    append_message(out, from, message);
  }
  out += ']';
}

void append_messages(std::string& out, const message_origin& from, const std::vector<peeked>& messages) {
  out += '[';
  for (const auto& seen : messages) {
    if (&seen != &messages.front()) out += ',';
    append_members(out, from, *seen.message, seen.queue, seen.deliveries);
    if (seen.reason != dead_reason::none) {
      out += ",\"reason\":\"";
      out += name_of(seen.reason);
      out += "\",\"dead_at\":";
      append_number(out, seen.dead_at);
    }
    out += '}';
  }
  out += ']';
}

}  // namespace mqlite
