#include "protocols/http/exchange.hpp"
#include "protocols/http/handlers/handlers.hpp"
#include "protocols/http/openapi_text.hpp"

namespace mqlite {

void show_openapi(exchange& x) {
  x.body() = openapi_text();
  x.send(200);
}

}  // namespace mqlite
