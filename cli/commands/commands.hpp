#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cli/broker_client.hpp"
#include "cli/command_line.hpp"
#include "cli/options.hpp"
#include "cli/output.hpp"

/// The commands, by subject: each function adds its own to the grammar.
namespace mqlite::cli {

void add_namespace_commands(command_line& line);
void add_topic_commands(command_line& line);
void add_publish_command(command_line& line);
void add_consume_command(command_line& line);
void add_subscribe_command(command_line& line);
void add_settle_commands(command_line& line);
void add_queue_commands(command_line& line);
void add_dead_commands(command_line& line);
void add_stats_commands(command_line& line);
void add_log_commands(command_line& line);
void add_token_command(command_line& line);

/// All of them, in the order of the help.
void add_all_commands(command_line& line);

// -- what several of them share -------------------------------------------------------------------------------------------------

/// Headings of the help.
inline constexpr const char* objects_group = "Namespaces and topics";
inline constexpr const char* messages_group = "Messages";
inline constexpr const char* broker_group = "The broker";

/// The topic that a command is about.
struct topic_target {
  std::string name_space;
  std::string topic;

  void add_to(CLI::App* to);
};

/// A queue of it.
struct queue_target : topic_target {
  std::int32_t queue = -1;

  void add_to(CLI::App* to);
  /// Where the queue may be left out, or be `any`: -1.
  void add_optional_to(CLI::App* to, const std::string& description);
};

/// `name_space` and `topic` of a request.
template <class Request>
Request request_for(const topic_target& target) {
  Request request;
  request.set_namespace_(target.name_space);
  request.set_topic(target.topic);
  return request;
}

/// With its queue.
template <class Request>
Request request_for(const queue_target& target) {
  auto request = request_for<Request>(static_cast<const topic_target&>(target));
  request.set_queue_id(target.queue);
  return request;
}

/// Of requests that call the topic `name`.
template <class Request>
Request request_about(const topic_target& target) {
  Request request;
  request.set_namespace_(target.name_space);
  request.set_name(target.topic);
  return request;
}

/// Runs what goes on until Ctrl-C, about which nothing is to be said then. Throws ended_by_user.
void until_interrupted(const std::function<void()>& run);

/// "1 message", "1,234 messages".
std::string counted(std::int64_t count, const std::string& noun);

}  // namespace mqlite::cli
