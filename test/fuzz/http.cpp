#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <string>
#include <vector>

#include "protocols/http/handlers/handlers.hpp"
#include "protocols/http/request_parser.hpp"
#include "protocols/http/router.hpp"
#include "test/fuzz/fuzz.hpp"

/// A connection's bytes are cut into the same requests however they arrive; a request that was read, written anew and read again is
/// the same; and the router keeps to its table.
using namespace mqlite;
namespace http = boost::beast::http;

namespace {

constexpr std::uint64_t most_body = 300;
constexpr int most_requests = 4;

struct outcome_of_parse {
  bool done = false;
  http_request request;
  std::size_t used = 0;
};

/// Reads one request whose bytes arrive in pieces of this size.
outcome_of_parse parse(std::string_view stream, std::size_t piece) {
  outcome_of_parse result;
  request_parser parser(result.request, most_body);
  boost::system::error_code error;
  std::string held;
  while (!stream.empty() && !parser.is_done()) {
    held += stream.substr(0, piece);
    stream.remove_prefix(std::min(piece, stream.size()));
    for (std::size_t used = 1; used > 0 && !held.empty() && !parser.is_done();) {
      used = parser.put(boost::asio::buffer(held), error);
      MQLITE_REQUIRE(used <= held.size() && result.request.body.size() <= most_body);
      held.erase(0, used);
      result.used += used;
      if (error && error != http::error::need_more) return result;
    }
  }
  result.done = parser.is_done();
  return result;
}

void check_same(const http_request& one, const http_request& other) {
  MQLITE_REQUIRE(one.method == other.method && one.method_text == other.method_text);
  MQLITE_REQUIRE(one.target == other.target && one.body == other.body);
  MQLITE_REQUIRE(one.http_1_0 == other.http_1_0 && one.keep_alive == other.keep_alive);
  MQLITE_REQUIRE(one.expects_continue == other.expects_continue);
}

void check_written_anew(const http_request& request) {
  const auto text = request.method_text + " " + request.target +
                    " HTTP/1.1\r\nContent-Length: " + std::to_string(request.body.size()) + "\r\n\r\n" + request.body;
  const auto again = parse(text, text.size());
  MQLITE_REQUIRE(again.done && again.used == text.size());
  MQLITE_REQUIRE(again.request.method_text == request.method_text && again.request.target == request.target);
  MQLITE_REQUIRE(again.request.body == request.body);
}

std::size_t segments_of(std::string_view path) {
  return static_cast<std::size_t>(std::count(path.begin(), path.end(), '/'));
}

void check_routed(http_request& request) {
  static const router routes(all_routes());
  const auto match = routes.find(request);
  using kind = router::match::kind;
  MQLITE_REQUIRE((match.what == kind::wrong_method) == !match.allow.empty());
  MQLITE_REQUIRE((match.what == kind::found) == (match.handler != nullptr));
  if (match.what != kind::found) return;
  const bool known = std::any_of(all_routes().begin(), all_routes().end(), [&](const http_route& route) {
    return route.handler == match.handler && segments_of(route.pattern) == segments_of(request.path());
  });
  MQLITE_REQUIRE(known);
}

void check_percent_coding(std::string_view bytes) {
  constexpr std::string_view hex = "0123456789abcdef";
  std::string coded, decoded;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    coded += {'%', hex[byte >> 4], hex[byte & 15]};
  }
  MQLITE_REQUIRE(percent_decode(coded, decoded) && decoded == bytes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::input in(data, size);
  const auto piece = 1 + in.byte() % 32;
  auto stream = in.rest();
  check_percent_coding(stream);
  for (int number = 0; number < most_requests && !stream.empty(); ++number) {
    auto whole = parse(stream, stream.size());
    const auto pieces = parse(stream, piece);
    MQLITE_REQUIRE(whole.done == pieces.done);
    if (!whole.done) break;
    MQLITE_REQUIRE(whole.used == pieces.used);
    check_same(whole.request, pieces.request);
    check_written_anew(whole.request);
    check_routed(whole.request);
    stream.remove_prefix(whole.used);
  }
  return 0;
}
