#include "protocols/http/router.hpp"

#include <doctest/doctest.h>

#include "protocols/http/handlers/handlers.hpp"

using namespace mqlite;

namespace {

using kind = router::match::kind;

router::match find(std::string_view target, http_method method, http_request& request) {
  static const router routes(all_routes());
  request.clear();
  request.target = target;
  request.method = method;
  return routes.find(request);
}

router::match find(std::string_view target, http_method method = http_method::get) {
  http_request request;
  return find(target, method, request);
}

}  // namespace

TEST_CASE("paths lead to their handlers, with their parameters") {
  http_request request;
  CHECK((find("/v1/namespaces/a/topics/b/queues/12/consume?x=1", http_method::post, request).handler ==
         consume_from_queue));
  CHECK(request.parameters == std::array<std::string, 3>{"a", "b", "12"});
  CHECK((find("/v1/namespaces/a/topics/b/publish", http_method::post, request).handler == publish));
  CHECK((find("/v1/namespaces/n", http_method::del, request).handler == delete_namespace));
  CHECK(request.parameters[0] == "n");
  CHECK((find("/v1/namespaces/a/topics/b/dead/redrive", http_method::post).handler == redrive_dead));
  CHECK((find("/health").handler == health));
}

TEST_CASE("parameters are percent-decoded after the path was split") {
  http_request request;
  CHECK(find("/v1/namespaces/%2e%2e/topics/a%2Fb%00/publish", http_method::post, request).what == kind::found);
  CHECK(request.parameters[0] == "..");
  CHECK(request.parameters[1] == std::string_view("a/b\0", 4));
  for (const std::string_view bad :
       {"/v1/namespaces/%", "/v1/namespaces/%4", "/v1/namespaces/%zz", "/v1/namespaces/a%2"})
    CHECK(find(bad, http_method::del).what == kind::malformed);
}

TEST_CASE("unknown paths are not found") {
  for (const std::string_view path :
       {"", "*", "/x", "/v1", "/v1/namespaces/", "//v1/namespaces", "/v1/namespaces/a/b/c", "/V1/namespaces",
        "/health/x", "/v1/namespaces/a/topics/b/queues/1/consume/", "/a/b/c/d/e/f/g/h/i/j/k/l",
        "http://h/v1/namespaces"})
    CHECK(find(path).what == kind::unknown_path);
}

TEST_CASE("a wrong method is told the right ones") {
  CHECK(find("/v1/namespaces", http_method::put).what == kind::wrong_method);
  CHECK(find("/v1/namespaces", http_method::put).allow == "GET, HEAD, POST");
  CHECK(find("/v1/namespaces/a/topics/b", http_method::post).allow == "GET, HEAD, PATCH, DELETE");
  CHECK(find("/v1/namespaces/a/topics/b/publish").allow == "POST");
  CHECK(find("/health", http_method::other).allow == "GET, HEAD");
}

TEST_CASE("HEAD goes where GET goes, except to streams") {
  CHECK((find("/v1/stats", http_method::head).handler == show_stats));
  CHECK(find("/v1/namespaces/a/topics/b/subscribe", http_method::head).what == kind::wrong_method);
  CHECK(find("/v1/namespaces/a/topics/b/subscribe", http_method::head).allow == "GET");
}
