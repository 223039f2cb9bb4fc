#include "cli/text/token.hpp"
#include "cli/commands/commands.hpp"

namespace mqlite::cli {

void add_token_command(command_line& line) {
  auto* group = line.add(nullptr, "token", "Make tokens for a broker's auth.tokens_file", broker_group);
  group->require_subcommand(1);
  line.on(line.add(group, "new", "Print a new random token of 256 bits; asks no broker"), [](command_context& c) {
    const auto token = new_token();
    c.out.line(c.out.json() ? "{\"token\":\"" + token + "\"}" : token);
  });
}

}  // namespace mqlite::cli
