#include "cli/repl.hpp"

#include <unistd.h>

#include <cstdio>
#include <functional>
#include <iostream>

#include "cli/broker_client.hpp"
#include "cli/completion.hpp"
#include "cli/exit_codes.hpp"
#include "cli/help.hpp"
#include "cli/interruption.hpp"
#include "cli/line_editor.hpp"
#include "cli/output.hpp"
#include "cli/text/escape.hpp"
#include "cli/text/words.hpp"

namespace mqlite::cli {
namespace {

using stub = broker_client::stub;
using std::chrono::milliseconds;

int say(const std::exception& error, int code) {
  std::fflush(stdout);
  std::fprintf(stderr, "error: %s\n", escaped(error.what()).c_str());
  return code;
}

output_style style_of(const common_options& options) {
  if (options.json) return output_style::json;
  return options.raw ? output_style::raw : output_style::people;
}

/// What the broker knows, for completion: asked with little patience, nothing when it does not answer.
name_sources names_from(broker_client& broker) {
  name_sources names;
  names.namespaces = [&broker] {
    std::vector<std::string> found;
    try {
      const auto answer = broker.call(&stub::ListNamespaces, v1::ListNamespacesRequest());
      for (const auto& name : answer.namespaces()) found.push_back(name);
    } catch (const std::exception&) {
      found.clear();
    }
    return found;
  };
  names.topics = [&broker](const std::string& name_space) {
    std::vector<std::string> topics;
    try {
      v1::ListTopicsRequest request;
      request.set_namespace_(name_space);
      const auto answer = broker.call(&stub::ListTopics, request);
      for (const auto& topic : answer.topics()) topics.push_back(topic.name());
    } catch (const std::exception&) {
      topics.clear();
    }
    return topics;
  };
  return names;
}

constexpr const char* prompt_group = "This prompt";

/// The commands that only a REPL has.
void add_repl_commands(command_line& line, bool& leave) {
  for (const auto* name : {"exit", "quit"})
    line.on(line.add(nullptr, name, "Leave", prompt_group), [&leave](command_context&) { leave = true; });
  const auto words = std::make_shared<std::vector<std::string>>();
  auto* help = line.add(nullptr, "help", "List the commands, or show how one is used", prompt_group);
  help->add_option("COMMAND", *words, "The one to show");
  line.on(help, [&line, words](command_context& c) {
    c.out.write(words->empty() ? command_list(line.app()) : command_help(line.app(), *words));
  });
}

/// One line of input.
int run_line(const std::string& text, const common_options& defaults, interruption& interrupted, bool& leave) {
  auto found = split_words(text);
  if (!found.problem.empty()) return say(bad_usage(found.problem), exit_usage);
  if (found.complete.empty()) return exit_done;
  command_line line(defaults);
  add_repl_commands(line, leave);
  try {
    line.parse(found.complete);
  } catch (const bad_usage& error) {
    return say(error, exit_usage);
  }
  return run_command(line, interrupted, true);
}

int read_from_terminal(const common_options& defaults, interruption& interrupted) {
  interrupted.stay();
  command_line grammar(defaults);
  bool leave = false;
  add_repl_commands(grammar, leave);
  broker_client broker(defaults.address, milliseconds(500), interrupted);
  const auto names = names_from(broker);
  line_editor editor("mqlite> ", [&](std::string_view line) { return completions(grammar.app(), line, names); });
  std::printf("MQLite at %s. `help` lists the commands, the tabulator completes, Ctrl-D leaves.\n",
              defaults.address.c_str());
  while (!leave) {
    const auto line = editor.read();
    if (!line) {
      std::fputc('\n', stdout);
      break;
    }
    run_line(*line, defaults, interrupted, leave);
  }
  return exit_done;
}

int read_from_pipe(const common_options& defaults, interruption& interrupted) {
  bool leave = false;
  int code = exit_done;
  for (std::string line; code == exit_done && !leave && std::getline(std::cin, line);)
    code = run_line(line, defaults, interrupted, leave);
  return code;
}

}  // namespace

int run_command(const command_line& line, interruption& interrupted, bool interactive) {
  if (line.help()) return std::fputs(line.help()->c_str(), stdout) < 0 ? exit_failed : exit_done;
  if (!line.chosen()) return exit_done;
  const auto& options = line.options();
  output out(style_of(options));
  try {
    broker_client broker(options.address, options.timeout, interrupted);
    command_context context{broker, out, interrupted, interactive};
    line.chosen()(context);
    out.flush();
    return exit_done;
  } catch (const bad_usage& error) {
    return say(error, exit_usage);
  } catch (const ended_by_user&) {
    return exit_interrupted;
  } catch (const call_interrupted& error) {
    return say(error, exit_interrupted);
  } catch (const std::exception& error) {
    return say(error, exit_failed);
  }
}

int run_repl(const common_options& defaults, interruption& interrupted) {
  return isatty(STDIN_FILENO) ? read_from_terminal(defaults, interrupted) : read_from_pipe(defaults, interrupted);
}

}  // namespace mqlite::cli
