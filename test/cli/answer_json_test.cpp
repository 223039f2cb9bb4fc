#include "cli/text/answer_json.hpp"

#include <doctest/doctest.h>

using mqlite::cli::append_json;
namespace v1 = mqlite::v1;

namespace {

template <class Message>
std::string json_of(const Message& message) {
  std::string text;
  append_json(text, message);
  return text;
}

v1::Message sample() {
  v1::Message message;
  message.set_id("id-1");
  message.set_namespace_("test");
  message.set_topic("orders");
  message.set_queue_id(2);
  message.set_payload(R"({"a" : 1.0})");
  message.set_timestamp(1'795'399'008'153'288'818);
  (*message.mutable_headers())["b"] = "2\n";
  (*message.mutable_headers())["a"] = "1";
  message.set_delivery_count(1);
  message.set_receipt("id-1#1");
  return message;
}

constexpr auto sample_json =
    R"({"id":"id-1","namespace":"test","topic":"orders","queue_id":2,"payload":{"a" : 1.0},"timestamp":1795399008153288818,)"
    R"("headers":{"a":"1","b":"2\n"},"delivery_count":1,"receipt":"id-1#1"})";

}  // namespace

TEST_CASE("a message has the shape that HTTP gives it") {
  auto message = sample();
  CHECK(json_of(message) == sample_json);
  message.set_payload(std::string("\0\xff", 2));
  message.set_routing_key("k");
  message.clear_headers();
  CHECK(json_of(message) ==
        R"({"id":"id-1","namespace":"test","topic":"orders","queue_id":2,"payload_base64":"AP8=",)"
        R"("timestamp":1795399008153288818,"headers":{},"routing_key":"k","delivery_count":1,"receipt":"id-1#1"})");
}

TEST_CASE("lists are arrays") {
  v1::ConsumeResponse consumed;
  CHECK(json_of(consumed) == "[]");
  *consumed.add_messages() = sample();
  *consumed.add_messages() = sample();
  CHECK(json_of(consumed) == "[" + std::string(sample_json) + "," + sample_json + "]");
  v1::ListNamespacesResponse names;
  names.add_namespaces("a");
  names.add_namespaces("b");
  CHECK(json_of(names) == R"(["a","b"])");
}

TEST_CASE("dead letters are messages with a reason") {
  v1::ListDeadResponse dead;
  auto& first = *dead.add_messages();
  *first.mutable_message() = sample();
  first.set_reason("expired");
  first.set_dead_at(5);
  std::string expected = sample_json;
  expected.pop_back();
  CHECK(json_of(dead) == "[" + expected + R"(,"reason":"expired","dead_at":5}])");
}

TEST_CASE("answers keep zeros and empty lists, and leave out what is said by the exit code") {
  v1::AckResponse ack;
  ack.set_success(true);
  ack.set_acknowledged(1);
  ack.add_unknown("x");
  CHECK(json_of(ack) == R"({"acknowledged":1,"unknown":["x"],"stale":[]})");
  v1::ResizeTopicResponse resized;
  resized.set_new_queue_count(3);
  resized.set_version(2);
  CHECK(json_of(resized) == R"({"new_queue_count":3,"version":2,"draining":false})");
  v1::CreateTopicResponse created;
  created.set_success(true);
  created.set_message("topic t was created");
  CHECK(json_of(created) == R"({"message":"topic t was created"})");
}

TEST_CASE("of a batch each message has its place or its refusal") {
  v1::PublishBatchResponse batch;
  batch.add_results()->set_message_id("id-1");
  auto& refused = *batch.add_results();
  refused.set_code("TOO_LARGE");
  refused.set_error("too large");
  CHECK(json_of(batch) == R"([{"message_id":"id-1","queue_id":0},{"code":"TOO_LARGE","message":"too large"}])");
}

TEST_CASE("a topic nests its settings and queues") {
  v1::GetTopicResponse topic;
  topic.set_name("t");
  topic.set_queue_count(1);
  topic.mutable_settings()->set_overflow("reject");
  topic.add_queues()->set_ready(7);
  CHECK(
      json_of(topic) ==
      R"({"name":"t","queue_count":1,"version":0,"settings":{"ack_timeout_ms":0,"max_deliveries":0,"message_ttl_ms":0,)"
      R"("max_length":0,"max_bytes":0,"overflow":"reject","steal":""},"dead":0,)"
      R"("queues":[{"queue_id":0,"ready":7,"leased":0,"delayed":0,"bytes":0,"consumers":0}],"draining":false})");
}
