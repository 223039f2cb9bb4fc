#include <doctest/doctest.h>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <random>

#include "protocols/http/handlers/handlers.hpp"
#include "protocols/http/request_parser.hpp"
#include "protocols/http/router.hpp"
#include "protocols/translate/json_text.hpp"
#include "protocols/translate/publish_requests.hpp"
#include "protocols/translate/requests.hpp"

/// Sound requests with a few bytes changed, cut out or repeated: whatever comes of it is an answer. (Most is found under sanitizers.)
using namespace mqlite;

namespace {

std::string mutated(std::string text, std::mt19937& random) {
  constexpr std::string_view favourites = "{}[]\",:\\\0\xff 0-1eu/%\r\n";
  const auto below = [&](std::size_t n) { return n == 0 ? 0 : random() % n; };
  for (auto changes = 1 + below(4); changes > 0; --changes) {
    const auto at = below(text.size());
    switch (below(4)) {
      case 0:
        text[at] = static_cast<char>(random());
        break;
      case 1:
        text[at] = favourites[below(favourites.size())];
        break;
      case 2:
        text.erase(at, below(8));
        break;
      default:
        text.insert(at, text.substr(below(text.size()), below(16)));
    }
    if (text.empty()) text = "{";
  }
  return text;
}

void read_all(std::string_view body) {
  const auto object = json_object_in(body);
  if (!object) {
    CHECK_FALSE(object.why().text.empty());
    return;
  }
  const auto message = read_publish(*object, {1'800'000'000'000'000'000, 1000});
  if (message)
    CHECK(message->message->payload().size() <= 1000);
  else
    CHECK_FALSE(message.why().text.empty());
  read_publish_batch(*object, {1'800'000'000'000'000'000, 1000});
  read_create_topic(*object);
  read_consume(*object);
  read_settle(*object, settlement::nack);
  read_redrive(*object);
}

}  // namespace

TEST_CASE("changed JSON requests are read or refused") {
  std::mt19937 random(20260101);
  const std::string seeds[] = {
      R"({"payload":{"a":[1,2.5,"x\"\\\u20ac"],"b":{"c":null}},"headers":{"k":"v","k2":"\n"},"routing_key":"key","queue_id":3,"delay_ms":5,"ttl_ms":6})",
      R"({"payload_base64":"AAECAwQFBgc=","queue_id":-1,"deliver_at_ms":1700000000000})",
      R"({"messages":[{"payload":1},{"payload":"two","headers":{"a":"b"}},{"payload_base64":"AA=="}]})",
      R"({"name":"topic","queue_count":4,"ack_timeout_ms":1000,"overflow":"reject","steal":"half","max_bytes":100})",
      R"({"message_ids":["01890a5d-ac96-774b-bcce-b302099a8057#1","x"],"delay_ms":10,"batch_size":5,"auto_ack":false,"wait_ms":100})"};
  for (int i = 0; i < 20'000; ++i) read_all(mutated(seeds[random() % std::size(seeds)], random));
}

TEST_CASE("changed HTTP requests are parsed or refused") {
  std::mt19937 random(20260102);
  const router routes(all_routes());
  const std::string seeds[] = {
      "POST /v1/namespaces/a/topics/b%2e/publish HTTP/1.1\r\nHost: x\r\nContent-Length: 13\r\n\r\n{\"payload\":1}",
      "PUT /v1/namespaces/a/topics/b/resize?x=1 HTTP/1.1\r\nTransfer-Encoding: "
      "chunked\r\n\r\n5\r\n{\"a\":\r\n2\r\n1}\r\n0\r\n\r\n"};
  for (int i = 0; i < 20'000; ++i) {
    const auto text = mutated(seeds[random() % std::size(seeds)], random);
    http_request request;
    request_parser parser(request, 1000);
    boost::system::error_code error;
    std::string_view rest = text;
    while (!rest.empty() && !parser.is_done() && !error) {
      const auto used = parser.put(boost::asio::buffer(rest), error);
      rest.remove_prefix(used);
    }
    CHECK(request.body.size() <= 1000);
    if (parser.is_done()) routes.find(request);
  }
}
