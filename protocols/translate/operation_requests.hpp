#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "actors/operations.hpp"
#include "protocols/translate/publish_requests.hpp"
#include "protocols/translate/requests.hpp"

/// What clients can ask for, whatever they spoke: checked, with defaults filled in. One struct for each operation.
namespace mqlite::request {

/// A topic by its names, which are valid ones.
struct topic_address {
  std::string name_space;
  std::string topic;
};

/// A queue, or any_queue, of a topic.
struct queue_address : topic_address {
  queue_number queue = 0;
};

struct create_namespace {
  std::string name;
};
struct delete_namespace {
  std::string name;
};
struct list_namespaces {};

struct create_topic : topic_address {
  std::int64_t queue_count = 1;
  topic_settings_patch settings;
};
struct delete_topic : topic_address {};
struct list_topics {
  std::string name_space;
};
struct get_topic : topic_address {};
struct update_topic : topic_address {
  topic_settings_patch settings;
};
struct resize_topic : topic_address {
  std::int64_t queue_count = 1;
};
struct rebalance_topic : topic_address {};

struct publish : topic_address {
  draft message;
};
/// Messages that were refused at once keep their place.
struct publish_batch : topic_address {
  std::vector<outcome<draft>> messages;
};
struct consume : queue_address {
  consume_options options;
};
struct subscribe : queue_address {
  bool auto_ack = false;
  std::size_t max_in_flight = usual_in_flight;
};
struct unsubscribe : queue_address {};
/// Acknowledge, return or extend; the queue is where the ids are looked for first.
struct settle : queue_address {
  settlement what = settlement::ack;
  named_messages messages;
  std::chrono::nanoseconds value{0};  ///< nack's delay or extend's new length; 0 = none given
};
struct peek : queue_address {
  peek_state state = peek_state::ready;
  std::size_t limit = usual_limit;
};
struct purge : queue_address {};

struct list_dead : topic_address {
  std::size_t limit = usual_limit;
};
/// All of them when `ids` is absent.
struct redrive_dead : topic_address {
  std::optional<std::vector<message_id>> ids;
};
struct purge_dead : topic_address {};

struct stats {
  bool topics = false;
};
struct rewrite {};
struct backup {
  std::string folder;
};
struct ping {};
struct auth {
  std::string token;
};

}  // namespace mqlite::request
