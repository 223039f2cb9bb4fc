#include "cli/command_line.hpp"

#include <utility>

#include "cli/commands/commands.hpp"
#include "cli/errors.hpp"
#include "cli/grammar.hpp"
#include "cli/options.hpp"

namespace mqlite::cli {
namespace {

constexpr const char* footer =
    R"(Without a command it reads commands line by line: on a terminal with history and completion, from a pipe without a prompt.
MQLITE_CLI_ADDRESS names another default for --address.
Durations take a unit: 250ms, 30s, 5m, 2h.

Exit codes: 0 done; 1 refused, or no broker there; 2 bad usage; 130 interrupted.)";

/// `HOST:PORT`; an IPv6 address stands in brackets.
std::string address_problem(const std::string& address) {
  const auto colon = address.rfind(':');
  const bool has_port = colon != std::string::npos && colon > 0 && colon + 1 < address.size() &&
                        address.find_first_not_of("0123456789", colon + 1) == std::string::npos &&
                        address.size() - colon <= 6;
  return has_port ? std::string() : "must be HOST:PORT";
}

/// The innermost command that the words have reached.
const CLI::App& innermost(const CLI::App& app) {
  const auto parsed = app.get_subcommands();
  return parsed.empty() ? app : innermost(*parsed.back());
}

}  // namespace

command_line::command_line(const common_options& defaults)
    : app_("Speaks to an MQLite broker over gRPC.", "mqlite_cli"), options_(defaults) {
  app_.fallthrough();
  app_.require_subcommand(0, 1);
  app_.footer(footer);
  app_.add_option("--address", options_.address, "Where the broker's gRPC is [" + defaults.address + "]")
      ->type_name("HOST:PORT")
      ->check(CLI::Validator(address_problem, ""));
  add_duration(
      &app_, "--timeout", [this](std::chrono::milliseconds timeout) { options_.timeout = timeout; },
      "How long to wait for the broker [10s]");
  app_.add_flag("--json", options_.json, "Answers as JSON, one value a line");
  app_.add_flag("--raw", options_.raw, "Of messages the payloads alone, as they are, each with a line end");
  app_.add_flag("--version", options_.version, "Print the version and stop");
  add_all_commands(*this);
}

CLI::App* command_line::add(CLI::App* parent, const std::string& name, const std::string& description,
                            const std::string& group) {
  auto* sub = (parent ? *parent : app_).add_subcommand(name, description);
  sub->group(group);
  sub->footer("");
  sub->fallthrough();
  return sub;
}

void command_line::on(CLI::App* which, command run) {
  which->callback([this, run = std::move(run)] { chosen_ = run; });
}

void command_line::parse(const std::vector<std::string>& words) {
  try {
    app_.parse(std::vector<std::string>(words.rbegin(), words.rend()));
  } catch (const CLI::CallForHelp&) {
    help_ = app_.help();
  } catch (const CLI::ParseError& error) {
    // CLI11 would only say that it did not expect it.
    refuse_unknown_command(position_after(app_, words));
    throw bad_usage(std::string(error.what()) + " (" + path_of(innermost(app_)) + " --help)");
  }
  if (options_.json && options_.raw) throw bad_usage("--json and --raw exclude each other");
}

}  // namespace mqlite::cli
