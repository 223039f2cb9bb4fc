#pragma once

#include <CLI/CLI.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace mqlite::cli {

class broker_client;
class interruption;
class output;

/// What a command works with.
struct command_context {
  broker_client& broker;
  output& out;
  interruption& interrupted;
  bool interactive = false;  ///< standard input brings commands, not payloads
};

using command = std::function<void(command_context&)>;

/// What every command line may say besides its command.
struct common_options {
  std::string address = "127.0.0.1:9090";
  std::chrono::milliseconds timeout{10'000};
  bool json = false;
  bool raw = false;
  bool version = false;
};

/// The grammar of one command line. A line is parsed by an object of its own.
class command_line {
 public:
  /// What stays when the line does not say otherwise.
  explicit command_line(const common_options& defaults = {});
  command_line(const command_line&) = delete;
  command_line& operator=(const command_line&) = delete;

  /// Reads the words. Throws bad_usage; text that was asked for (help) is in help() afterwards.
  void parse(const std::vector<std::string>& words);

  const common_options& options() const noexcept { return options_; }
  /// What is to be done; empty when the line names no command.
  const command& chosen() const noexcept { return chosen_; }
  /// The help that was asked for.
  const std::optional<std::string>& help() const noexcept { return help_; }
  const CLI::App& app() const noexcept { return app_; }

  /// A new command below `parent`, or at the top when that is null. `group` is the heading that it stands under in the help.
  CLI::App* add(CLI::App* parent, const std::string& name, const std::string& description,
                const std::string& group = "Subcommands");
  /// `run` is what `which` means.
  void on(CLI::App* which, command run);

 private:
  CLI::App app_;
  common_options options_;
  command chosen_;
  std::optional<std::string> help_;
};

}  // namespace mqlite::cli
