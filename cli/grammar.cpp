#include "cli/grammar.hpp"

#include "cli/errors.hpp"
#include "config/error.hpp"
#include "config/keys.hpp"

namespace mqlite::cli {
namespace {

const CLI::App* command_called(const CLI::App& below, const std::string& name) {
  for (const auto* sub : commands_below(below))
    if (sub->get_name() == name) return sub;
  return nullptr;
}

/// Whether `word` is a flag, of `app` or of a command around it, that takes the next word.
bool takes_value(const CLI::App* app, const std::string& word) {
  for (; app; app = app->get_parent())
    for (const auto* option : app->get_options())
      if (option->check_name(word)) return option->get_items_expected_max() > 0;
  return false;
}

}  // namespace

std::vector<const CLI::App*> commands_below(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App* sub) { return !sub->get_name().empty(); });
}

std::vector<std::string> command_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const auto* sub : commands_below(app)) names.push_back(sub->get_name());
  return names;
}

std::string path_of(const CLI::App& app) {
  std::string path = app.get_name();
  for (const auto* parent = app.get_parent(); parent; parent = parent->get_parent())
    path.insert(0, parent->get_name() + " ");
  return path;
}

position position_after(const CLI::App& grammar, const std::vector<std::string>& words) {
  position at{&grammar, {}};
  for (const auto& word : words) {
    if (at.value_is_next)
      at.value_is_next = false;
    else if (word.starts_with('-'))
      at.value_is_next = takes_value(at.command, word);
    else if (const auto* sub = at.operands.empty() ? command_called(*at.command, word) : nullptr)
      at.command = sub;
    else
      at.operands.push_back(word);
  }
  return at;
}

void refuse_unknown_command(const position& at) {
  const auto names = command_names(*at.command);
  if (names.empty() || at.operands.empty()) return;
  const auto near = nearest(at.operands.front(), names);
  throw bad_usage("unknown command " + backquoted(at.operands.front()) +
                  (near ? "; did you mean " + backquoted(*near) + "?" : ""));
}

}  // namespace mqlite::cli
