#include "cli/help.hpp"

#include <algorithm>

#include "cli/grammar.hpp"

namespace mqlite::cli {
namespace {

struct entry {
  std::string heading;
  std::string name;
  std::string description;
};

/// The commands that have none below them.
void collect(const CLI::App& app, const std::string& heading, const std::string& before, std::vector<entry>& found) {
  const auto below = commands_below(app);
  if (below.empty()) return found.push_back({heading, before, app.get_description()});
  for (const auto* sub : below)
    collect(*sub, heading.empty() ? sub->get_group() : heading,
            before.empty() ? sub->get_name() : before + " " + sub->get_name(), found);
}

}  // namespace

std::string command_list(const CLI::App& grammar) {
  std::vector<entry> commands;
  collect(grammar, "", "", commands);
  std::size_t width = 0;
  for (const auto& command : commands) width = std::max(width, command.name.size());
  std::string text, heading;
  for (auto& [group, name, description] : commands) {
    if (group != heading) text.append(text.empty() ? "" : "\n").append(group).append(":\n");
    heading = group;
    name.resize(width, ' ');
    text.append("  ").append(name).append("  ").append(description).append("\n");
  }
  return text + "\n`help COMMAND` shows how one is used.\n";
}

std::string command_help(const CLI::App& grammar, const std::vector<std::string>& words) {
  const auto at = position_after(grammar, words);
  refuse_unknown_command(at);
  const auto* around = at.command->get_parent();
  return at.command->help(around ? path_of(*around) : "");
}

}  // namespace mqlite::cli
