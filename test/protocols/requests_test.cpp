#include "protocols/translate/requests.hpp"

#include <doctest/doctest.h>

#include "protocols/translate/error_names.hpp"
#include "protocols/translate/names.hpp"

using namespace mqlite;
using namespace std::chrono_literals;

namespace {

template <class T>
std::string refusal(const outcome<T>& result) {
  if (result) return "none";
  CHECK(result.why().code == error_code::invalid_argument);
  return result.why().text;
}

constexpr std::string_view name_rule =
    "`name` must be 1 to 255 characters of A-Z a-z 0-9 . _ - and not start with . or -";

}  // namespace

TEST_CASE("names are what the contract says") {
  CHECK(is_name("a"));
  CHECK(is_name("_A9.b-c"));
  CHECK(is_name(std::string(255, 'x')));
  for (const std::string_view bad : {"", ".", "..", ".a", "-a", "a b", "a/b", "\xc3\xbc", "a\n", "a%"})
    CHECK_FALSE(is_name(bad));
  CHECK_FALSE(is_name(std::string(256, 'x')));
  CHECK_FALSE(is_name(std::string_view("a\0", 2)));
}

TEST_CASE("every error has its names") {
  CHECK(names_of(error_code::invalid_argument).http == 400);
  CHECK(names_of(error_code::unauthenticated).grpc == 16);
  CHECK(names_of(error_code::permission_denied).http == 403);
  CHECK(names_of(error_code::not_found).name == "NOT_FOUND");
  CHECK(names_of(error_code::already_exists).grpc == 6);
  CHECK(names_of(error_code::failed_precondition).http == 409);
  CHECK(names_of(error_code::too_large).http == 413);
  CHECK(names_of(error_code::resource_exhausted).http == 429);
  CHECK(names_of(error_code::unavailable).grpc == 14);
  CHECK(names_of(error_code::internal).name == "INTERNAL");
}

TEST_CASE("a namespace needs a name") {
  CHECK(*read_name(R"({"name":"orders"})") == "orders");
  CHECK(refusal(read_name("{}")) == "`name` is required");
  CHECK(refusal(read_name(R"({"name":null})")) == "`name` is required");
  CHECK(refusal(read_name(R"({"name":5})")) == "`name` must be a string");
  CHECK(refusal(read_name(R"({"name":""})")) == name_rule);
  CHECK(refusal(read_name(R"({"name":"a\u0000"})")) == name_rule);
}

TEST_CASE("a topic is created with what is given and defaults for the rest") {
  const auto plain = read_create_topic(R"({"name":"t"})");
  REQUIRE(plain);
  CHECK(plain->queue_count == 1);
  CHECK_FALSE(plain->settings.ack_timeout);
  const auto full =
      read_create_topic(R"({"name":"t","queue_count":1024,"ack_timeout_ms":5,"max_deliveries":3,"message_ttl_ms":0,
    "max_length":9,"max_bytes":9223372036854775807,"overflow":"drop_oldest","steal":"off"})");
  REQUIRE(full);
  CHECK(full->queue_count == 1024);
  CHECK(full->settings.ack_timeout == 5ms);
  CHECK(full->settings.max_deliveries == 3U);
  CHECK(full->settings.message_ttl == 0ms);
  CHECK(full->settings.max_length == 9U);
  CHECK(full->settings.max_bytes == 9223372036854775807U);
  CHECK(full->settings.overflow == overflow_policy::drop_oldest);
  CHECK(full->settings.steal == steal_policy::off);
}

TEST_CASE("what is wrong with a topic is said by field") {
  const auto create = [](std::string_view field) {
    return refusal(read_create_topic(R"({"name":"t",)" + std::string(field) + "}"));
  };
  CHECK(create(R"("queue_count":0)") == "`queue_count` must be 1 to 1024");
  CHECK(create(R"("queue_count":1025)") == "`queue_count` must be 1 to 1024");
  CHECK(create(R"("queue_count":1.5)") == "`queue_count` must be an integer");
  CHECK(create(R"("ack_timeout_ms":0)") == "`ack_timeout_ms` must be 1 to 3155760000000");
  CHECK(create(R"("max_deliveries":-1)") == "`max_deliveries` must be 0 to 2147483647");
  CHECK(create(R"("max_length":-1)") == "`max_length` must be 0 or more");
  CHECK(create(R"("overflow":"Reject")") == "`overflow` must be `reject` or `drop_oldest`");
  CHECK(create(R"("steal":"on")") == "`steal` must be `half` or `off`");
  CHECK(refusal(read_topic_settings(R"({"steal":1})")) == "`steal` must be `half` or `off`");
  CHECK(refusal(read_topic_settings("{}")) == "none");
}

