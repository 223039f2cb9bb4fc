#include "protocols/remote/gate.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace mqlite::remote;

namespace {

using bytes = std::vector<unsigned char>;

void append(bytes& to, std::uint64_t number, int size) {
  for (int i = size - 1; i >= 0; --i) to.push_back(static_cast<unsigned char>(number >> (8 * i)));
}

bytes header(unsigned char operation, std::uint32_t payload, unsigned char flags = 0, std::uint64_t data = 0,
             std::uint64_t source = 0, std::uint64_t destination = 0) {
  bytes result{operation, 0, 0, flags};
  append(result, payload, 4);
  append(result, data, 8);
  append(result, source, 8);
  append(result, destination, 8);
  return result;
}

bytes message(std::vector<std::uint16_t> types, std::size_t stages = 0) {
  bytes result{static_cast<unsigned char>(stages), static_cast<unsigned char>(types.size())};
  for (const auto type : types) append(result, type, 2);
  result.push_back(42);
  return result;
}

/// A node's, with such bytes in it.
bytes name(unsigned char host) {
  bytes result(25, host);
  result[0] = 1;
  return result;
}

struct fixture {
  gate_rules rules{1000, name(9), 1200, 1300, {{}, {7}}, {{3, 4}}};
  gate door{rules};

  bool passes(const bytes& what) { return !door.take(what); }
  void greet() {
    REQUIRE(passes(header(1, 25)));
    REQUIRE(passes(name(8)));
  }
  bool passes_message(const bytes& payload, unsigned char flags = 0, std::uint64_t destination = 9) {
    return passes(header(2, static_cast<std::uint32_t>(payload.size()), flags, 0, 5, destination)) && passes(payload);
  }
};

}  // namespace

TEST_CASE("a client that greets and speaks the interface passes") {
  fixture f;
  f.greet();
  CHECK(f.passes_message(message({1200})));
  CHECK(f.passes_message(message({1299, 1200})));
  CHECK(f.passes_message(message({})));
  CHECK(f.passes_message(message({7})));
  CHECK(f.passes(header(6, 0)));
  CHECK(f.passes(header(4, 30)));
  CHECK(f.passes(bytes(30)));
  CHECK(f.passes(header(5, 30, 0, 0, 4)));
  CHECK(f.passes(bytes(30)));
  CHECK(f.passes_message(message({1250})));
}

TEST_CASE("what comes before a greeting is refused") {
  for (const unsigned char operation : {0, 2, 3, 4, 5, 6, 7, 71, 255}) {
    fixture f;
    CAPTURE(static_cast<int>(operation));
    CHECK_FALSE(f.passes(header(operation, 20)));
  }
}

TEST_CASE("greetings of other versions and other protocols are refused") {
  CHECK_FALSE(gate::check_greeting(header(1, 40)));
  CHECK(gate::check_greeting(header(1, 0)));
  CHECK(gate::check_greeting(header(1, 1 << 20)));
  CHECK(gate::check_greeting(header(1, 40, 1)));
  CHECK(gate::check_greeting(header(1, 40, 0, 3)));
  CHECK(gate::check_greeting(header(1, 40, 0, 0, 1)));
  CHECK(gate::check_greeting(header(1, 40, 0, 0, 0, 1)));
  const std::string http = "GET / HTTP/1.1\r\nHost: localhost\r\n";
  CHECK(gate::check_greeting({reinterpret_cast<const unsigned char*>(http.data()), gate::header_size}));
  CHECK(gate::check_greeting(bytes(31)));
  CHECK(gate::check_greeting({}));
}

TEST_CASE("a greeting needs a name, which is not the broker's own") {
  for (const auto& refused : {name(9), bytes{255}, bytes(25), bytes{0, 1, 'a'}, bytes(26, 1)}) {
    fixture f;
    REQUIRE(f.passes(header(1, static_cast<std::uint32_t>(refused.size()))));
    CHECK_FALSE(f.passes(refused));
  }
}

TEST_CASE("types that are not of the interface are refused, alone and between others") {
  for (const auto& types : std::vector<std::vector<std::uint16_t>>{
           {1199}, {1300}, {0}, {65535}, {1200, 7}, {7, 1200}, {7, 7}, {1200, 5, 1201}, {3, 4}}) {
    fixture f;
    f.greet();
    CHECK_FALSE(f.passes_message(message(types)));
  }
}

TEST_CASE("only CAF's own question reaches a named actor, and only the one that it is for") {
  struct question {
    std::vector<std::uint16_t> types;
    std::uint64_t destination;
    bool fits;
  };
  const question questions[] = {
      {{3, 4}, 2, true}, {{3, 4}, 1, false}, {{1200}, 2, false}, {{}, 2, false}, {{4, 3}, 2, false}};
  for (const auto& q : questions) {
    fixture f;
    f.greet();
    CHECK(f.passes_message(message(q.types), 1, q.destination) == q.fits);
  }
}

TEST_CASE("lengths are bounded before anything is allocated") {
  fixture f;
  f.greet();
  CHECK(f.passes(header(2, 1000, 0, 0, 5, 9)));
  CHECK(f.passes(message({1200})));
  CHECK_FALSE(f.passes(header(2, 1001, 0, 0, 5, 9)));
  for (const unsigned char operation : {4, 5, 6}) {
    fixture g;
    g.greet();
    CHECK_FALSE(g.passes(header(operation, 0xffffffff)));
  }
}

TEST_CASE("forwarding, a second greeting and messages by way of others are refused") {
  for (const unsigned char operation : {0, 1, 3, 7}) {
    fixture f;
    f.greet();
    CHECK_FALSE(f.passes(header(operation, 20)));
  }
  fixture f;
  f.greet();
  CHECK_FALSE(f.passes_message(message({1200}, 1)));
}

TEST_CASE("messages that are cut short are refused") {
  for (const auto& payload :
       {bytes{}, bytes{0}, bytes{0, 1}, bytes{0, 1, 4}, bytes{0, 2, 4, 176, 4}, bytes{0, 255, 4, 176}}) {
    fixture f;
    f.greet();
    CHECK(f.passes(header(2, static_cast<std::uint32_t>(std::max<std::size_t>(payload.size(), 1)), 0, 0, 5, 9)));
    CHECK_FALSE(f.passes(payload));
  }
}
