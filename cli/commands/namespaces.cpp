#include "cli/commands/commands.hpp"

namespace mqlite::cli {
namespace {

using stub = broker_client::stub;

/// A command that takes the name of a namespace and says that it was done.
template <class Request, class Response>
void add_named(command_line& line, CLI::App* group, const std::string& name, const std::string& description,
               grpc::Status (stub::*rpc)(grpc::ClientContext*, const Request&, Response*)) {
  const auto name_space = std::make_shared<std::string>();
  auto* sub = line.add(group, name, description);
  sub->add_option("NAMESPACE", *name_space)->required();
  line.on(sub, [name_space, rpc](command_context& c) {
    Request request;
    request.set_name(*name_space);
    c.out.done(c.broker.call(rpc, request));
  });
}

void list_namespaces(command_context& c) {
  const auto found = c.broker.call(&stub::ListNamespaces, v1::ListNamespacesRequest());
  if (c.out.json()) return c.out.answer(found);
  for (const auto& each : found.namespaces()) c.out.line(each);
  if (found.namespaces().empty()) c.out.remark("no namespaces");
}

}  // namespace

void add_namespace_commands(command_line& line) {
  auto* group = line.add(nullptr, "namespace", "Create, list and delete namespaces", objects_group);
  group->require_subcommand(1);
  add_named(line, group, "create", "Create a namespace", &stub::CreateNamespace);
  line.on(line.add(group, "list", "List all namespaces"), list_namespaces);
  add_named(line, group, "delete", "Delete a namespace and all that is in it", &stub::DeleteNamespace);
}

}  // namespace mqlite::cli