TEST_CASE("a resize needs the new count") {
  CHECK(*read_resize(R"({"new_queue_count":7})") == 7);
  CHECK(refusal(read_resize("{}")) == "`new_queue_count` is required");
  CHECK(refusal(read_resize(R"({"new_queue_count":0})")) == "`new_queue_count` must be 1 to 1024");
}

TEST_CASE("consume has defaults and limits") {
  const auto plain = read_consume("{}");
  REQUIRE(plain);
  CHECK(plain->most == 1);
  CHECK_FALSE(plain->auto_ack);
  CHECK(plain->wait == 0ms);
  CHECK(plain->lease == 0ms);
  const auto full = read_consume(R"({"batch_size":10000,"auto_ack":true,"wait_ms":60000,"lease_ms":1})");
  REQUIRE(full);
  CHECK(full->most == 10'000);
  CHECK(full->auto_ack);
  CHECK(full->wait == 60s);
  CHECK(full->lease == 1ms);
  CHECK(refusal(read_consume(R"({"batch_size":0})")) == "`batch_size` must be 1 to 10000");
  CHECK(refusal(read_consume(R"({"batch_size":10001})")) == "`batch_size` must be 1 to 10000");
  CHECK(refusal(read_consume(R"({"wait_ms":60001})")) == "`wait_ms` must be 0 to 60000");
  CHECK(refusal(read_consume(R"({"lease_ms":0})")) == "`lease_ms` must be 1 to 3155760000000");
  CHECK(refusal(read_consume(R"({"auto_ack":"yes"})")) == "`auto_ack` must be true or false");
}

TEST_CASE("a settlement keeps the text of what is no id") {
  const auto request = read_settle(
      R"({"message_ids":["01890a5d-ac96-774b-bcce-b302099a8057","nonsense","01890a5d-ac96-774b-bcce-b302099a8057#3",""]})",
      settlement::ack);
  REQUIRE(request);
  REQUIRE(request->messages.targets.size() == 2);
  CHECK(request->messages.targets[0].position == 0);
  CHECK(request->messages.targets[0].which.deliveries == 0);
  CHECK(request->messages.targets[1].position == 2);
  CHECK(request->messages.targets[1].which.deliveries == 3);
  CHECK(request->messages.no_ids == std::vector<std::uint32_t>{1, 3});
  CHECK(request->messages.texts[1] == "nonsense");
}

TEST_CASE("a settlement's other fields depend on its kind") {
  CHECK(read_settle(R"({"message_ids":[],"delay_ms":0})", settlement::nack)->value == 0ms);
  CHECK(read_settle(R"({"message_ids":[],"delay_ms":7})", settlement::nack)->value == 7ms);
  CHECK(read_settle(R"({"message_ids":[],"lease_ms":7})", settlement::extend)->value == 7ms);
  CHECK(read_settle(R"({"message_ids":[],"lease_ms":7})", settlement::ack)->value == 0ms);
  CHECK(refusal(read_settle("{}", settlement::ack)) == "`message_ids` must be an array of strings");
  CHECK(refusal(read_settle(R"({"message_ids":"a"})", settlement::ack)) == "`message_ids` must be an array of strings");
  CHECK(refusal(read_settle(R"({"message_ids":["a",1]})", settlement::ack)) ==
        "`message_ids` must be an array of strings");
  CHECK(refusal(read_settle(R"({"message_ids":[],"delay_ms":-1})", settlement::nack)) ==
        "`delay_ms` must be 0 to 3155760000000");
  CHECK(refusal(read_settle(R"({"message_ids":[],"reason":1})", settlement::nack)) == "`reason` must be a string");
  CHECK(refusal(read_settle(R"({"message_ids":[],"lease_ms":0})", settlement::extend)) ==
        "`lease_ms` must be 1 to 3155760000000");
  std::string many = R"({"message_ids":["a")";
  for (int i = 0; i < 10'000; ++i) many += R"(,"a")";
  CHECK(refusal(read_settle(many + "]}", settlement::ack)) == "`message_ids` must hold at most 10000 ids");
}

TEST_CASE("a redrive without ids means all, with an empty list none") {
  CHECK_FALSE(read_redrive("{}")->has_value());
  CHECK(read_redrive(R"({"message_ids":[]})")->value().empty());
  CHECK(read_redrive(R"({"message_ids":["x","01890a5d-ac96-774b-bcce-b302099a8057"]})")->value().size() == 1);
  CHECK(refusal(read_redrive(R"({"message_ids":{}})")) == "`message_ids` must be an array of strings");
}
