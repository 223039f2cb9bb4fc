#include "actors/message_id.hpp"

#include <set>

#include "actors/operations.hpp"
#include "test/actors/support.hpp"

using namespace mqlite;
using mqlite::test::beginning;
using mqlite::test::second;

TEST_CASE("an id is UUIDv7 text: version 7, variant 2, 36 characters in lower case") {
  id_source ids(1);
  for (int i = 0; i < 1000; ++i) {
    const auto text = ids.next(beginning + i).text();
    REQUIRE(text.size() == 36);
    CHECK(text[8] == '-');
    CHECK(text[13] == '-');
    CHECK(text[18] == '-');
    CHECK(text[23] == '-');
    CHECK(text[14] == '7');
    CHECK(std::string("89ab").find(text[19]) != std::string::npos);
    CHECK(text.find_first_not_of("0123456789abcdef-") == std::string::npos);
  }
}

TEST_CASE("an id comes back from its text and from its bytes") {
  id_source ids(2);
  for (int i = 0; i < 1000; ++i) {
    const auto id = ids.next(beginning + i * 77'777);
    CHECK(message_id::parse(id.text()) == id);
    unsigned char bytes[16];
    id.to_bytes(bytes);
    CHECK(message_id::from_bytes(bytes) == id);
  }
  CHECK(message_id(0x0123456789abcdef, 0xfedcba9876543210).text() == "01234567-89ab-cdef-fedc-ba9876543210");
  CHECK(message_id::parse("01234567-89AB-CDEF-FEDC-BA9876543210") ==
        message_id(0x0123456789abcdef, 0xfedcba9876543210));
}

TEST_CASE("text that is no UUID is no id") {
  const std::string good = "01234567-89ab-cdef-fedc-ba9876543210";
  REQUIRE(message_id::parse(good));
  CHECK_FALSE(message_id::parse(""));
  CHECK_FALSE(message_id::parse(good + "0"));
  CHECK_FALSE(message_id::parse(good.substr(1)));
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (const char wrong : {'g', ' ', '/', ':', '@', '`', '\0'}) {
      auto bad = good;
      bad[i] = wrong;
      CHECK_FALSE(message_id::parse(bad));
    }
    auto swapped = good;
    swapped[i] = swapped[i] == '-' ? '0' : '-';
    CHECK_FALSE(message_id::parse(swapped));
  }
}

TEST_CASE("ids of one source rise strictly, as bytes and as text") {
  id_source ids(3);
  auto last = ids.next(beginning);
  for (int i = 1; i < 20'000; ++i) {
    const auto id = ids.next(beginning + i * 100);  // finer than the clock in the id
    REQUIRE(last < id);
    REQUIRE(last.text() < id.text());
    last = id;
  }
}

TEST_CASE("ids rise while the clock stands still or jumps back, across many milliseconds' worth") {
  id_source ids(4);
  auto last = ids.next(beginning + 3600 * second);
  for (int i = 0; i < 20'000; ++i) {
    const auto id = ids.next(i % 2 == 0 ? beginning : beginning + 3600 * second);
    REQUIRE(last < id);
    REQUIRE(id.text()[14] == '7');
    last = id;
  }
}

TEST_CASE("ids go on behind the newest of an earlier run, whatever the clock says") {
  id_source before(5);
  const auto newest = before.next(beginning + 10 * second);
  id_source after(5, newest);
  CHECK(newest < after.next(beginning));
}

TEST_CASE("an id tells when it was made, to about a quarter of a microsecond") {
  id_source ids(6);
  for (std::int64_t at = beginning; at < beginning + second; at += 1'234'567) {
    const auto told = ids.next(at).timestamp();
    CHECK(told <= at);
    CHECK(at - told < 500);
  }
}

TEST_CASE("sources with different seeds make different ids at the same moment") {
  std::set<message_id> all;
  for (std::uint64_t seed = 0; seed < 1000; ++seed) all.insert(id_source(seed).next(beginning));
  CHECK(all.size() == 1000);
}

TEST_CASE("a receipt is an id, or an id with a delivery count from 1") {
  const std::string id = "01900000-89ab-7def-bedc-ba9876543210";
  REQUIRE(receipt::parse(id));
  CHECK(receipt::parse(id)->deliveries == 0);
  CHECK(receipt::parse(id + "#1")->deliveries == 1);
  CHECK(receipt::parse(id + "#4294967295")->deliveries == 4294967295U);
  CHECK(receipt::parse(id + "#12")->id == *message_id::parse(id));
  for (const auto* wrong : {"#", "#0", "#-1", "#+1", "# 1", "#1 ", "#1x", "#4294967296", "1", "##1", "#1#1"})
    CHECK_FALSE(receipt::parse(id + wrong));
  CHECK_FALSE(receipt::parse(""));
  CHECK_FALSE(receipt::parse("#1"));
  CHECK_FALSE(receipt::parse(id.substr(0, 35) + "#1"));
}

TEST_CASE("routing keys are hashed with FNV-1a, 32 bits") {
  CHECK(routing_hash("") == 0x811c9dc5U);
  CHECK(routing_hash("a") == 0xe40c292cU);
  CHECK(routing_hash("b") == 0xe70c2de5U);
  CHECK(routing_hash("foo") == 0xa9f37ed7U);
  CHECK(routing_hash("foobar") == 0xbf9cf968U);
  CHECK(routing_hash(std::string_view("\0", 1)) == 0x050c5d1fU);
  CHECK(routing_hash("\xff") == (2166136261U ^ 0xffU) * 16777619U);  // bytes are unsigned
}
