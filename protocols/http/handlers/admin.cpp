#include "actors/gateway.hpp"
#include "protocols/http/handlers/handlers.hpp"
#include "protocols/http/handlers/inputs.hpp"
#include "protocols/http/respond.hpp"
#include "protocols/translate/answers.hpp"
#include "protocols/translate/requests.hpp"

namespace mqlite {

void rewrite_log(exchange& x) { x.broker().rewrite(then_message(x, 202, "the rewrite of the log has begun")); }

void back_up_log(exchange& x) {
  const auto object = object_in_body(x);
  if (!object) return;
  auto folder = read_backup(*object);
  if (!folder) return refuse(x, folder.why());
  x.broker().backup(std::move(*folder), then_data<backed_up>(x, append_backed_up));
}

}  // namespace mqlite
