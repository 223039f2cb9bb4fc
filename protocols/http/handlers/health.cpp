#include "actors/gateway.hpp"
#include "protocols/http/environment.hpp"
#include "protocols/http/handlers/handlers.hpp"
#include "protocols/http/respond.hpp"
#include "protocols/translate/json_text.hpp"

namespace mqlite {
namespace {

void answer_ready(exchange& x, std::string_view problem) {
  auto& out = x.body();
  if (problem.empty()) {
    out += "{\"status\":\"ok\"}";
    return x.send(200);
  }
  out += "{\"status\":\"unavailable\",\"reason\":";
  append_json_string(out, problem);
  out += '}';
  x.send(503);
}

}  // namespace

void health(exchange& x) { answer_ready(x, {}); }

void ready(exchange& x) {
  if (x.environment().stopping) return answer_ready(x, "the broker is shutting down");
  x.broker().log([to = x.shared_from_this()](const outcome<log_status>& log) {
    if (!log)
      answer_ready(*to, log.why().text);
    else if (!log->healthy)
      answer_ready(*to, log->problem.empty() ? "the log cannot be written" : log->problem);
    else
      answer_ready(*to, {});
  });
}

}  // namespace mqlite
