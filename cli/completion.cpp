#include "cli/completion.hpp"

#include <algorithm>
#include <utility>

#include "cli/grammar.hpp"
#include "cli/text/words.hpp"

namespace mqlite::cli {
namespace {

/// The long flags of a command and of those around it.
std::vector<std::string> flag_names(const CLI::App* app) {
  std::vector<std::string> names;
  for (; app; app = app->get_parent())
    for (const auto* option : app->get_options())
      for (const auto& name : option->get_lnames()) names.push_back("--" + name);
  return names;
}

/// The name of the operand that comes next, as the help has it; empty when there is none.
std::string next_operand(const position& at) {
  std::size_t index = 0;
  for (const auto* option : at.command->get_options())
    if (option->get_positional() && index++ == at.operands.size()) return option->get_name(true);
  return {};
}

std::vector<std::string> candidates(const position& at, std::string_view word, const name_sources& names) {
  if (at.value_is_next) return {};
  if (word.starts_with('-')) return flag_names(at.command);
  auto commands = at.operands.empty() ? command_names(*at.command) : std::vector<std::string>();
  if (!commands.empty()) return commands;
  const auto operand = next_operand(at);
  if (operand == "NAMESPACE" && names.namespaces) return names.namespaces();
  if (operand == "TOPIC" && names.topics && !at.operands.empty()) return names.topics(at.operands.front());
  return {};
}

}  // namespace

std::vector<std::string> completions(const CLI::App& grammar, std::string_view line, const name_sources& names) {
  const auto start = line.find_last_of(" \t") + 1;
  const auto word = line.substr(start);
  auto before = split_words(line.substr(0, start));
  if (!before.problem.empty()) return {};
  auto found = candidates(position_after(grammar, before.complete), word, names);
  std::erase_if(found, [&](const std::string& candidate) { return !candidate.starts_with(word); });
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

std::string common_start(const std::vector<std::string>& words) {
  if (words.empty()) return {};
  auto start = words.front();
  for (const auto& word : words)
    start.resize(static_cast<std::size_t>(std::mismatch(start.begin(), start.end(), word.begin(), word.end()).first -
                                          start.begin()));
  return start;
}

}  // namespace mqlite::cli
