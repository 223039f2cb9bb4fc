#include "protocols/translate/answers.hpp"

#include <doctest/doctest.h>

#include "protocols/translate/json_text.hpp"

using namespace mqlite;

namespace {

const auto id = *receipt::parse("01890a5d-ac96-774b-bcce-b302099a8057");
const auto second_id = *receipt::parse("01890a5d-ac96-774b-bcce-b302099a8058");

template <class Append>
std::string text_of(Append append) {
  std::string out;
  append(out);
  CHECK(is_json(out));
  return out;
}

std::string message_text(std::string_view payload, const message_attributes& attributes = {}) {
  const delivery one{message::make(payload, attributes.encode(), attributes.expires_at, id.id), 3, 2};
  return text_of([&](std::string& out) { append_message(out, {"ns", "t"}, one); });
}

}  // namespace

TEST_CASE("a message with a JSON payload shows it as it was published") {
  const auto timestamp = std::to_string(id.id.timestamp());
  CHECK(
      message_text("{ \"a\" : 1.50 }") ==
      R"({"id":"01890a5d-ac96-774b-bcce-b302099a8057","namespace":"ns","topic":"t","queue_id":3,"payload":{ "a" : 1.50 },"timestamp":)" +
          timestamp + R"(,"headers":{},"delivery_count":2,"receipt":"01890a5d-ac96-774b-bcce-b302099a8057#2"})");
}

TEST_CASE("a payload that is no JSON is shown as Base64") {
  CHECK(message_text("\xff").find(R"("payload_base64":"/w==")") != std::string::npos);
  CHECK(message_text("").find(R"("payload_base64":"")") != std::string::npos);
  CHECK(message_text("text").find(R"("payload_base64":"dGV4dA==")") != std::string::npos);
  CHECK(message_text("{} {}").find("payload_base64") != std::string::npos);
}

TEST_CASE("headers and the routing key are shown, escaped") {
  const auto text = message_text("1", {"k\"ey", {{"a", "1"}, {"b\n", "\xe2\x82\xac"}}, 0});
  CHECK(text.find(R"("headers":{"a":"1","b\n":")"
                  "\xe2\x82\xac"
                  R"("},"routing_key":"k\"ey")") != std::string::npos);
}

TEST_CASE("dead letters carry their reason") {
  std::vector<peeked> dead = {{message::make("1", {}, 0, id.id), 0, 4, dead_reason::max_deliveries, 77},
                              {message::make("2", {}, 0, id.id), 1, 0, dead_reason::none, 0}};
  const auto text = text_of([&](std::string& out) { append_messages(out, {"ns", "t"}, dead); });
  CHECK(text.find(R"("reason":"max_deliveries","dead_at":77})") != std::string::npos);
  CHECK(text.find(R"(#0"}])") != std::string::npos);
  CHECK(text_of([](std::string& out) { append_messages(out, {"ns", "t"}, std::vector<delivery>()); }) == "[]");
}

TEST_CASE("a settlement answers with what was sent") {
  named_messages named{{"a", "nonsense\"", "b", "c"}, {{id, 0}, {id, 2}, {second_id, 3}}, {1}};
  settled result;
  result.count = 1;
  result.unknown = {3};
  result.stale = {2};
  CHECK(text_of([&](std::string& out) { append_settled(out, settlement::ack, result, named); }) ==
        R"({"acknowledged":1,"unknown":["nonsense\"","c"],"stale":["b"]})");
  result.dead_lettered = 5;
  CHECK(text_of([&](std::string& out) { append_settled(out, settlement::nack, result, named); }) ==
        R"({"returned":1,"dead_lettered":5,"unknown":["nonsense\"","c"],"stale":["b"]})");
  CHECK(text_of([&](std::string& out) { append_settled(out, settlement::extend, {}, {}); }) ==
        R"({"extended":0,"unknown":[],"stale":[]})");
}

TEST_CASE("topics are described with the settings in force") {
  topic_details details;
  details.info = {"t", 1, 4};
  details.dead = 2;
  details.queues = {{0, 1, 2, 3, 4, 5, {}}};
  CHECK(
      text_of([&](std::string& out) { append_topic_details(out, details); }) ==
      R"({"name":"t","queue_count":1,"version":4,"settings":{"ack_timeout_ms":30000,"max_deliveries":0,"message_ttl_ms":0,)"
      R"("max_length":0,"max_bytes":0,"overflow":"reject","steal":"half"},"dead":2,"draining":false,)"
      R"("queues":[{"queue_id":0,"ready":1,"leased":2,"delayed":3,"bytes":4,"consumers":5}]})");
  CHECK(text_of([&](std::string& out) {
          append_topics(out, {{"t", 1, 4}, {"u", 2, 1}});
        }) == R"([{"name":"t","queue_count":1,"version":4},{"name":"u","queue_count":2,"version":1}])");
}

TEST_CASE("small answers") {
  CHECK(text_of([](std::string& out) {
          append_published(out, {id.id, 2});
        }) == R"({"message_id":"01890a5d-ac96-774b-bcce-b302099a8057","queue_id":2})");
  CHECK(text_of([](std::string& out) {
          append_resized(out, {3, 9, true});
        }) == R"({"new_queue_count":3,"version":9,"draining":true})");
  CHECK(text_of([](std::string& out) { append_count(out, "purged", 12); }) == R"({"purged":12})");
  CHECK(text_of([](std::string& out) { append_names(out, {"a", "b"}); }) == R"(["a","b"])");
  std::string members;
  append_failure_members(members, {error_code::too_large, "so \"big\""});
  CHECK(members == R"("code":"TOO_LARGE","message":"so \"big\"")");
}
