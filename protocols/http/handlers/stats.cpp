#include "actors/gateway.hpp"
#include "protocols/http/environment.hpp"
#include "protocols/http/handlers/handlers.hpp"
#include "protocols/http/handlers/inputs.hpp"
#include "protocols/http/respond.hpp"
#include "protocols/translate/stats_answers.hpp"

namespace mqlite {

void show_stats(exchange& x) {
  bool topics = false;
  if (!read_query(x, "topics", topics)) return;
  const auto detail = topics ? stats_detail::topics : stats_detail::totals;
  x.broker().stats(
      then_data<broker_stats>(x, [&environment = x.environment(), detail](std::string& out, const broker_stats& stats) {
        append_stats(out,
                     {environment.version, environment.limits.max_memory, environment.connections, environment.started},
                     stats, detail);
      }));
}

}  // namespace mqlite
