#include "actors/gateway.hpp"
#include "protocols/http/environment.hpp"
#include "protocols/http/handlers/handlers.hpp"
#include "protocols/http/respond.hpp"
#include "protocols/translate/stats_answers.hpp"

namespace mqlite {

void show_stats(exchange& x) {
  x.broker().stats(then_data<broker_stats>(x, [&environment = x.environment()](std::string& out,
                                                                               const broker_stats& stats) {
    append_stats(
        out, {environment.version, environment.limits.max_memory, environment.connections, environment.started}, stats);
  }));
}

}  // namespace mqlite
