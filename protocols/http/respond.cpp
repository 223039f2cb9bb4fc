#include "protocols/http/respond.hpp"

#include "protocols/translate/answers.hpp"
#include "protocols/translate/error_names.hpp"
#include "protocols/translate/json_text.hpp"

namespace mqlite {
namespace {

/// The path as a refusal quotes it.
std::string shown(const http_request& request) {
  constexpr std::size_t most = 200;
  const auto path = request.path();
  return request.method_text + " " +
         (path.size() > most ? std::string(path.substr(0, most)) + "..." : std::string(path));
}

void refuse_method(exchange& x, const std::string& allow) {
  auto& out = x.body();
  out += "{\"success\":false,\"code\":\"METHOD_NOT_ALLOWED\",\"message\":";
  append_json_string(out, shown(x.request()) + " is not allowed here, only " + allow);
  out += '}';
  x.send(405, json_content, "Allow: " + allow + "\r\n");
}

}  // namespace

void answer_request(exchange& x, const router& routes, http_request& request) {
  const auto match = routes.find(request);
  switch (match.what) {
    case router::match::kind::found:
      return match.handler(x);
    case router::match::kind::wrong_method:
      return refuse_method(x, match.allow);
    case router::match::kind::malformed:
      return refuse(x, {error_code::invalid_argument, "malformed percent-encoding in " + shown(request)});
    case router::match::kind::unknown_path:
      break;
  }
  refuse(x, {error_code::not_found, "there is no route " + shown(request)});
}

void succeed(exchange& x, int status, std::string_view message) {
  auto& out = x.body();
  out += "{\"success\":true,\"message\":";
  append_json_string(out, message);
  out += '}';
  x.send(status);
}

void refuse(exchange& x, const failure& why) {
  auto& out = x.body();
  out = "{\"success\":false,";
  append_failure_members(out, why);
  out += '}';
  x.send(names_of(why.code).http);
}

}  // namespace mqlite
