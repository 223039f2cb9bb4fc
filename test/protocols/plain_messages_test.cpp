#include "protocols/tcp/plain_messages.hpp"

#include <doctest/doctest.h>

#include "proto/mqlite.pb.h"
#include "protocols/translate/proto_answers.hpp"

using namespace mqlite;

namespace {

const auto some_id = *message_id::parse("01890a5d-ac96-774b-bcce-b302099a8057");
const message_origin origin{"ns", "topic"};

delivery message_of(std::string_view payload, queue_number queue, std::uint32_t deliveries,
                    const message_attributes& attributes = {}) {
  return {message::make(payload, attributes.encode(), attributes.expires_at, some_id), queue, deliveries};
}

std::vector<delivery> all_kinds() {
  message_attributes attributes;
  attributes.routing_key = "key";
  attributes.headers["a"] = "b";
  return {message_of("payload", 0, 1), message_of("", 3, 2),
          message_of(std::string(70'000, '\xff'), 1023, 4'000'000'000),
          message_of("with attributes", 7, 1, attributes)};
}

}  // namespace

TEST_CASE("the answer to a consume is, byte for byte, what the library writes") {
  for (const std::uint64_t request_id : {std::uint64_t{0}, std::uint64_t{1}, ~std::uint64_t{0}}) {
    v1::TCPResponse expected;
    expected.set_status("ok");
    expected.set_request_id(request_id);
    fill(*expected.mutable_consume(), origin, all_kinds());
    std::string out = "before";
    tcp::append_consumed_response(out, request_id, origin, all_kinds());
    CHECK(out == "before" + expected.SerializeAsString());
  }
}

TEST_CASE("an answer without messages still is the answer to a consume") {
  std::string out;
  tcp::append_consumed_response(out, 0, origin, {});
  v1::TCPResponse read;
  REQUIRE(read.ParseFromString(out));
  CHECK(read.data_case() == v1::TCPResponse::kConsume);
  CHECK(read.consume().messages_size() == 0);
}

TEST_CASE("a pushed message is what the library writes") {
  for (const auto& one : all_kinds()) {
    v1::TCPResponse expected;
    expected.set_status("ok");
    fill(*expected.mutable_subscribe_message(), origin, one);
    std::string out;
    tcp::append_pushed_response(out, origin, one);
    CHECK(out == expected.SerializeAsString());
  }
}
