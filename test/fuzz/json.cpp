#include <optional>
#include <string>

#include "protocols/translate/answers.hpp"
#include "protocols/translate/base64.hpp"
#include "protocols/translate/json_slices.hpp"
#include "protocols/translate/json_text.hpp"
#include "protocols/translate/publish_requests.hpp"
#include "protocols/translate/requests.hpp"
#include "test/fuzz/fuzz.hpp"

/// Bodies in JSON: what a publish accepts comes back the same from the answer of a consume; strings and Base64 round-trip; refusals
/// say why.
using namespace mqlite;

namespace {

constexpr publish_terms terms{1'800'000'000'000'000'000, 2000};
constexpr message_origin origin{"n", "t"};

template <class T>
bool accepted(const outcome<T>& read) {
  if (read) return true;
  MQLITE_REQUIRE(read.why().code == error_code::invalid_argument || read.why().code == error_code::too_large);
  MQLITE_REQUIRE(!read.why().text.empty());
  return false;
}

/// The texts of an object's members as a consumer would look for them.
struct message_text {
  std::optional<std::string_view> payload, payload_base64, headers, routing_key;

  explicit message_text(std::string_view object) {
    for (object_members members(object); members.next();) {
      if (members.name() == "payload") payload = members.value();
      if (members.name() == "payload_base64") payload_base64 = members.value();
      if (members.name() == "headers") headers = members.value();
      if (members.name() == "routing_key") routing_key = members.value();
    }
  }
};

void check_headers(const message_text& seen, const message_attributes& attributes) {
  std::size_t count = 0;
  std::string buffer;
  for (object_members members(*seen.headers); members.next(); ++count)
    MQLITE_REQUIRE(attributes.headers.at(std::string(members.name())) == unescape(members.value(), buffer));
  MQLITE_REQUIRE(count == attributes.headers.size());
  MQLITE_REQUIRE(seen.routing_key.has_value() == !attributes.routing_key.empty());
  if (seen.routing_key) MQLITE_REQUIRE(unescape(*seen.routing_key, buffer) == attributes.routing_key);
}

void check_published(const draft& message) {
  MQLITE_REQUIRE(message.queue >= any_queue && message.not_before >= 0);
  const auto payload = message.message->payload();
  message_attributes attributes;
  MQLITE_REQUIRE(message_attributes::decode(message.message->attributes(), attributes));
  std::string out;
  append_message(out, origin, delivery{message.message, 0, 1});
  MQLITE_REQUIRE(is_json(out));
  const message_text seen(out);
  MQLITE_REQUIRE(seen.payload.has_value() != seen.payload_base64.has_value() && seen.headers);
  MQLITE_REQUIRE(seen.payload.has_value() == is_json(payload));
  if (seen.payload) {
    MQLITE_REQUIRE(out.find(":" + std::string(payload) + ",") != std::string::npos);
  } else {
    std::string buffer;
    MQLITE_REQUIRE(decode_base64(unescape(*seen.payload_base64, buffer)) == std::string(payload));
  }
  check_headers(seen, attributes);
}

void check_requests(std::string_view object) {
  if (const auto message = read_publish(object, terms); accepted(message)) check_published(*message);
  if (const auto batch = read_publish_batch(object, terms); accepted(batch)) {
    MQLITE_REQUIRE(batch->size() <= most_batch);
    for (const auto& message : *batch)
      if (accepted(message)) check_published(*message);
  }
  if (const auto topic = read_create_topic(object); accepted(topic))
    MQLITE_REQUIRE(topic->queue_count >= 1 && topic->queue_count <= most_queues);
  if (const auto count = read_resize(object); accepted(count)) MQLITE_REQUIRE(*count >= 1 && *count <= most_queues);
  if (const auto options = read_consume(object); accepted(options))
    MQLITE_REQUIRE(options->most >= 1 && options->most <= most_batch && options->wait.count() >= 0);
  for (const auto what : {settlement::ack, settlement::nack, settlement::extend})
    if (const auto settle = read_settle(object, what); accepted(settle)) {
      const auto& named = settle->messages;
      MQLITE_REQUIRE(named.targets.size() + named.no_ids.size() == named.texts.size() && settle->value.count() >= 0);
    }
  if (const auto ids = read_redrive(object); accepted(ids)) MQLITE_REQUIRE(!*ids || (*ids)->size() <= most_batch);
  accepted(read_topic_settings(object));
}

/// What stands in a string's place may be any bytes.
void check_texts(std::string_view bytes) {
  std::string text, buffer, again;
  append_json_string(text, bytes);
  MQLITE_REQUIRE(is_json(text));
  const std::string plain(unescape(text, buffer));
  if (plain != bytes) MQLITE_REQUIRE(plain.find("\xef\xbf\xbd") != std::string::npos);
  append_json_string(again, plain);
  MQLITE_REQUIRE(again == text);

  std::string coded;
  append_base64(coded, bytes);
  MQLITE_REQUIRE(decode_base64(coded) == std::string(bytes));
  if (const auto decoded = decode_base64(bytes)) {
    coded.clear();
    append_base64(coded, *decoded);
    MQLITE_REQUIRE(coded == bytes);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto body = fuzz::input(data, size).rest();
  check_texts(body);
  MQLITE_REQUIRE(is_json(body) == !json_problem(body));
  const auto object = json_object_in(body);
  if (!accepted(object)) return 0;
  MQLITE_REQUIRE(is_json(*object) && object->front() == '{');
  check_requests(*object);
  return 0;
}
