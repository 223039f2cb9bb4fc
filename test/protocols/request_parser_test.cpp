#include "protocols/http/request_parser.hpp"

#include <doctest/doctest.h>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>

using namespace mqlite;
namespace http = boost::beast::http;

namespace {

/// Feeds `text` to a parser in pieces of `step` bytes, as a socket would; the error that it ends with, if any.
boost::system::error_code parse(std::string_view text, http_request& into, std::size_t step,
                                std::uint64_t most_body = 1000) {
  request_parser parser(into, most_body);
  boost::system::error_code error;
  std::string input;
  for (std::size_t at = 0; at < text.size() && !parser.is_done();) {
    input += text.substr(at, step);
    at += step;
    input.erase(0, parser.put(boost::asio::buffer(input), error));
    if (error && error != http::error::need_more) return error;
  }
  return parser.is_done() ? boost::system::error_code() : error;
}

}  // namespace

TEST_CASE("a request is the same in whatever pieces it comes") {
  constexpr std::string_view text =
      "POST /v1/x?a=b HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-Continue\r\n\r\nhello";
  for (std::size_t step = 1; step <= text.size(); ++step) {
    http_request request;
    CHECK_FALSE(parse(text, request, step));
    CHECK(request.method == http_method::post);
    CHECK(request.path() == "/v1/x");
    CHECK(request.query() == "a=b");
    CHECK(request.body == "hello");
    CHECK(request.keep_alive);
    CHECK(request.expects_continue);
  }
}

TEST_CASE("a chunked body is put together") {
  http_request request;
  for (const std::size_t step : {1, 7, 1000}) {
    CHECK_FALSE(
        parse("PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: v\r\n\r\n",
              request, step));
    CHECK(request.body == "abcde");
  }
}

TEST_CASE("who wants the connection to end is understood") {
  http_request request;
  CHECK_FALSE(parse("GET / HTTP/1.0\r\n\r\n", request, 100));
  CHECK_FALSE(request.keep_alive);
  CHECK(request.http_1_0);
  CHECK_FALSE(parse("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", request, 100));
  CHECK(request.keep_alive);
  CHECK_FALSE(parse("GET / HTTP/1.1\r\nConnection: close\r\n\r\n", request, 100));
  CHECK_FALSE(request.keep_alive);
}

TEST_CASE("a body over the limit is refused before it arrives, whatever its encoding") {
  http_request request;
  CHECK(parse("POST / HTTP/1.1\r\nContent-Length: 1001\r\n\r\n", request, 1000) == http::error::body_limit);
  CHECK(parse("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n" + std::string(1001, 'x'), request, 2000) ==
        http::error::body_limit);
  CHECK_FALSE(parse("POST / HTTP/1.1\r\nContent-Length: 1000\r\n\r\n" + std::string(1000, 'x'), request, 700));
}

TEST_CASE("malformed requests are refused") {
  http_request request;
  for (const std::string_view text :
       {"GET\r\n\r\n", "GET / HTTP/2.0\r\n\r\n", "GET / HTTP/1.1\nHost: h\n\n", "GET / HTTP/1.1\r\nno colon\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", "\x16\x03\x01\x02\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n", "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"})
    for (const std::size_t step : {1, 1000}) CHECK(parse(text, request, step));
  CHECK(parse("GET /" + std::string(20'000, 'a') + " HTTP/1.1\r\n\r\n", request, 1000) == http::error::header_limit);
}

TEST_CASE("a chunked body may be empty, and end in whatever pieces") {
  constexpr std::string_view head = "POST /v1/x HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const std::string_view body : {"0\r\n\r\n", "0\r\nA: b\r\n\r\n", "0;x=y\r\n\r\n", "1\r\nx\r\n0\r\n\r\n"}) {
    const auto text = std::string(head).append(body);
    for (std::size_t step = 1; step <= text.size(); ++step) {
      http_request request;
      CHECK_FALSE(parse(text, request, step));
      CHECK(request.body == (body.front() == '1' ? "x" : ""));
    }
  }
}
