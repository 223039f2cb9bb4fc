#include "actors/gateway.hpp"
#include "protocols/http/handlers/handlers.hpp"
#include "protocols/http/handlers/inputs.hpp"
#include "protocols/http/respond.hpp"
#include "protocols/translate/answers.hpp"

namespace mqlite {

void list_namespaces(exchange& x) { x.broker().list_namespaces(then_data<std::vector<std::string>>(x, append_names)); }

void create_namespace(exchange& x) {
  const auto object = object_in_body(x);
  if (!object) return;
  auto name = read_name(*object);
  if (!name) return refuse(x, name.why());
  x.broker().create_namespace(*name, then_message(x, 201, "namespace " + *name + " was created"));
}

void delete_namespace(exchange& x) {
  const auto names = namespace_in_path(x);
  if (!names) return;
  std::string name(names->name_space);
  x.broker().delete_namespace(name, then_message(x, 200, "namespace " + name + " was deleted"));
}

}  // namespace mqlite
