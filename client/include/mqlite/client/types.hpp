#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "mqlite/client/errors.hpp"

/// What programs send to the broker and get from it. Needs nothing but the standard library.
namespace mqlite::client {

using milliseconds = std::chrono::milliseconds;

/// Any queue of the topic: for a publish the broker picks one, for a consumer all of them are meant.
inline constexpr std::int64_t any_queue = -1;
/// The queue of the handle: of one that stands for a whole topic, any queue for publishes and queue 0 for consumers.
inline constexpr std::int64_t usual_queue = std::numeric_limits<std::int64_t>::min();
/// Most messages of one publish, consume or settlement.
inline constexpr std::size_t most_batch = 10'000;

/// A message's id: a UUIDv7.
struct message_id {
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  /// 36 characters, as every other protocol shows it.
  std::string text() const;
  /// When the message was published: unix nanoseconds.
  std::int64_t timestamp() const noexcept;

  bool operator==(const message_id&) const = default;
};

/// A message to be published.
struct draft {
  std::string payload;      ///< any bytes
  std::string routing_key;  ///< not empty: messages of the same key go to the same queue
  std::map<std::string, std::string> headers;
  std::int64_t queue = usual_queue;
  milliseconds delay{0};                     ///< not before so long from now
  milliseconds deliver_at{0};                ///< or not before this moment, since 1970; 0 = at once
  std::optional<milliseconds> time_to_live;  ///< waiting longer it becomes a dead letter; absent = the topic's
};

/// Where a message of a publish went, or why it was refused: in a batch each for itself.
struct published {
  message_id id;
  std::int32_t queue = 0;
  errc code = errc::none;
  std::string text;  ///< of a refusal

  bool ok() const noexcept { return code == errc::none; }
};

/// One delivery of a message.
struct message {
  message_id id;
  std::int32_t queue = 0;
  std::uint32_t delivery_count = 0;  ///< 1 at first
  std::string payload;
  std::string routing_key;
  std::map<std::string, std::string> headers;

  /// Names this delivery; what ack, nack and extend take. Ids do as well, for whatever delivery is current.
  std::string receipt() const { return id.text() + '#' + std::to_string(delivery_count); }
};

/// A message looked at, not taken.
struct peeked {
  client::message message;
  std::string reason;        ///< of dead letters: "max_deliveries", "expired" or "overflow"
  std::int64_t dead_at = 0;  ///< of dead letters: unix nanoseconds
};

/// How to consume.
struct consume_options {
  std::int64_t batch_size = 1;        ///< at most so many messages
  bool auto_ack = false;              ///< taking them acknowledges them
  milliseconds wait{0};               ///< how long to wait for a first one; at most a minute
  std::optional<milliseconds> lease;  ///< how long they stay with this consumer; absent = the topic's ack_timeout
  std::int64_t queue = usual_queue;
};

/// How to subscribe.
struct subscribe_options {
  bool auto_ack = false;
  std::int64_t max_in_flight = 256;  ///< messages delivered and not yet acknowledged
  std::int64_t queue = usual_queue;
};

/// How acknowledging, returning or extending went.
struct settled {
  std::uint64_t count = 0;           ///< acknowledged, returned or extended
  std::uint64_t dead_lettered = 0;   ///< returned for the last time
  std::vector<std::string> unknown;  ///< of what was sent: nobody holds these
  std::vector<std::string> stale;    ///< and these name an older delivery
};

/// Settings of a topic. What is absent takes the broker's default, or stays as it is.
struct topic_settings {
  std::optional<milliseconds> ack_timeout;
  std::optional<std::int64_t> max_deliveries;  ///< 0 = no dead letters
  std::optional<milliseconds> message_ttl;     ///< 0 = none
  std::optional<std::int64_t> max_length;      ///< messages; 0 = no limit
  std::optional<std::int64_t> max_bytes;       ///< 0 = no limit
  std::optional<std::string> overflow;         ///< "reject" or "drop_oldest"
  std::optional<std::string> steal;            ///< "half" or "off"
};

struct topic_info {
  std::string name;
  std::int32_t queue_count = 0;
  std::uint64_t version = 0;
};

struct queue_info {
  std::int32_t queue = 0;
  std::uint64_t ready = 0;
  std::uint64_t leased = 0;
  std::uint64_t delayed = 0;
  std::uint64_t bytes = 0;
  std::uint64_t consumers = 0;
};

struct topic_details {
  topic_info info;
  topic_settings settings;  ///< in force: all of them are there
  std::uint64_t dead = 0;
  std::vector<queue_info> queues;
};

struct resized {
  std::int32_t queue_count = 0;
  std::uint64_t version = 0;
  bool draining = false;  ///< the queues that go are not empty yet
};

}  // namespace mqlite::client
