#include "protocols/tcp/frame.hpp"

#include <doctest/doctest.h>

#include <random>
#include <vector>

#include "proto/mqlite.pb.h"
#include "protocols/tcp/command.hpp"

using namespace mqlite;
using namespace mqlite::tcp;

namespace {

constexpr std::uint64_t most = 1000;

std::string framed(std::string_view payload, char kind = 0, length_count count = length_count::payload) {
  const auto length = static_cast<std::uint32_t>(payload.size() + (count == length_count::payload ? 0 : 1));
  std::string out;
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(length >> shift);
  out += kind;
  return out.append(payload);
}

std::string with_length(std::uint32_t length, std::string_view rest) {
  std::string out;
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(length >> shift);
  return out.append(rest);
}

frame_reader reader() { return {most, is_document}; }

std::string proto_ping() {
  v1::TCPCommand command;
  command.set_action("ping");
  return command.SerializeAsString();
}

/// What a peer would be told: payloads, and "bad" or "fatal" for the others.
std::vector<std::string> read_all(frame_reader& frames, std::string& held) {
  std::vector<std::string> seen;
  for (;;) {
    const auto step = frames.next(held);
    if (step.what == frame_step::kind::incomplete || step.what == frame_step::kind::ambiguous) return seen;
    if (step.what == frame_step::kind::fatal) {
      seen.emplace_back("fatal");
      held.clear();
      return seen;
    }
    seen.emplace_back(step.what == frame_step::kind::bad ? "bad" : std::string(step.payload));
    held.erase(0, step.size);
  }
}

}  // namespace

TEST_CASE("frames arrive whole however their bytes are split") {
  for (const auto count : {length_count::payload, length_count::with_encoding}) {
    const std::string first = R"({"action":"ping"})";
    const auto stream = framed(first, 0, count) + framed(proto_ping(), 1, count) + framed("{}", 0, count);
    const std::vector<std::string> expected{first, proto_ping(), "{}"};
    for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
      auto frames = reader();
      std::string held = stream.substr(0, cut);
      auto seen = read_all(frames, held);
      held += stream.substr(cut);
      for (auto& payload : read_all(frames, held)) seen.push_back(std::move(payload));
      CAPTURE(cut);
      CHECK(seen == expected);
      CHECK(held.empty());
      CHECK(frames.count() == count);
    }
  }
}

TEST_CASE("frames arrive whole one byte at a time") {
  const auto stream = framed(R"({"action":"ping"})") + framed("{}") + framed(proto_ping(), 1);
  auto frames = reader();
  std::string held;
  std::vector<std::string> seen;
  for (const char byte : stream) {
    held += byte;
    for (auto& payload : read_all(frames, held)) seen.push_back(std::move(payload));
  }
  CHECK(seen == std::vector<std::string>{R"({"action":"ping"})", "{}", proto_ping()});
}

TEST_CASE("a first frame that is complete one byte early, with nothing behind it, is ambiguous until it is settled") {
  auto frames = reader();
  const auto bytes = framed("{}", 0, length_count::with_encoding);
  CHECK(frames.next(bytes).what == frame_step::kind::ambiguous);
  frames.settle();
  const auto step = frames.next(bytes);
  CHECK(step.what == frame_step::kind::whole);
  CHECK(step.payload == "{}");
  CHECK(step.size == bytes.size());
  CHECK(frames.count() == length_count::with_encoding);
}

TEST_CASE("white space behind a document belongs to it: the length counts the payload alone") {
  for (const char space : {' ', '\n', '\r', '\t'}) {
    auto frames = reader();
    const auto payload = std::string("{}") + space;
    const auto bytes = framed(payload);
    CHECK(frames.next(std::string_view(bytes).substr(0, bytes.size() - 1)).what == frame_step::kind::ambiguous);
    const auto step = frames.next(bytes);
    CHECK(step.what == frame_step::kind::whole);
    CHECK(step.payload == payload);
    CHECK(frames.count() == length_count::payload);
  }
}

TEST_CASE("what follows decides: another frame means that the encoding is counted") {
  auto frames = reader();
  const auto one = framed("{}", 0, length_count::with_encoding);
  CHECK(frames.next(one + one).payload == "{}");
  CHECK(frames.count() == length_count::with_encoding);
}

TEST_CASE("a Protobuf peer's count is recognised too") {
  for (const auto count : {length_count::payload, length_count::with_encoding}) {
    auto frames = reader();
    const auto two = framed(proto_ping(), 1, count) + framed(proto_ping(), 1, count);
    const auto step = frames.next(two);
    CHECK(step.payload == proto_ping());
    CHECK(step.as == encoding::protobuf);
    CHECK(frames.count() == count);
  }
}

