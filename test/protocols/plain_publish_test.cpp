#include "protocols/translate/plain_publish.hpp"

#include <doctest/doctest.h>

#include <optional>

#include "proto/mqlite.pb.h"
#include "protocols/translate/proto_answers.hpp"

using namespace mqlite;

namespace {

v1::PublishRequest some_publish() {
  v1::PublishRequest in;
  in.set_namespace_("shop");
  in.set_topic("orders");
  in.set_payload(std::string("\0\xff", 2));
  return in;
}

/// As the reader takes it; nothing for what it leaves to Protobuf.
std::optional<plain_publish> read_plain(std::string_view bytes) {
  plain_publish result;
  if (!read_plain_publish(bytes, result)) return std::nullopt;
  return result;
}

}  // namespace

TEST_CASE("a plain publish is read as Protobuf reads it") {
  auto in = some_publish();
  for (const auto queue : {-1, 0, 1, 127, 128, 1'000'000}) {
    in.set_queue_id(queue);
    const auto bytes = in.SerializeAsString();
    const auto plain = read_plain(bytes);
    REQUIRE(plain);
    CHECK(plain->name_space == in.namespace_());
    CHECK(plain->topic == in.topic());
    CHECK(plain->payload == in.payload());
    CHECK(plain->queue == queue);
  }
  CHECK(read_plain("")->queue == any_queue);
  CHECK(read_plain("")->name_space.data() == nullptr);
}

TEST_CASE("what is not plain is left to Protobuf") {
  auto in = some_publish();
  in.set_queue_id(-2);
  CHECK_FALSE(read_plain(in.SerializeAsString()));
  in = some_publish();
  in.set_routing_key("k");
  CHECK_FALSE(read_plain(in.SerializeAsString()));
  in = some_publish();
  (*in.mutable_headers())["a"] = "b";
  CHECK_FALSE(read_plain(in.SerializeAsString()));
  in = some_publish();
  in.set_delay_ms(1);
  CHECK_FALSE(read_plain(in.SerializeAsString()));
  in = some_publish();
  in.add_more();
  CHECK_FALSE(read_plain(in.SerializeAsString()));
  const auto bytes = some_publish().SerializeAsString();
  CHECK_FALSE(read_plain(bytes + bytes));                           // the last would count
  CHECK_FALSE(read_plain(bytes + std::string("\xa0\x06\x00", 3)));  // a field that nobody knows
  CHECK_FALSE(read_plain(bytes + std::string("\x32\x00", 2)));      // a queue of another type
  for (std::size_t size = 1; size < bytes.size(); ++size) {
    v1::PublishRequest cut;
    const std::string part = bytes.substr(0, size);
    CAPTURE(size);
    CHECK(read_plain(part).has_value() == cut.ParseFromString(part));
  }
}

TEST_CASE("results are written as Protobuf writes them") {
  const message_id id(0x0189'0a5d'ac96'774b, 0xbcce'b302'099a'8057);
  const std::vector<outcome<published>> outcomes = {published{id, 0}, published{id, 3}, published{id, 1000},
                                                    failure{error_code::not_found, std::string(200, 'x')}};
  std::string bytes;
  for (const auto& one : outcomes) append_publish_result(bytes, one);
  v1::PublishBatchResponse expected;
  fill(expected, outcomes);
  CHECK(bytes == expected.SerializeAsString());
}
