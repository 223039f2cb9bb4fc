#include "cli/commands/commands.hpp"

#include "cli/text/units.hpp"

namespace mqlite::cli {

void add_all_commands(command_line& line) {
  add_namespace_commands(line);
  add_topic_commands(line);
  add_publish_command(line);
  add_consume_command(line);
  add_subscribe_command(line);
  add_settle_commands(line);
  add_queue_commands(line);
  add_dead_commands(line);
  add_stats_commands(line);
  add_log_commands(line);
  add_token_command(line);
}

void topic_target::add_to(CLI::App* to) {
  to->add_option("NAMESPACE", name_space)->required();
  to->add_option("TOPIC", topic)->required();
}

void queue_target::add_to(CLI::App* to) {
  topic_target::add_to(to);
  to->add_option("QUEUE", queue, "Number of the queue")->required()->check(CLI::NonNegativeNumber);
}

void queue_target::add_optional_to(CLI::App* to, const std::string& description) {
  topic_target::add_to(to);
  to->add_option_function<std::string>(
        "QUEUE",
        [this](const std::string& text) {
          if (text != "any" && !CLI::detail::lexical_cast(text, queue))
            throw CLI::ValidationError("QUEUE", "must be a number or any");
        },
        description)
      ->type_name("NUMBER|any");
}

std::string counted(std::int64_t count, const std::string& noun) {
  return count_text(count) + " " + noun + (count == 1 ? "" : "s");
}

}  // namespace mqlite::cli
