#include "protocols/translate/publish_requests.hpp"

#include <doctest/doctest.h>

#include "protocols/translate/json_text.hpp"

using namespace mqlite;

namespace {

constexpr std::int64_t now = 1'800'000'000'000'000'000;

outcome<draft> read(std::string_view body, std::uint64_t limit = 1 << 20) {
  const auto object = json_object_in(body);
  if (!object) return object.why();
  return read_publish(*object, {now, limit});
}

std::string refusal(std::string_view body) {
  const auto result = read(body);
  if (result) return "none";
  CHECK(result.why().code == error_code::invalid_argument);
  return result.why().text;
}

message_attributes attributes_of(const draft& message) {
  message_attributes attributes;
  CHECK(message_attributes::decode(message.message->attributes(), attributes));
  return attributes;
}

}  // namespace

TEST_CASE("a payload is kept byte for byte as it is spelled") {
  for (const std::string_view payload :
       {"1.50", "-0", "1e400", "123456789012345678901234567890.10", "null", "\"\"", "\"a\\u0062\\/\"",
        "{ \"b\" : 1,\n\t\"a\":[1 , 2 ] }", "[]", "{\"payload\":{\"payload\":1}}", "\"gr\xc3\xbc\xc3\x9f\"",
        "[\"}\",\"]\",\"\\\"\",\"\\\\\"]"}) {
    const auto result = read("{\"x\": [1,{}], \"payload\" :  " + std::string(payload) + " , \"headers\":{}}");
    REQUIRE(result);
    CHECK(result->message->payload() == payload);
    CHECK(result->message->attributes().empty());
  }
}

TEST_CASE("a message is routed by what is given") {
  CHECK(read(R"({"payload":1})")->queue == any_queue);
  CHECK(read(R"({"payload":1,"queue_id":null})")->queue == any_queue);
  CHECK(read(R"({"payload":1,"queue_id":-1})")->queue == any_queue);
  CHECK(read(R"({"payload":1,"queue_id":7})")->queue == 7);
  CHECK(read(R"({"payload":1,"queue_id":4294967296})")->queue == 2147483647);
  CHECK_FALSE(read(R"({"payload":1,"routing_key":""})")->has_key);
  const auto keyed = read(R"({"payload":1,"routing_key":"order-\u0031"})");
  CHECK(keyed->has_key);
  CHECK(keyed->key_hash == routing_hash("order-1"));
  CHECK(attributes_of(*keyed).routing_key == "order-1");
}

