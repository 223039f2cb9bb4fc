#include "cli/commands/commands.hpp"
#include "cli/text/table.hpp"
#include "cli/text/units.hpp"

namespace mqlite::cli {
namespace {

using stub = broker_client::stub;
using std::chrono::milliseconds;

// -- settings -------------------------------------------------------------------------------------------------------------------

/// `--name N` sets a field, to 0 as well.
template <class T>
void add_limit(CLI::App* to, const std::string& name, v1::TopicSettings& values, void (v1::TopicSettings::*set)(T),
               const std::string& description) {
  add_number<T>(
      to, name, 0, [&values, set](T value) { (values.*set)(value); }, description);
}

template <class Set>
void add_choice(CLI::App* to, const std::string& name, const std::string& choices, Set set,
                const std::string& description) {
  to->add_option_function<std::string>(name, set, description)->type_name(choices);
}

/// A topic's settings as options; those that are given are in `values`, which outlives `to`.
void add_settings(CLI::App* to, v1::TopicSettings& values) {
  const auto set_timeout = [&values](milliseconds d) { values.set_ack_timeout_ms(d.count()); };
  const auto set_ttl = [&values](milliseconds d) { values.set_message_ttl_ms(d.count()); };
  add_duration(to, "--ack-timeout", set_timeout, "How long a delivered message may stay unacknowledged");
  add_limit(to, "--max-deliveries", values, &v1::TopicSettings::set_max_deliveries,
            "A dead letter after so many failed deliveries; 0 = never");
  add_duration(to, "--message-ttl", set_ttl, "A dead letter after waiting so long; 0 = never");
  add_limit(to, "--max-length", values, &v1::TopicSettings::set_max_length, "Most messages in the topic; 0 = no limit");
  add_limit(to, "--max-bytes", values, &v1::TopicSettings::set_max_bytes, "Most bytes in the topic; 0 = no limit");
  add_choice(
      to, "--overflow", "reject|drop_oldest", [&values](const std::string& text) { values.set_overflow(text); },
      "What a full topic does");
  add_choice(
      to, "--steal", "half|off", [&values](const std::string& text) { values.set_steal(text); },
      "Whether a queue without work takes half of what waits in a busy one");
}

// -- answers --------------------------------------------------------------------------------------------------------------------

/// "none" for 0, else the number.
std::string limit_text(std::int64_t limit, const std::string& none) { return limit == 0 ? none : count_text(limit); }

void describe_settings(output& out, const v1::TopicSettings& settings) {
  const auto ttl = milliseconds(settings.message_ttl_ms());
  out.line("  ack timeout     " + duration_text(milliseconds(settings.ack_timeout_ms())));
  out.line("  max deliveries  " + limit_text(settings.max_deliveries(), "no limit"));
  out.line("  message ttl     " + (ttl.count() == 0 ? "none" : duration_text(ttl)));
  out.line("  max length      " + limit_text(settings.max_length(), "no limit"));
  out.line("  max bytes       " + limit_text(settings.max_bytes(), "no limit"));
  out.line("  overflow        " + settings.overflow());
  out.line("  steal           " + settings.steal());
}

std::string queues_table(const v1::GetTopicResponse& topic) {
  table queues({number_column("QUEUE"), number_column("READY"), number_column("LEASED"), number_column("DELAYED"),
                number_column("BYTES"), number_column("CONSUMERS")});
  for (const auto& queue : topic.queues())
    queues.add({std::to_string(queue.queue_id()), count_text(queue.ready()), count_text(queue.leased()),
                count_text(queue.delayed()), bytes_text(queue.bytes()), count_text(queue.consumers())});
  return queues.text();
}

void describe(output& out, const v1::GetTopicResponse& topic) {
  out.line(topic.name() + "  " + counted(topic.queue_count(), "queue") + "  version " +
           std::to_string(topic.version()) + "  " + counted(topic.dead(), "dead letter") +
           (topic.draining() ? "  draining" : ""));
  describe_settings(out, topic.settings());
  out.write("\n" + queues_table(topic));
}

void list_topics(command_context& c, const std::string& name_space) {
  v1::ListTopicsRequest request;
  request.set_namespace_(name_space);
  const auto found = c.broker.call(&stub::ListTopics, request);
  if (c.out.json()) return c.out.answer(found);
  if (found.topics().empty()) return c.out.remark("no topics");
  table topics({{"TOPIC"}, number_column("QUEUES"), number_column("VERSION")});
  for (const auto& topic : found.topics())
    topics.add({topic.name(), std::to_string(topic.queue_count()), std::to_string(topic.version())});
  c.out.write(topics.text());
}

void resize(command_context& c, const topic_target& target, std::int32_t queue_count) {
  auto request = request_about<v1::ResizeTopicRequest>(target);
  request.set_new_queue_count(queue_count);
  const auto done = c.broker.call(&stub::ResizeTopic, request);
  if (c.out.json()) return c.out.answer(done);
  c.out.line("topic " + target.topic + " has " + counted(done.new_queue_count(), "queue") +
             (done.draining() ? "; the others are being drained" : ""));
}

// -- commands -------------------------------------------------------------------------------------------------------------------

void add_create(command_line& line, CLI::App* group) {
  struct given : topic_target {
    v1::CreateTopicRequest request;
  };
  const auto o = std::make_shared<given>();
  auto* create = line.add(group, "create", "Create a topic");
  o->add_to(create);
  add_number<std::int32_t>(
      create, "--queues", 1, [o](std::int32_t count) { o->request.set_queue_count(count); }, "How many queues [1]");
  add_settings(create, *o->request.mutable_settings());
  line.on(create, [o](command_context& c) {
    o->request.set_namespace_(o->name_space);
    o->request.set_name(o->topic);
    c.out.done(c.broker.call(&stub::CreateTopic, o->request));
  });
}

void add_update(command_line& line, CLI::App* group) {
  struct given : topic_target {
    v1::TopicSettings settings;
  };
  const auto o = std::make_shared<given>();
  auto* update = line.add(group, "update", "Change a topic's settings while it is in use");
  o->add_to(update);
  add_settings(update, o->settings);
  line.on(update, [o](command_context& c) {
    auto request = request_about<v1::UpdateTopicRequest>(*o);
    *request.mutable_settings() = o->settings;
    c.out.done(c.broker.call(&stub::UpdateTopic, request));
  });
}

void add_resize(command_line& line, CLI::App* group) {
  struct given : topic_target {
    std::int32_t queue_count = 0;
  };
  const auto o = std::make_shared<given>();
  auto* sub = line.add(group, "resize", "Give a topic more queues, or fewer");
  o->add_to(sub);
  add_number(sub, "QUEUES", 1, o->queue_count, "How many queues from now on")->required();
  line.on(sub, [o](command_context& c) { resize(c, *o, o->queue_count); });
}

/// A command that takes nothing but the topic.
template <class Run>
void add_plain(command_line& line, CLI::App* group, const std::string& name, const std::string& description, Run run) {
  const auto target = std::make_shared<topic_target>();
  auto* sub = line.add(group, name, description);
  target->add_to(sub);
  line.on(sub, [target, run](command_context& c) { run(c, *target); });
}

}  // namespace

void add_topic_commands(command_line& line) {
  auto* group = line.add(nullptr, "topic", "Create, look at, change and delete topics", objects_group);
  group->require_subcommand(1);
  add_create(line, group);

  const auto name_space = std::make_shared<std::string>();
  auto* list = line.add(group, "list", "List the topics of a namespace");
  list->add_option("NAMESPACE", *name_space)->required();
  line.on(list, [name_space](command_context& c) { list_topics(c, *name_space); });

  add_plain(line, group, "get", "Show a topic's settings and queues",
            [](command_context& c, const topic_target& target) {
              const auto topic = c.broker.call(&stub::GetTopic, request_about<v1::GetTopicRequest>(target));
              c.out.json() ? c.out.answer(topic) : describe(c.out, topic);
            });
  add_update(line, group);
  add_resize(line, group);
  add_plain(line, group, "rebalance", "Deal what waits evenly over the queues",
            [](command_context& c, const topic_target& target) {
              c.out.done(c.broker.call(&stub::RebalanceTopic, request_about<v1::RebalanceTopicRequest>(target)));
            });
  add_plain(line, group, "delete", "Delete a topic and its messages",
            [](command_context& c, const topic_target& target) {
              c.out.done(c.broker.call(&stub::DeleteTopic, request_about<v1::DeleteTopicRequest>(target)));
            });
}

}  // namespace mqlite::cli
