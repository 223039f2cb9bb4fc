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
  add_number(to, "QUEUE", 0, queue, "Number of the queue")->required();
}

void queue_target::add_optional_to(CLI::App* to, const std::string& description) {
  topic_target::add_to(to);
  add_queue_or_any(
      to, "QUEUE", [this](std::int32_t number) { queue = number; }, description);
}

void until_interrupted(const std::function<void()>& run) {
  try {
    run();
  } catch (const call_interrupted&) {
    throw ended_by_user();
  }
}

std::string counted(std::int64_t count, const std::string& noun) {
  return count_text(count) + " " + noun + (count == 1 ? "" : "s");
}

}  // namespace mqlite::cli
