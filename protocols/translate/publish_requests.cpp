#include "protocols/translate/publish_requests.hpp"

#include <algorithm>
#include <map>
#include <string>

#include "protocols/translate/base64.hpp"
#include "protocols/translate/json_fields.hpp"
#include "protocols/translate/json_slices.hpp"
#include "protocols/translate/requests.hpp"

namespace mqlite {
namespace {

constexpr std::string_view publish_fields[] = {"payload",  "payload_base64", "headers",       "routing_key",
                                               "queue_id", "delay_ms",       "deliver_at_ms", "ttl_ms"};

using header_map = std::map<std::string, std::string>;

/// The payload's bytes; `decoded` holds them where they came as Base64.
std::string_view read_payload(json_fields& fields, std::string& decoded) {
  const auto plain = fields.raw("payload");
  const bool as_base64 = fields.has("payload_base64");
  if (!plain.empty() && as_base64) fields.refuse("`payload` and `payload_base64` exclude each other");
  if (!as_base64) {
    if (plain.empty()) fields.refuse("`payload` or `payload_base64` is required");
    return plain;
  }
  const auto text = fields.string("payload_base64");
  if (!text) return {};
  auto bytes = decode_base64(*text);
  if (!bytes)
    fields.refuse("`payload_base64` must be Base64 with padding (RFC 4648)");
  else
    decoded = std::move(*bytes);
  return decoded;
}

header_map read_headers(json_fields& fields) {
  header_map headers;
  if (!fields.has("headers")) return headers;
  const auto object = fields.raw("headers");
  if (object.front() != '{') {
    fields.refuse("`headers` must be an object of strings");
    return headers;
  }
  std::string buffer;
  for (object_members members(object); members.next();) {
    const auto value = members.value();
    if (value.front() == '"')
      headers[std::string(members.name())] = unescape(value, buffer);
    else
      fields.refuse("`headers` must be an object of strings: `" + std::string(members.name()) + "` is none");
  }
  return headers;
}

/// When the message may be delivered, 0 = at once.
std::int64_t read_not_before(json_fields& fields, std::int64_t now) {
  const auto delay = fields.duration("delay_ms", 0);
  const auto moment = fields.integer("deliver_at_ms", 0, latest_ms);
  if (delay && moment) fields.refuse("`delay_ms` and `deliver_at_ms` exclude each other");
  if (delay && delay->count() > 0) return now + delay->count();
  if (moment && *moment * nanoseconds_per_ms > now) return *moment * nanoseconds_per_ms;
  return 0;
}

}  // namespace

outcome<draft> make_draft(std::string_view payload, const message_attributes& attributes, queue_number queue,
                          std::int64_t not_before, const publish_terms& terms) {
  std::uint64_t size = payload.size() + attributes.routing_key.size();
  for (const auto& [name, value] : attributes.headers) size += name.size() + value.size();
  if (size > terms.max_message_bytes)
    return failure{error_code::too_large,
                   "the message has " + std::to_string(size) + " bytes of payload, headers and routing key; at most " +
                       std::to_string(terms.max_message_bytes) + " are allowed (limits.max_message_bytes)"};
  draft result;
  result.queue = queue;
  result.not_before = not_before;
  result.has_key = !attributes.routing_key.empty();
  if (result.has_key) result.key_hash = routing_hash(attributes.routing_key);
  result.message =
      attributes.empty() ? message::make(payload) : message::make(payload, attributes.encode(), attributes.expires_at);
  return result;
}

outcome<draft> read_publish(std::string_view object, const publish_terms& terms) {
  json_fields fields(object, publish_fields);
  std::string decoded;
  const auto payload = read_payload(fields, decoded);
  message_attributes attributes;
  attributes.headers = read_headers(fields);
  if (auto key = fields.string("routing_key")) attributes.routing_key = std::move(*key);
  if (const auto ttl = fields.duration("ttl_ms", 1)) attributes.expires_at = terms.now + ttl->count();

  const auto queue = read_queue(fields, any_queue);
  const auto not_before = read_not_before(fields, terms.now);
  if (fields.refusal()) return *fields.refusal();
  return make_draft(payload, attributes, queue, not_before, terms);
}

outcome<std::vector<outcome<draft>>> read_publish_batch(std::string_view object, const publish_terms& terms) {
  constexpr std::string_view known[] = {"messages"};
  const failure wrong{error_code::invalid_argument, "`messages` must be an array of objects"};
  const auto list = json_fields(object, known).raw("messages");
  if (list.empty() || list.front() != '[') return wrong;
  std::vector<std::string_view> texts;
  for (array_elements elements(list); elements.next();) {
    if (elements.value().front() != '{') return wrong;
    if (texts.size() == most_batch)
      return failure{error_code::invalid_argument,
                     "`messages` must hold at most " + std::to_string(most_batch) + " messages"};
    texts.push_back(elements.value());
  }
  std::vector<outcome<draft>> drafts;
  drafts.reserve(texts.size());
  for (const auto text : texts) drafts.push_back(read_publish(text, terms));
  return drafts;
}

}  // namespace mqlite
