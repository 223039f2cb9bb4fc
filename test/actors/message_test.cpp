#include "actors/message.hpp"

#include <thread>

#include "test/actors/support.hpp"

using namespace mqlite;

namespace {

message_attributes some_attributes() {
  message_attributes a;
  a.routing_key = "customer 7";
  a.headers = {{"trace", "abc"}, {"", "empty name"}, {"empty value", ""}};
  a.expires_at = 1'234'567'890'123;
  return a;
}

}  // namespace

TEST_CASE("attributes come back from their bytes") {
  const auto before = some_attributes();
  message_attributes after;
  REQUIRE(message_attributes::decode(before.encode(), after));
  CHECK(after.routing_key == before.routing_key);
  CHECK(after.headers == before.headers);
  CHECK(after.expires_at == before.expires_at);
}

TEST_CASE("no attributes take no bytes, and broken bytes are no attributes") {
  CHECK(message_attributes{}.encode().empty());
  message_attributes out;
  CHECK(message_attributes::decode("", out));
  CHECK(out.empty());
  CHECK_FALSE(message_attributes::decode("\xff\xff\xff", out));
}

TEST_CASE("a message holds payload, attributes and expiry in every combination") {
  const auto encoded = some_attributes().encode();
  for (const std::size_t size : {0, 1, 7, 8, 256, 100'000})
    for (const bool attributed : {false, true})
      for (const std::int64_t expiry : {std::int64_t{0}, std::int64_t{1'234'567'890'123}}) {
        const std::string payload(size, 'x');
        const auto m = message::make(payload, attributed ? encoded : "", expiry, message_id{1, 2});
        CHECK(m->payload() == payload);
        CHECK(m->attributes() == (attributed ? encoded : ""));
        CHECK(m->expires_at() == expiry);
        CHECK(m->id() == message_id{1, 2});
        CHECK(m->footprint() >= sizeof(message) + size + (attributed ? encoded.size() : 0));
        CHECK(m->footprint() <= sizeof(message) + size + (attributed ? encoded.size() : 0) + 12);
      }
}

TEST_CASE("a message of 256 bytes takes 280") { CHECK(message::make(std::string(256, 'x'))->footprint() == 280); }

TEST_CASE("memory() counts every message while anybody holds it, and goes back to where it was") {
  const auto before = message::memory();
  {
    auto m = message::make(std::string(1000, 'x'), some_attributes().encode(), 5);
    CHECK(message::memory() == before + m->footprint() + message::bookkeeping);
    auto shared = m;
    m = {};
    CHECK(message::memory() == before + shared->footprint() + message::bookkeeping);
    auto moved = std::move(shared);
    CHECK(moved);
    CHECK_FALSE(shared);
  }
  CHECK(message::memory() == before);
}

TEST_CASE("memory() is right when messages are made in some threads and end in others") {
  const auto before = message::memory();
  std::vector<std::vector<message_ptr>> made(4);
  {
    std::vector<std::thread> threads;
    for (auto& mine : made)
      threads.emplace_back([&mine] {
        for (std::size_t i = 0; i < 2000; ++i) mine.push_back(message::make(std::string(i % 300, 'x')));
      });
    for (auto& t : threads) t.join();
  }
  std::uint64_t sum = 0;
  for (const auto& mine : made)
    for (const auto& m : mine) sum += m->footprint() + message::bookkeeping;
  CHECK(message::memory() == before + sum);
  auto copies = made;
  {
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < made.size(); ++i)
      threads.emplace_back([&made, i] { made[(i + 1) % made.size()].clear(); });
    for (auto& t : threads) t.join();
  }
  CHECK(message::memory() == before + sum);
  copies.clear();
  CHECK(message::memory() == before);
}
