#include <doctest/doctest.h>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/binary_deserializer.hpp>
#include <caf/binary_serializer.hpp>
#include <caf/byte_buffer.hpp>
#include <caf/init_global_meta_objects.hpp>

#include "mqlite/client/interfaces.hpp"
#include "protocols/remote/wire_answers.hpp"
#include "protocols/remote/wire_requests.hpp"

using namespace mqlite;
namespace wire = mqlite::client;

namespace {

/// What comes out of the bytes of `in`.
template <class T>
T round_trip(const T& in) {
  static const bool known = [] {
    caf::core::init_global_meta_objects();
    caf::init_global_meta_objects<caf::id_block::mqlite_client>();
    return true;
  }();
  REQUIRE(known);
  caf::actor_system_config config;
  config.set("caf.scheduler.max-threads", std::size_t{1});
  caf::actor_system system(config);
  caf::byte_buffer buffer;
  caf::binary_serializer sink(system, buffer);
  REQUIRE(sink.apply(in));
  caf::binary_deserializer source(system, buffer);
  T out;
  REQUIRE(source.apply(out));
  CHECK(source.remaining() == 0);
  return out;
}

wire::draft full_draft() {
  wire::draft result;
  result.payload = std::string("\0\xff{}", 4);
  result.routing_key = "key";
  result.headers = {{"a", "1"}, {"b", ""}};
  result.queue = 3;
  result.time_to_live = wire::milliseconds(7);
  return result;
}

constexpr std::int64_t now = 1'800'000'000'000'000'000;
const publish_terms terms{now, 100};

}  // namespace

TEST_CASE("a publish keeps every field on its way") {
  wire::publish in;
  in.messages = {full_draft(), {}};
  in.messages[1].delay = wire::milliseconds(5);
  const auto out = round_trip(in);
  REQUIRE(out.messages.size() == 2);
  const auto& first = out.messages[0];
  CHECK(first.payload == in.messages[0].payload);
  CHECK(first.routing_key == "key");
  CHECK(first.headers == in.messages[0].headers);
  CHECK(first.queue == 3);
  CHECK(first.time_to_live == wire::milliseconds(7));
  CHECK(out.messages[1].delay == wire::milliseconds(5));
  CHECK(out.messages[1].queue == wire::usual_queue);
  CHECK_FALSE(out.messages[1].time_to_live);
}

TEST_CASE("messages, answers and settings keep every field on their way") {
  wire::delivered in{4, {}};
  in.messages.push_back({{1, 2}, 3, 4, "payload", "key", {{"h", "v"}}});
  const auto out = round_trip(in);
  REQUIRE(out.messages.size() == 1);
  CHECK(out.subscription == 4);
  CHECK(out.messages[0].id == wire::message_id{1, 2});
  CHECK(out.messages[0].receipt() == in.messages[0].receipt());
  CHECK(out.messages[0].headers == in.messages[0].headers);

  wire::publish_results results;
  results.messages = {{{5, 6}, 7, wire::errc::none, ""}, {{}, 0, wire::errc::too_large, "why"}};
  const auto answered = round_trip(results);
  CHECK(answered.messages[0].ok());
  CHECK(answered.messages[1].code == wire::errc::too_large);
  CHECK(answered.messages[1].text == "why");

  wire::topic_settings settings;
  settings.max_length = 0;
  settings.steal = "off";
  const auto set = round_trip(settings);
  CHECK(set.max_length == 0);
  CHECK(set.steal == "off");
  CHECK_FALSE(set.max_bytes);
}

TEST_CASE("an error keeps its code and text, and an unknown code is a bug") {
  const auto problem = round_trip(remote::error_of({error_code::not_found, "topic t not found", false}));
  CHECK(problem.category() == caf::type_id_v<wire::errc>);
  CHECK(static_cast<wire::errc>(problem.code()) == wire::errc::not_found);
  CHECK(problem.context().get_as<std::string>(0) == "topic t not found");
  CHECK(round_trip(static_cast<wire::errc>(200)) == wire::errc::internal);
}

TEST_CASE("ids look the same on both sides") {
  const auto id = message_id::parse("01a2061e-bf99-749f-8697-f4896c178692");
  REQUIRE(id);
  std::vector<delivery> one{{message::make("x", {}, 0, *id), 2, 3}};
  const auto out = remote::to_wire(one);
  CHECK(out[0].id.text() == id->text());
  CHECK(out[0].id.timestamp() == id->timestamp());
  CHECK(out[0].receipt() == id->text() + "#3");
}

TEST_CASE("a message that was read is what was sent") {
  const auto read = remote::read_draft(full_draft(), any_queue, terms);
  REQUIRE(read);
  CHECK(read->queue == 3);
  CHECK(read->has_key);
  CHECK(read->message->payload() == full_draft().payload);
  CHECK(read->message->expires_at() == now + 7'000'000);
  CHECK(read->not_before == 0);
}

TEST_CASE("the handle's queue counts where a message names none") {
  wire::draft one;
  CHECK(remote::read_draft(one, 5, terms)->queue == 5);
  one.queue = wire::any_queue;
  CHECK(remote::read_draft(one, 5, terms)->queue == any_queue);
}

TEST_CASE("values out of range are refused by name") {
  const auto refused = [](wire::draft one, std::string_view word) {
    const auto read = remote::read_draft(one, any_queue, terms);
    REQUIRE_FALSE(read);
    CHECK(read.why().text.find(word) != std::string::npos);
    return read.why().code;
  };
  wire::draft one;
  one.queue = -2;
  CHECK(refused(one, "queue_id") == error_code::invalid_argument);
  one = {};
  one.delay = wire::milliseconds(-1);
  CHECK(refused(one, "delay_ms") == error_code::invalid_argument);
  one = {};
  one.delay = wire::milliseconds(1);
  one.deliver_at = wire::milliseconds(1);
  CHECK(refused(one, "exclude") == error_code::invalid_argument);
  one = {};
  one.time_to_live = wire::milliseconds(0);
  CHECK(refused(one, "ttl_ms") == error_code::invalid_argument);
  one = {};
  one.payload = std::string(101, 'x');
  CHECK(refused(one, "max_message_bytes") == error_code::too_large);

  wire::consume_options consuming;
  for (const std::int64_t size : {0, -1, 10'001}) {
    consuming.batch_size = size;
    CHECK_FALSE(remote::read_consume(consuming, 0));
  }
  consuming = {};
  consuming.wait = wire::milliseconds(60'001);
  CHECK_FALSE(remote::read_consume(consuming, 0));
  wire::publish many;
  many.messages.resize(10'001);
  CHECK_FALSE(remote::read_publish(many, any_queue, terms));
}

TEST_CASE("refused messages of a batch keep their places in the answer") {
  wire::publish in;
  in.messages.resize(5);
  for (const std::size_t wrong : {0, 2, 4}) in.messages[wrong].queue = -2;
  const auto read = remote::read_publish(in, any_queue, terms);
  REQUIRE(read);
  CHECK(read->drafts.size() == 2);
  const std::vector<outcome<published>> answers{published{{1, 2}, 3},
                                                failure{error_code::resource_exhausted, "full", false}};
  const auto out = remote::to_wire(answers, read->refused).messages;
  REQUIRE(out.size() == 5);
  const auto wrong = wire::errc::invalid_argument;
  CHECK(std::vector{out[0].code, out[1].code, out[2].code, out[3].code, out[4].code} ==
        std::vector{wrong, wire::errc::none, wrong, wire::errc::resource_exhausted, wrong});
  CHECK(out[1].id == wire::message_id{1, 2});
  CHECK(out[1].queue == 3);
}
