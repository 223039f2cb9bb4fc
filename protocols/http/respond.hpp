#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "actors/errors.hpp"
#include "protocols/http/exchange.hpp"
#include "protocols/http/router.hpp"

/// How handlers answer: the envelope.
namespace mqlite {

/// Finds the request's handler and runs it, or says why there is none.
void answer_request(exchange& x, const router& routes, http_request& request);

/// `{"success":true,"message":...}`
void succeed(exchange& x, int status, std::string_view message);

/// `{"success":false,"code":...,"message":...}`
void refuse(exchange& x, const failure& why);

/// `{"success":true,"data":...}`, where `append` appends the data to the string that it gets.
template <class Append>
void succeed_with(exchange& x, Append append) {
  auto& out = x.body();
  out += "{\"success\":true,\"data\":";
  append(out);
  out += '}';
  x.send(200);
}

/// A completion that answers with a refusal, or with the data that `append` makes of the value.
template <class T, class Append>
auto then_data(exchange& x, Append append) {
  return [to = x.shared_from_this(), append = std::move(append)](outcome<T> result) {
    if (!result) return refuse(*to, result.why());
    succeed_with(*to, [&](std::string& out) { append(out, *result); });
  };
}

/// A completion that answers with a refusal, or says that it was done.
inline auto then_message(exchange& x, int status, std::string message) {
  return [to = x.shared_from_this(), status, message = std::move(message)](const outcome<done>& result) {
    if (!result) return refuse(*to, result.why());
    succeed(*to, status, message);
  };
}

}  // namespace mqlite