TEST_CASE("a number is no document: 12 is not taken for 1 and something else") {
  auto frames = reader();
  CHECK(frames.next(framed("12")).payload == "12");
  CHECK(frames.count() == length_count::payload);
}

TEST_CASE("the count is learnt from the first frame alone") {
  auto frames = reader();
  std::string held = framed("{}") + framed("{}", 0, length_count::with_encoding);
  CHECK(read_all(frames, held) == std::vector<std::string>{"{}"});
  CHECK(frames.count() == length_count::payload);
}

TEST_CASE("a frame without payload is refused, and the next one is read") {
  auto frames = reader();
  std::string held =
      with_length(0, std::string(1, '\0')) + framed("{}") + with_length(0, std::string(1, '\1')) + framed("[1]");
  CHECK(read_all(frames, held) == std::vector<std::string>{"bad", "{}", "bad", "[1]"});
  const auto refused = reader().next(with_length(0, std::string(1, '\1')));
  CHECK(refused.as == encoding::protobuf);
  CHECK(refused.why.code == error_code::invalid_argument);
}

TEST_CASE("where the encoding is counted, a frame of length 0 is its four bytes") {
  auto frames = reader();
  std::string held = framed("{}", 0, length_count::with_encoding) + framed("[1]", 0, length_count::with_encoding);
  CHECK(read_all(frames, held) == std::vector<std::string>{"{}", "[1]"});
  const auto refused = frames.next(std::string(4, '\0'));
  CHECK(refused.what == frame_step::kind::bad);
  CHECK(refused.size == 4);
  CHECK(refused.as == encoding::json);
}

TEST_CASE("an unknown encoding is refused with its frame, and the next one is read") {
  auto frames = reader();
  std::string held = framed("{}") + framed("anything", 7) + framed("{}", '\xff') + framed("{}");
  CHECK(read_all(frames, held) == std::vector<std::string>{"{}", "bad", "bad", "{}"});
}

TEST_CASE("lengths over the limit end the connection, before anything else has arrived") {
  for (const std::uint32_t length : {1001U, 1U << 31, ~0U}) {
    const auto step = reader().next(with_length(length, ""));
    CHECK(step.what == frame_step::kind::fatal);
    CHECK(step.why.code == error_code::too_large);
  }
  CHECK(reader().next(with_length(1000, "")).what == frame_step::kind::incomplete);
}

TEST_CASE("a payload of exactly the limit passes by either count") {
  const auto payload = "{" + std::string(most - 2, ' ') + "}";
  auto alone = reader();
  CHECK(alone.next(framed(payload)).payload == payload);
  auto counted = reader();
  std::string held = framed("{}", 0, length_count::with_encoding) + framed(payload, 0, length_count::with_encoding);
  CHECK(read_all(counted, held) == std::vector<std::string>{"{}", payload});
}

TEST_CASE("HTTP is refused with words that say so") {
  const auto step = reader().next("GET / HTTP/1.1\r\n\r\n");
  CHECK(step.what == frame_step::kind::fatal);
  CHECK(step.as == encoding::json);
  CHECK(step.why.text.find("HTTP") != std::string::npos);
}

TEST_CASE("a written frame is read back by both counts") {
  for (const auto count : {length_count::payload, length_count::with_encoding}) {
    std::string out = "before";
    frame_writer frame(out, encoding::protobuf);
    out += "abc";
    frame.finish(count);
    CHECK(out == "before" + framed("abc", 1, count));
  }
}

TEST_CASE("mutated streams never make a frame reach behind its input, and always come to an end") {
  std::mt19937 random(20240607);
  const auto stream =
      framed(R"({"action":"ping","id":1})") + framed(proto_ping(), 1) + framed("{}") + framed("[1,2,3]");
  for (int round = 0; round < 20'000; ++round) {
    auto bytes = stream;
    for (auto changes = random() % 6; changes > 0; --changes)
      bytes[random() % bytes.size()] = static_cast<char>(random());
    bytes.resize(random() % (bytes.size() + 1));
    auto frames = reader();
    std::string_view rest = bytes;
    for (std::size_t steps = 0;; ++steps) {
      REQUIRE(steps <= bytes.size());
      const auto step = frames.next(rest);
      if (step.what == frame_step::kind::ambiguous) {
        frames.settle();
        continue;
      }
      if (step.what == frame_step::kind::incomplete || step.what == frame_step::kind::fatal) break;
      REQUIRE(step.size > 0);
      REQUIRE(step.size <= rest.size());
      if (step.what == frame_step::kind::whole) {
        REQUIRE(step.payload.data() >= rest.data());
        REQUIRE(step.payload.data() + step.payload.size() <= rest.data() + step.size);
      }
      rest.remove_prefix(step.size);
    }
  }
}
