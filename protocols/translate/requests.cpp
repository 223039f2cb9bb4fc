#include "protocols/translate/requests.hpp"

#include <algorithm>
#include <limits>

#include "protocols/translate/json_slices.hpp"
#include "protocols/translate/names.hpp"

namespace mqlite {
namespace {

constexpr std::string_view topic_fields[] = {"name",           "queue_count",    "ack_timeout_ms",
                                             "max_deliveries", "message_ttl_ms", "max_length",
                                             "max_bytes",      "overflow",       "steal"};

std::string read_required_name(json_fields& fields) {
  if (!fields.has("name")) fields.refuse("`name` is required");
  auto name = fields.string("name").value_or("");
  if (const auto problem = name_problem("name", name)) fields.refuse(problem->text);
  return name;
}

topic_settings_patch read_settings(json_fields& fields) {
  topic_settings_patch patch;
  patch.ack_timeout = fields.duration("ack_timeout_ms", 1);
  if (const auto n = fields.integer("max_deliveries", 0, std::numeric_limits<std::int32_t>::max()))
    patch.max_deliveries = static_cast<std::uint32_t>(*n);
  patch.message_ttl = fields.duration("message_ttl_ms", 0);
  if (const auto n = fields.integer("max_length", 0, no_limit)) patch.max_length = static_cast<std::uint64_t>(*n);
  if (const auto n = fields.integer("max_bytes", 0, no_limit)) patch.max_bytes = static_cast<std::uint64_t>(*n);
  if (const auto i = fields.choice("overflow", overflow_choices)) patch.overflow = static_cast<overflow_policy>(*i);
  if (const auto i = fields.choice("steal", steal_choices)) patch.steal = static_cast<steal_policy>(*i);
  return patch;
}

/// The value, or the refusal that `fields` remember.
template <class T>
outcome<T> result_of(const json_fields& fields, T value) {
  if (fields.refusal()) return *fields.refusal();
  return value;
}

named_messages read_messages(json_fields& fields) {
  named_messages result;
  const auto list = fields.raw("message_ids");
  if (list.empty() || list.front() != '[') {
    fields.refuse("`message_ids` must be an array of strings");
    return result;
  }
  std::string buffer;
  for (array_elements elements(list); elements.next() && !fields.refusal();) {
    if (elements.value().front() != '"')
      fields.refuse("`message_ids` must be an array of strings");
    else if (result.texts.size() == most_batch)
      fields.refuse("`message_ids` must hold at most " + std::to_string(most_batch) + " ids");
    else
      result.add(std::string(unescape(elements.value(), buffer)));
  }
  return result;
}

}  // namespace

void named_messages::add(std::string text) {
  const auto position = static_cast<std::uint32_t>(texts.size());
  if (const auto which = receipt::parse(text))
    targets.push_back({*which, position});
  else
    no_ids.push_back(position);
  texts.push_back(std::move(text));
}

queue_number read_queue(json_fields& fields, queue_number absent) {
  const auto value = fields.integer("queue_id", any_queue, no_limit);
  if (!value) return absent;
  return static_cast<queue_number>(std::min<std::int64_t>(*value, std::numeric_limits<queue_number>::max()));
}

outcome<std::string> read_name(std::string_view object) {
  json_fields fields(object, topic_fields);
  return result_of(fields, read_required_name(fields));
}

outcome<create_topic_request> read_create_topic(std::string_view object) {
  json_fields fields(object, topic_fields);
  create_topic_request request;
  request.name = read_required_name(fields);
  request.queue_count = fields.integer("queue_count", 1, most_queues).value_or(1);
  request.settings = read_settings(fields);
  return result_of(fields, std::move(request));
}

outcome<topic_settings_patch> read_topic_settings(std::string_view object) {
  json_fields fields(object, topic_fields);
  return result_of(fields, read_settings(fields));
}

outcome<std::int64_t> read_resize(std::string_view object) {
  constexpr std::string_view known[] = {"new_queue_count"};
  json_fields fields(object, known);
  if (!fields.has("new_queue_count")) fields.refuse("`new_queue_count` is required");
  return result_of(fields, fields.integer("new_queue_count", 1, most_queues).value_or(1));
}

outcome<std::string> read_backup(std::string_view object) {
  constexpr std::string_view known[] = {"dir"};
  json_fields fields(object, known);
  auto folder = fields.string("dir").value_or("");
  if (folder.empty()) fields.refuse("`dir` is required: the folder for the backup, new or empty");
  return result_of(fields, std::move(folder));
}

outcome<consume_options> read_consume(std::string_view object) {
  constexpr std::string_view known[] = {"batch_size", "auto_ack", "wait_ms", "lease_ms"};
  json_fields fields(object, known);
  consume_options options;
  options.most = static_cast<std::size_t>(fields.integer("batch_size", 1, most_batch).value_or(1));
  options.auto_ack = fields.boolean("auto_ack").value_or(false);
  options.wait = std::chrono::milliseconds(fields.integer("wait_ms", 0, longest_wait_ms).value_or(0));
  options.lease = fields.duration("lease_ms", 1).value_or(std::chrono::nanoseconds(0));
  return result_of(fields, options);
}

outcome<settle_request> read_settle(std::string_view object, settlement what) {
  constexpr std::string_view known[] = {"message_ids", "delay_ms", "lease_ms", "reason"};
  json_fields fields(object, known);
  settle_request request;
  request.messages = read_messages(fields);
  if (what == settlement::nack) {
    request.value = fields.duration("delay_ms", 0).value_or(std::chrono::nanoseconds(0));
    fields.string("reason");
  }
  if (what == settlement::extend) request.value = fields.duration("lease_ms", 1).value_or(std::chrono::nanoseconds(0));
  return result_of(fields, std::move(request));
}

outcome<std::optional<std::vector<message_id>>> read_redrive(std::string_view object) {
  constexpr std::string_view known[] = {"message_ids"};
  json_fields fields(object, known);
  if (!fields.has("message_ids")) return std::optional<std::vector<message_id>>();
  const auto messages = read_messages(fields);
  std::vector<message_id> ids;
  for (const auto& target : messages.targets) ids.push_back(target.which.id);
  return result_of(fields, std::optional(std::move(ids)));
}

}  // namespace mqlite
