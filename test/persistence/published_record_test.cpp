#include "persistence/published_record.hpp"

#include <random>

#include <doctest/doctest.h>

#include "log_fixture.hpp"
#include "persistence/published_reader.hpp"

namespace mqlite {

namespace {

using test::some_id;

/// The message as the generated code has it.
void fill(journal::StoredMessage& out, const stored_message_view& message) {
  out.set_id(message.id, message_id_size);
  out.set_queue(message.queue);
  out.set_payload(message.payload.data(), message.payload.size());
  if (!message.attributes.empty()) out.mutable_attributes()->ParseFromString(std::string{message.attributes});
  out.set_not_before(message.not_before);
  out.set_deliveries(message.deliveries);
  out.set_leased_until(message.leased_until);
  out.set_unexpiring(message.unexpiring);
  if (message.dead_reason == 0 && message.dead_at == 0) return;
  out.mutable_dead()->set_reason(static_cast<journal::DeadReason>(message.dead_reason));
  out.mutable_dead()->set_at(message.dead_at);
}

void check_same(const stored_message_view& view, const journal::StoredMessage& message) {
  CHECK(std::string_view{reinterpret_cast<const char*>(view.id), message_id_size} == message.id());
  CHECK(view.queue == message.queue());
  CHECK(view.payload == message.payload());
  CHECK(view.attributes == message.attributes().SerializeAsString());
  CHECK(view.not_before == message.not_before());
  CHECK(view.deliveries == message.deliveries());
  CHECK(view.leased_until == message.leased_until());
  CHECK(view.dead_reason == message.dead().reason());
  CHECK(view.dead_at == message.dead().at());
  CHECK(view.unexpiring == message.unexpiring());
}

/// Checks builder and reader against the generated code.
void check_equal(std::uint64_t topic, const std::vector<stored_message_view>& messages) {
  published_record built{topic};
  CHECK(built.empty());
  journal::Record record;
  record.mutable_published()->set_topic(topic);
  for (const auto& message : messages) {
    built.add(message);
    fill(*record.mutable_published()->add_messages(), message);
  }
  CHECK(built.empty() == messages.empty());
  auto size = built.size();
  auto framed = std::move(built).finish();
  CHECK(framed == frame(record));
  CHECK(framed.size() <= size + 2);
  auto body = published_body(std::string_view{framed}.substr(format::record_header_size));
  REQUIRE(body);
  int index = 0;
  CHECK(read_published(*body, [&](std::uint64_t read_topic, const stored_message_view& view) {
    CHECK(read_topic == topic);
    check_same(view, record.published().messages(index++));
  }));
  CHECK(static_cast<std::size_t>(index) == messages.size());
}

std::string some_attributes() {
  journal::Attributes attributes;
  attributes.set_routing_key("customer-17");
  (*attributes.mutable_headers())["trace"] = "abc";
  attributes.set_expires_at(1'700'000'000'000'000'000);
  return attributes.SerializeAsString();
}

stored_message_view full_message(std::string_view payload, std::string_view attributes) {
  return {some_id, 1023, payload, attributes, 1'700'000'000'000'000'001, 7, -5, journal::DEAD_REASON_OVERFLOW,
          -1,      true};
}

}  // namespace

TEST_CASE("a message with defaults is built as the generated code builds it") {
  check_equal(1, {test::message_with("")});
}

TEST_CASE("a message with every field is built as the generated code builds it") {
  auto attributes = some_attributes();
  check_equal(0, {full_message("payload", attributes)});
  check_equal(~std::uint64_t{0}, {full_message("payload", attributes), test::message_with("x"), full_message("", "")});
}

TEST_CASE("records of every size class are built as the generated code builds them") {
  for (std::size_t size :
       {1u, 90u, 100u, 127u, 128u, 16'000u, 16'350u, 16'384u, 70'000u, 2'097'100u, 2'097'152u, 3'000'000u}) {
    std::string payload(size, 'p');
    check_equal(300, {test::message_with(payload)});
  }
}

TEST_CASE("random messages are built and read as the generated code does") {
  std::mt19937_64 random{17};
  auto attributes = some_attributes();
  std::string payload(5000, 'r');
  for (int round = 0; round < 200; ++round) {
    std::vector<stored_message_view> messages;
    for (auto count = random() % 20; count > 0; --count) {
      auto some = [&] { return random() % 2 ? random() >> random() % 64 : 0; };
      stored_message_view message{some_id, static_cast<std::uint32_t>(some()),
                                  std::string_view{payload}.substr(random() % 5000)};
      if (random() % 2) message.attributes = attributes;
      message.not_before = static_cast<std::int64_t>(some());
      message.deliveries = static_cast<std::uint32_t>(some());
      message.leased_until = static_cast<std::int64_t>(some());
      message.dead_reason = static_cast<int>(random() % 4);
      message.unexpiring = random() % 2 != 0;
      message.dead_at = static_cast<std::int64_t>(some());
      messages.push_back(message);
    }
    check_equal(random(), messages);
  }
}

TEST_CASE("the reader skips fields it does not know") {
  journal::Published published;
  published.set_topic(9);
  auto* message = published.add_messages();
  message->set_id(some_id, message_id_size);
  message->set_payload("known");
  message->mutable_dead()->set_at(4);
  message->GetReflection()->MutableUnknownFields(message)->AddVarint(100, 5);
  message->GetReflection()->MutableUnknownFields(message)->AddLengthDelimited(101, "new");
  message->GetReflection()->MutableUnknownFields(message)->AddFixed32(102, 1);
  message->mutable_dead()->GetReflection()->MutableUnknownFields(message->mutable_dead())->AddFixed64(103, 1);
  published.GetReflection()->MutableUnknownFields(&published)->AddLengthDelimited(104, "newer");
  int count = 0;
  CHECK(read_published(published.SerializeAsString(), [&](std::uint64_t topic, const stored_message_view& view) {
    CHECK(topic == 9);
    check_same(view, *message);
    ++count;
  }));
  CHECK(count == 1);
}

TEST_CASE("a topic behind its messages is found as well") {
  journal::Published topic, messages;
  topic.set_topic(9);
  messages.add_messages()->set_id(some_id, message_id_size);
  std::uint64_t read = 0;
  CHECK(read_published(messages.SerializeAsString() + topic.SerializeAsString(),
                       [&](std::uint64_t found, const stored_message_view&) { read = found; }));
  CHECK(read == 9);
}

TEST_CASE("a message whose id has not 16 bytes is malformed") {
  auto ignore = [](std::uint64_t, const stored_message_view&) {};
  journal::Published published;
  auto* message = published.add_messages();
  message->set_payload("no id");
  CHECK_FALSE(read_published(published.SerializeAsString(), ignore));
  message->set_id("short");
  CHECK_FALSE(read_published(published.SerializeAsString(), ignore));
}

TEST_CASE("the reader accepts of a damaged event only what the generated code accepts too") {
  auto attributes = some_attributes();
  published_record record{3};
  record.add(full_message("first", attributes));
  record.add(test::message_with("second"));
  auto framed = std::move(record).finish();
  auto body = std::string{*published_body(std::string_view{framed}.substr(format::record_header_size))};
  auto accepted = [](const std::string& bytes) {
    return read_published(bytes, [](std::uint64_t, const stored_message_view&) {});
  };
  for (std::size_t length = 0; length < body.size(); ++length) {
    auto cut = body.substr(0, length);
    journal::Published parsed;
    if (accepted(cut)) CHECK(parsed.ParseFromString(cut));
  }
  for (std::size_t i = 0; i < body.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      auto flipped = body;
      flipped[i] = static_cast<char>(flipped[i] ^ 1 << bit);
      // Attributes are handed on unread.
      auto inside_attributes = flipped.find(attributes) == std::string::npos &&
                               flipped.compare(0, i, body, 0, i) == 0 && i >= body.find(attributes) &&
                               i < body.find(attributes) + attributes.size();
      journal::Published parsed;
      if (!inside_attributes && accepted(flipped)) CHECK(parsed.ParseFromString(flipped));
    }
  }
}

}  // namespace mqlite
