#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "actors/operations.hpp"
#include "protocols/translate/json_fields.hpp"

/// What clients ask for, read from JSON objects that json_object_in() has checked. Every refusal is INVALID_ARGUMENT and names the
/// field.
namespace mqlite {

/// Windows of subscriptions.
inline constexpr std::size_t usual_in_flight = 256;
inline constexpr std::int64_t most_in_flight = 100'000;
/// How many messages a peek shows.
inline constexpr std::size_t usual_limit = 10;
inline constexpr std::int64_t most_limit = 1'000;
/// How long a consume may wait.
inline constexpr std::int64_t longest_wait_ms = 60'000;

/// Names of overflow_policy, steal_policy and peek_state in the order of their enumerators.
inline constexpr std::string_view overflow_choices[] = {"reject", "drop_oldest"};
inline constexpr std::string_view steal_choices[] = {"half", "off"};
inline constexpr std::string_view peek_choices[] = {"ready", "leased", "delayed"};

/// `queue_id`: -1 or more, `absent` where it is absent. What is larger than any queue's number stays larger than any.
queue_number read_queue(json_fields& fields, queue_number absent);

/// `name` of a namespace.
outcome<std::string> read_name(std::string_view object);

struct create_topic_request {
  std::string name;
  std::int64_t queue_count = 1;
  topic_settings_patch settings;
};
/// `name`, `queue_count` and settings.
outcome<create_topic_request> read_create_topic(std::string_view object);

/// `ack_timeout_ms`, `max_deliveries`, `message_ttl_ms`, `max_length`, `max_bytes`, `overflow`, `steal`; what is absent stays.
outcome<topic_settings_patch> read_topic_settings(std::string_view object);

/// `new_queue_count`.
outcome<std::int64_t> read_resize(std::string_view object);

/// `dir`: the folder of a backup.
outcome<std::string> read_backup(std::string_view object);

/// `batch_size`, `auto_ack`, `wait_ms`, `lease_ms`.
outcome<consume_options> read_consume(std::string_view object);

/// `message_ids` as the client sent them: positions in answers lead back to the text.
struct named_messages {
  std::vector<std::string> texts;
  std::vector<settle_target> targets;  ///< those that are ids or receipts
  std::vector<std::uint32_t> no_ids;   ///< positions of the others

  /// Adds one as the client spelled it.
  void add(std::string text);
};

struct settle_request {
  named_messages messages;
  std::chrono::nanoseconds value{0};  ///< nack's `delay_ms` or extend's `lease_ms`; 0 = none given
};
outcome<settle_request> read_settle(std::string_view object, settlement what);

/// `message_ids` of a redrive; nothing when absent, which means all. Text that is no id names no dead letter.
outcome<std::optional<std::vector<message_id>>> read_redrive(std::string_view object);

}  // namespace mqlite
