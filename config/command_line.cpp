#include "config/command_line.hpp"

#include "config/keys.hpp"

#include <CLI/CLI.hpp>
#include <cstddef>
#include <string_view>
#include <utility>

namespace mqlite {

namespace {

/// The command line as CLI11 sees it, and where it leaves what it finds.
struct flag_parser {
  CLI::App app{"MQLite, a work-queue broker", "mqlite"};
  command_line asked;
  std::string file;
  std::vector<std::string> texts;  ///< one for each key, in the order of the table
  CLI::Option* file_flag = nullptr;
  std::vector<CLI::Option*> key_flags;

  flag_parser();
};

std::string group_of(const std::string& key_name) {
  auto dot = key_name.find('.');
  return dot == std::string::npos ? "timeouts" : key_name.substr(0, dot);
}

flag_parser::flag_parser() {
  const auto& keys = setting_keys();
  const settings defaults;
  texts.resize(keys.size());
  app.set_help_flag();  // help is a flag like the others: it must not end the parsing by an exception
  app.allow_extras();
  app.option_defaults()->take_last();
  app.add_flag("-h,--help", asked.show_help, "Print this and stop");
  app.add_flag("--version", asked.show_version, "Print the version and stop");
  app.add_flag("--check-config", asked.check_config, "Check the configuration and stop");
  file_flag = app.add_option("--config", file, "Configuration file; without it mqlite.toml is read where it exists");
  file_flag->type_name("FILE");
  for (std::size_t i = 0; i < keys.size(); ++i) {
    auto* flag = app.add_option("--" + keys[i].name, texts[i], keys[i].help);
    flag->type_name(keys[i].placeholder + " [" + keys[i].get(defaults) + "]")->group(group_of(keys[i].name));
    key_flags.push_back(flag);
  }
  app.footer(
      "Each key can also be given in the file, or as an environment variable: " + environment_name(keys.front().name) +
      " for " + keys.front().name + ".\nA flag wins over the environment, that over the file.");
}

/// Brings the spellings that CLI11 does not take into those that it does: `-config` into `--config`, and `--key=value`
/// into two arguments, because it would take the next argument as the value of `--key=`.
std::vector<std::string> normalised(const std::vector<std::string>& arguments) {
  std::vector<std::string> result;
  for (std::string_view argument : arguments) {
    bool single_dash = argument == "-config" || argument.starts_with("-config=");
    auto text = (single_dash ? "-" : "") + std::string(argument);
    auto equals = text.starts_with("--") ? text.find('=') : std::string::npos;
    result.push_back(text.substr(0, equals));
    if (equals != std::string::npos) result.push_back(text.substr(equals + 1));
  }
  return result;
}

std::vector<std::string> flag_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const auto* option : app.get_options())
    for (const auto& name : option->get_lnames()) names.push_back("--" + name);
  return names;
}

[[noreturn]] void refuse_extra(const CLI::App& app, const std::string& argument) {
  if (!argument.starts_with("-")) throw config_error("command line", "unexpected argument " + backquoted(argument));
  auto near = nearest(argument, flag_names(app));
  throw config_error(argument, "unknown flag" + (near ? "; did you mean " + backquoted(*near) + "?" : ""));
}

void parse(flag_parser& parser, const std::vector<std::string>& arguments) {
  auto given = normalised(arguments);
  try {
    parser.app.parse(std::vector<std::string>(given.rbegin(), given.rend()));  // CLI11 wants the last one first
  } catch (const CLI::ArgumentMismatch&) {  // only the last argument can lack its value
    throw config_error(given.back(), "needs a value");
  } catch (const CLI::ParseError& error) {
    throw config_error("command line", error.what());
  }
  if (auto extras = parser.app.remaining(); !extras.empty()) refuse_extra(parser.app, extras.front());
}

}  // namespace

command_line parse_command_line(const std::vector<std::string>& arguments, const named_texts& environment,
                                const std::filesystem::path& default_file) {
  flag_parser parser;
  parse(parser, arguments);
  auto result = std::move(parser.asked);
  if (result.show_help || result.show_version) return result;
  load_options options;
  options.default_file = default_file;
  options.environment = environment;
  if (parser.file_flag->count() > 0) {
    if (parser.file.empty()) throw config_error("--config", "must not be empty");
    options.file = parser.file;
  }
  const auto& keys = setting_keys();
  for (std::size_t i = 0; i < keys.size(); ++i)
    if (parser.key_flags[i]->count() > 0) options.flags.emplace_back(keys[i].name, parser.texts[i]);
  result.loaded = load_settings(options);
  return result;
}

command_line parse_command_line(int argc, const char* const* argv) {
  return parse_command_line({argv + (argc > 0 ? 1 : 0), argv + argc}, mqlite_environment());
}

std::string help_text() { return flag_parser().app.help(); }

}  // namespace mqlite
