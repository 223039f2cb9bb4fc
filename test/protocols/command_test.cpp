#include "protocols/tcp/command.hpp"

#include <doctest/doctest.h>
#include <google/protobuf/stubs/logging.h>

#include <random>

#include "protocols/tcp/actions.hpp"
#include "protocols/tcp/answer.hpp"

using namespace mqlite;
using namespace mqlite::tcp;

namespace {

const publish_terms terms{1'000'000'000, 1000};

command read_json_text(command_reader& reader, std::string_view text) {
  return reader.read(encoding::json, text, terms);
}

command read_proto(command_reader& reader, const v1::TCPCommand& in, std::string& bytes) {
  bytes = in.SerializeAsString();
  return reader.read(encoding::protobuf, bytes, terms);
}

/// Why a JSON command is refused; empty when it is not.
std::string refused_command(std::string_view text) {
  command_reader reader;
  const auto read = read_json_text(reader, text);
  const auto* why = std::get_if<failure>(&read.content);
  if (why == nullptr) return {};
  CHECK(why->code == error_code::invalid_argument);
  return why->text;
}

std::string refused_command(const v1::TCPCommand& in) {
  command_reader reader;
  std::string bytes;
  const auto read = read_proto(reader, in, bytes);
  const auto* why = std::get_if<failure>(&read.content);
  return why == nullptr ? std::string() : why->text;
}

v1::TCPCommand publish_command() {
  v1::TCPCommand in;
  in.set_action("publish");
  in.set_request_id(77);
  in.mutable_publish()->set_namespace_("shop");
  in.mutable_publish()->set_topic("orders");
  in.mutable_publish()->set_payload("hello");
  return in;
}

}  // namespace

TEST_CASE("a JSON command's id comes back as it was spelled") {
  command_reader reader;
  CHECK(read_json_text(reader, R"({"action":"ping","id":{"a": [1, 2]}})").to.id == R"({"a": [1, 2]})");
  CHECK(read_json_text(reader, R"({"id":null,"action":"ping"})").to.id == "null");
  CHECK(read_json_text(reader, R"({"action":"ping"})").to.id.empty());
  CHECK(read_json_text(reader, R"({"action":"nope","id":1e400})").to.id == "1e400");
}

TEST_CASE("malformed JSON commands are refused by name") {
  CHECK(refused_command("{").find("no valid JSON") != std::string::npos);
  CHECK(refused_command("[1]") == "the command must be a JSON object");
  CHECK(refused_command("  ") == "`action` is required");
  CHECK(refused_command(R"({"action":7})") == "`action` must be a string");
  CHECK(refused_command(R"({"action":"nope"})") == "unknown action `nope`");
  CHECK(refused_command(R"({"action":"publish","data":[]})") == "`data` must be an object");
  CHECK(refused_command(R"({"action":"publish","data":{"topic":"t","payload":1}})") == "`namespace` is required");
  CHECK(refused_command(R"({"action":"publish","data":{"namespace":"n","topic":"t"}})") ==
        "`payload` or `payload_base64` is required");
  CHECK(refused_command(R"({"action":"consume","data":{"namespace":"n","topic":"t","batch_size":0}})") ==
        "`batch_size` must be 1 to 10000");
  CHECK(refused_command(R"({"action":"consume","data":{"namespace":"n","topic":"t","queue_id":-2}})") ==
        "`queue_id` must be -1 or more");
  CHECK(refused_command(R"({"action":"peek","data":{"namespace":"n","topic":"t","queue_id":-1}})") ==
        "`queue_id` must be 0 or more");
}

TEST_CASE("a JSON publish keeps its payload byte for byte") {
  command_reader reader;
  const auto read = read_json_text(
      reader, R"({"action":"publish","data":{"namespace":"shop","topic":"orders","payload":{"a": 1.50}}})");
  const auto& message = std::get<publishing>(read.content);
  CHECK(message.name_space == "shop");
  CHECK(message.topic == "orders");
  CHECK(message.message.message->payload() == R"({"a": 1.50})");
}

TEST_CASE("a Protobuf publish is read with all of its fields") {
  auto in = publish_command();
  in.mutable_publish()->set_routing_key("key");
  (*in.mutable_publish()->mutable_headers())["h"] = std::string("v");
  in.mutable_publish()->set_queue_id(3);
  in.mutable_publish()->set_delay_ms(5);
  in.mutable_publish()->set_ttl_ms(9);
  command_reader reader;
  std::string bytes;
  const auto read = read_proto(reader, in, bytes);
  CHECK(read.to.request_id == 77);
  const auto& message = std::get<publishing>(read.content);
  CHECK(message.name_space == "shop");
  CHECK(message.topic == "orders");
  CHECK(message.message.queue == 3);
  CHECK(message.message.has_key);
  CHECK(message.message.not_before == terms.now + 5'000'000);
  CHECK(message.message.message->payload() == "hello");
  CHECK(message.message.message->expires_at() == terms.now + 9'000'000);
  message_attributes attributes;
  REQUIRE(message_attributes::decode(message.message.message->attributes(), attributes));
  CHECK(attributes.headers.at("h") == "v");
  CHECK(attributes.routing_key == "key");
}

TEST_CASE("a Protobuf publish without a queue is routed automatically, and queue 0 is a queue") {
  command_reader reader;
  std::string bytes;
  CHECK(std::get<publishing>(read_proto(reader, publish_command(), bytes).content).message.queue == any_queue);
  auto in = publish_command();
  in.mutable_publish()->set_queue_id(0);
  CHECK(std::get<publishing>(read_proto(reader, in, bytes).content).message.queue == 0);
}

TEST_CASE("Protobuf commands are refused with the texts of JSON") {
  auto in = publish_command();
  in.mutable_publish()->set_queue_id(-2);
  CHECK(refused_command(in) == "`queue_id` must be -1 or more");
  in = publish_command();
  in.mutable_publish()->set_payload(std::string(1001, 'x'));
  CHECK(refused_command(in).find("limits.max_message_bytes") != std::string::npos);
  in = publish_command();
  in.mutable_publish()->set_topic("no topic");
  CHECK(refused_command(in).find("`topic` must be 1 to 255 characters") == 0);
  v1::TCPCommand consume;
  consume.set_action("consume");
  consume.mutable_consume()->set_namespace_("n");
  consume.mutable_consume()->set_topic("t");
  consume.mutable_consume()->set_wait_ms(60'001);
  CHECK(refused_command(consume) == "`wait_ms` must be 0 to 60000");
}

TEST_CASE("a Protobuf command's data must be that of its action") {
  auto in = publish_command();
  in.set_action("consume");
  CHECK(refused_command(in).find("request of its action `consume`") != std::string::npos);
  in = publish_command();
  in.mutable_ping();
  CHECK(refused_command(in).find("request of its action `publish`") != std::string::npos);
  in = {};
  in.set_action("get_topic");
  CHECK_FALSE(refused_command(in).empty());
  in.set_action("stats");
  CHECK(refused_command(in).empty());
  in.set_action("list_namespaces");
  CHECK(refused_command(in).empty());
}

TEST_CASE("bytes that are no TCPCommand are refused") {
  command_reader reader;
  for (const std::string_view bytes : {"\x0a", "\xff\xff\xff", "{}"}) {
    const auto read = reader.read(encoding::protobuf, bytes, terms);
    CHECK(std::get<failure>(read.content).code == error_code::invalid_argument);
  }
}

TEST_CASE("every Protobuf publish is read as the library reads it, however it is mutated") {
  google::protobuf::SetLogHandler(nullptr);  // which else has a line for each malformed text
  std::mt19937 random(20240608);
  command_reader reader;
  const auto original = publish_command().SerializeAsString();
  for (int round = 0; round < 50'000; ++round) {
    auto bytes = original;
    for (auto changes = 1 + random() % 3; changes > 0; --changes)
      bytes[random() % bytes.size()] = static_cast<char>(random());
    if (random() % 4 == 0) bytes.resize(random() % bytes.size());
    v1::TCPCommand in;
    const bool sound = in.ParseFromString(bytes);
    const auto read = reader.read(encoding::protobuf, bytes, terms);
    if (sound) CHECK(read.to.request_id == in.request_id());
    if (const auto* message = std::get_if<publishing>(&read.content)) {
      REQUIRE(sound);
      CHECK(in.action() == "publish");
      CHECK(message->name_space == in.publish().namespace_());
      CHECK(message->topic == in.publish().topic());
      CHECK(message->message.message->payload() == in.publish().payload());
      CHECK(message->message.queue == (in.publish().has_queue_id() ? in.publish().queue_id() : any_queue));
    } else if (sound && in.action() == "publish" && in.has_publish()) {
      CHECK_FALSE(std::get<failure>(read.content).text.empty());
    }
    reader.end_burst();
  }
}

TEST_CASE("the answer of a publish is what the library would write") {
  for (const std::uint64_t request_id : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{300}, ~std::uint64_t{0}})
    for (const queue_number queue : {0, 1, 127, 128, 1023}) {
      const published where{message_id(0x0123456789ab7def, 0x8123456789abcdef), queue};
      std::string out;
      write_published(out, {encoding::protobuf, request_id, {}}, length_count::payload, where);
      v1::TCPResponse response;
      REQUIRE(response.ParseFromString(out.substr(frame_header_size)));
      CHECK(response.status() == "ok");
      CHECK(response.request_id() == request_id);
      CHECK(response.publish().message_id() == where.id.text());
      CHECK(response.publish().queue_id() == queue);
      CHECK(response.SerializeAsString() == out.substr(frame_header_size));
    }
}

TEST_CASE("a large command with very many empty entries is refused before Protobuf makes objects of them") {
  const auto refused = [](const v1::TCPCommand& in) {
    command_reader reader;
    std::string bytes;
    const auto read = read_proto(reader, in, bytes);
    CHECK(read.to.request_id == 7);
    const auto* why = std::get_if<failure>(&read.content);
    return why == nullptr ? std::string() : why->text;
  };
  v1::TCPCommand batch;
  batch.set_request_id(7);
  batch.set_action("publish_batch");
  auto& in = *batch.mutable_publish_batch();
  in.set_namespace_("shop");
  in.set_topic("orders");
  for (int i = 0; i < 10'000; ++i) in.add_messages()->set_payload("12345");
  CHECK(refused(batch).empty());
  in.add_messages();
  CHECK(refused(batch) == "`messages` must hold at most 10000 messages");
  for (int i = 0; i < 10'000; ++i) in.add_messages();
  const std::string too_many = "the command has lists of more than 20000 entries together";
  CHECK(refused(batch) == too_many);
  in.clear_messages();
  auto& nested = *in.add_messages();
  for (int i = 0; i < 40'000; ++i) nested.add_more();
  CHECK(refused(batch) == too_many);
  v1::TCPCommand ack;
  ack.set_request_id(7);
  ack.set_action("ack");
  for (int i = 0; i < 40'000; ++i) ack.mutable_ack()->add_message_ids();
  CHECK(refused(ack) == too_many);
  v1::TCPCommand headed = publish_command();
  headed.set_request_id(7);
  headed.mutable_publish()->set_payload(std::string(100'000, 'x'));  // bytes that look like fields
  for (int i = 0; i < 30'000; ++i) (*headed.mutable_publish()->mutable_headers())[std::to_string(i)];
  CHECK(refused(headed).find("limits.max_message_bytes") != std::string::npos);
  ack.set_request_id(0);
  const auto bytes = ack.SerializeAsString();
  command_reader group_reader;
  CHECK(std::get<failure>(group_reader.read(encoding::protobuf, "\x7b\x7c" + bytes, terms).content).text ==
        "the command is no valid TCPCommand");
  std::string loose;
  for (int i = 0; i < 40'000; ++i) loose += std::string("\xa0\x06\x00", 3);  // unknown, number 100
  command_reader reader;
  CHECK(std::get<failure>(reader.read(encoding::protobuf, loose, terms).content).text == too_many);
  CHECK(is_document(encoding::protobuf, loose));
  loose.pop_back();
  CHECK_FALSE(is_document(encoding::protobuf, loose));
}