TEST_CASE("headers, times and bytes reach the message") {
  const auto message =
      read(R"({"payload_base64":"AP8=","headers":{"a":"1","b\n":"\u20ac"},"ttl_ms":5,"delay_ms":1500})");
  REQUIRE(message);
  CHECK(message->message->payload() == std::string_view("\0\xff", 2));
  CHECK(message->message->expires_at() == now + 5'000'000);
  CHECK(message->not_before == now + 1'500'000'000);
  const auto attributes = attributes_of(*message);
  CHECK(attributes.headers == std::map<std::string, std::string>{{"a", "1"}, {"b\n", "\xe2\x82\xac"}});
  CHECK(attributes.expires_at == now + 5'000'000);
}

TEST_CASE("a moment in the past means at once") {
  CHECK(read(R"({"payload":1,"deliver_at_ms":0})")->not_before == 0);
  CHECK(read(R"({"payload":1,"deliver_at_ms":1799999999999})")->not_before == 0);
  CHECK(read(R"({"payload":1,"deliver_at_ms":1800000000001})")->not_before == now + 1'000'000);
  CHECK(read(R"({"payload":1,"delay_ms":0})")->not_before == 0);
}

TEST_CASE("the longest durations do not overflow") {
  const auto message = read(R"({"payload":1,"delay_ms":3155760000000,"ttl_ms":3155760000000})");
  REQUIRE(message);
  CHECK(message->not_before > now);
  CHECK(message->message->expires_at() > now);
  CHECK(read(R"({"payload":1,"deliver_at_ms":8000000000000})")->not_before == 8'000'000'000'000'000'000);
}

TEST_CASE("what is wrong with a publish is said by field") {
  CHECK(refusal("{}") == "`payload` or `payload_base64` is required");
  CHECK(refusal("") == "`payload` or `payload_base64` is required");
  CHECK(refusal(R"({"payload":1,"payload_base64":"AA=="})") == "`payload` and `payload_base64` exclude each other");
  CHECK(refusal(R"({"payload_base64":"AA"})") == "`payload_base64` must be Base64 with padding (RFC 4648)");
  CHECK(refusal(R"({"payload_base64":5})") == "`payload_base64` must be a string");
  CHECK(refusal(R"({"payload":1,"queue_id":-2})") == "`queue_id` must be -1 or more");
  CHECK(refusal(R"({"payload":1,"queue_id":"1"})") == "`queue_id` must be an integer");
  CHECK(refusal(R"({"payload":1,"queue_id":1.0})") == "`queue_id` must be an integer");
  CHECK(refusal(R"({"payload":1,"routing_key":1})") == "`routing_key` must be a string");
  CHECK(refusal(R"({"payload":1,"headers":[]})") == "`headers` must be an object of strings");
  CHECK(refusal(R"({"payload":1,"headers":{"a":1}})") == "`headers` must be an object of strings: `a` is none");
  CHECK(refusal(R"({"payload":1,"headers":{"a":null}})") == "`headers` must be an object of strings: `a` is none");
  CHECK(refusal(R"({"payload":1,"delay_ms":-1})") == "`delay_ms` must be 0 to 3155760000000");
  CHECK(refusal(R"({"payload":1,"delay_ms":9223372036854775807})") == "`delay_ms` must be 0 to 3155760000000");
  CHECK(refusal(R"({"payload":1,"deliver_at_ms":-1})") == "`deliver_at_ms` must be 0 to 8000000000000");
  CHECK(refusal(R"({"payload":1,"delay_ms":0,"deliver_at_ms":1})") ==
        "`delay_ms` and `deliver_at_ms` exclude each other");
  CHECK(refusal(R"({"payload":1,"ttl_ms":0})") == "`ttl_ms` must be 1 to 3155760000000");
  CHECK(refusal(R"({"payload":1 )") != "none");
  CHECK(refusal(R"([{"payload":1}])") == "the body must be a JSON object");
}

TEST_CASE("null in place of an optional field is the same as leaving it out") {
  CHECK(read(R"({"payload":1,"payload_base64":null,"headers":null,"routing_key":null,"delay_ms":null,"ttl_ms":null})")
            .ok());
}

TEST_CASE("payload, headers and key together count against the limit") {
  CHECK(read(R"({"payload":"1234","headers":{"ab":"cd"},"routing_key":"k"})", 11).ok());
  const auto over = read(R"({"payload":"1234","headers":{"ab":"cd"},"routing_key":"k"})", 10);
  REQUIRE_FALSE(over);
  CHECK(over.why().code == error_code::too_large);
  CHECK(over.why().text ==
        "the message has 11 bytes of payload, headers and routing key; at most 10 are allowed "
        "(limits.max_message_bytes)");
  CHECK(read(R"({"payload_base64":"AAAAAAAAAAAAAA=="})", 10).ok());
}

TEST_CASE("each message of a batch is judged by itself") {
  const auto batch = read_publish_batch(
      R"({"messages":[{"payload":1},{},{"payload":2,"queue_id":-3}, {"payload": {} }]})", {now, 100});
  REQUIRE(batch);
  REQUIRE(batch->size() == 4);
  CHECK((*batch)[0]->message->payload() == "1");
  CHECK((*batch)[1].why().text == "`payload` or `payload_base64` is required");
  CHECK((*batch)[2].why().text == "`queue_id` must be -1 or more");
  CHECK((*batch)[3]->message->payload() == "{}");
  CHECK(read_publish_batch(R"({"messages":[]})", {now, 100})->empty());
}

TEST_CASE("a batch that is none is refused as a whole") {
  for (const std::string_view wrong : {"{}", R"({"messages":null})", R"({"messages":{}})", R"({"messages":[1]})",
                                       R"({"messages":[{"payload":1},[]]})"})
    CHECK(read_publish_batch(wrong, {now, 100}).why().text == "`messages` must be an array of objects");
  const auto batch_of = [](std::size_t count) {
    std::string text = R"({"messages":[{"payload":0})";
    for (std::size_t i = 1; i < count; ++i) text += R"(,{"payload":0})";
    return text + "]}";
  };
  CHECK(read_publish_batch(batch_of(10'000), {now, 100})->size() == 10'000);
  CHECK(read_publish_batch(batch_of(10'001), {now, 100}).why().text == "`messages` must hold at most 10000 messages");
}
