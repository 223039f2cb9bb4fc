#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/errors.hpp"
#include "actors/hand_over.hpp"
#include "actors/message.hpp"
#include "actors/topic_settings.hpp"

/// What clients ask for and what they are told, the same for every protocol. The commands that carry these through the actor tree
/// are in messages.hpp.
namespace mqlite {

/// A queue of a topic: 0 and up, or any_queue.
using queue_number = std::int32_t;
inline constexpr queue_number any_queue = -1;

/// Most queues of a topic.
inline constexpr std::int32_t most_queues = 1024;
/// Most messages that one consume, publish_batch or settlement names.
inline constexpr std::size_t most_batch = 10'000;

/// A message to be published.
struct draft {
  message_ptr message;  ///< not yet named
  queue_number queue = any_queue;
  std::uint32_t key_hash = 0;   ///< FNV-1a-32 of the routing key; only where has_key
  bool has_key = false;         ///< a non-empty routing key picks the queue
  std::int64_t not_before = 0;  ///< delayed until then, unix nanoseconds; 0 = not delayed
};

/// The hash of the routing key that picks the queue: FNV-1a, 32 bits (Fowler, Noll, Vo).
constexpr std::uint32_t routing_hash(std::string_view key) noexcept {
  std::uint32_t hash = 2166136261U;
  for (const char c : key) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
  return hash;
}

/// Where a published message went.
struct published {
  message_id id;
  queue_number queue = 0;
};

/// One delivery of a message.
struct delivery {
  message_ptr message;
  queue_number queue = 0;
  std::uint32_t deliveries = 1;
};

/// What consume gave. Whoever writes the messages to a client confirms `hand_overs` when the bytes were written; destroyed
/// unconfirmed, they send the messages back to the front of their queues.
struct consumed {
  std::vector<delivery> deliveries;
  std::vector<hand_over> hand_overs;

  void confirm() {
    for (auto& h : hand_overs) h.confirm();
  }
};

/// Bytes of messages in one answer, give or take a message.
inline constexpr std::uint64_t most_answer_bytes = 16ULL << 20;

/// How to consume.
struct consume_options {
  std::size_t most = 1;
  bool auto_ack = false;
  std::chrono::nanoseconds wait{0};   ///< how long to wait for a first message
  std::chrono::nanoseconds lease{0};  ///< 0 = the topic's ack_timeout
  /// No further message once those that were found take so much memory.
  std::uint64_t most_bytes = most_answer_bytes;
};

/// What to do with delivered messages.
enum class settlement { ack, nack, extend };

/// One message named by a settlement; `position` is its place in the client's list.
struct settle_target {
  receipt which;
  std::uint32_t position = 0;
};

/// How a settlement went.
struct settled {
  std::uint64_t count = 0;             ///< acknowledged, returned or extended
  std::uint64_t dead_lettered = 0;     ///< nacked for the last time
  std::vector<std::uint32_t> unknown;  ///< positions
  std::vector<std::uint32_t> stale;
};

/// Which settings to change; what is absent stays.
struct topic_settings_patch {
  std::optional<std::chrono::nanoseconds> ack_timeout;
  std::optional<std::uint32_t> max_deliveries;
  std::optional<std::chrono::nanoseconds> message_ttl;
  std::optional<std::uint64_t> max_length;
  std::optional<std::uint64_t> max_bytes;
  std::optional<overflow_policy> overflow;
  std::optional<steal_policy> steal;

  void apply_to(topic_settings& settings) const {
    if (ack_timeout) settings.ack_timeout = *ack_timeout;
    if (max_deliveries) settings.max_deliveries = *max_deliveries;
    if (message_ttl) settings.message_ttl = *message_ttl;
    if (max_length) settings.max_length = *max_length;
    if (max_bytes) settings.max_bytes = *max_bytes;
    if (overflow) settings.overflow = *overflow;
    if (steal) settings.steal = *steal;
  }
};

struct topic_info {
  std::string name;
  std::int32_t queue_count = 0;
  std::uint64_t version = 0;
};

/// Counts since the broker started.
struct topic_totals {
  std::uint64_t published = 0;
  std::uint64_t delivered = 0;
  std::uint64_t acknowledged = 0;
  std::uint64_t redelivered = 0;
  std::uint64_t dead_lettered = 0;
  std::uint64_t steals = 0;
  std::uint64_t stolen = 0;
  std::uint64_t steal_refusals = 0;

  topic_totals& operator+=(const topic_totals& other) {
    published += other.published;
    delivered += other.delivered;
    acknowledged += other.acknowledged;
    redelivered += other.redelivered;
    dead_lettered += other.dead_lettered;
    steals += other.steals;
    stolen += other.stolen;
    steal_refusals += other.steal_refusals;
    return *this;
  }
};

struct queue_details {
  queue_number queue = 0;
  std::uint64_t ready = 0;
  std::uint64_t leased = 0;
  std::uint64_t delayed = 0;
  std::uint64_t bytes = 0;
  std::uint64_t consumers = 0;
  topic_totals totals;
};

struct topic_details {
  std::string name_space;
  topic_info info;
  topic_settings settings;
  std::uint64_t dead = 0;
  bool draining = false;
  std::vector<queue_details> queues;
  topic_totals totals;
};

/// What a resize answers at once; draining goes on behind it.
struct resized {
  std::int32_t queue_count = 0;
  std::uint64_t version = 0;
  bool draining = false;
};

/// A message looked at, not taken.
struct peeked {
  message_ptr message;
  queue_number queue = 0;
  std::uint32_t deliveries = 0;
  dead_reason reason = dead_reason::none;  ///< of dead letters, with dead_at (unix nanoseconds)
  std::int64_t dead_at = 0;
};

/// Which messages of a queue to look at.
enum class peek_state { ready, leased, delayed };

/// How long something took, counted in buckets; bounds in seconds as Prometheus histograms have them.
struct duration_histogram {
  static constexpr std::array<double, 14> bounds{0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005,
                                                 0.01,    0.025,  0.05,    0.1,    0.25,  1,      5};
  std::array<std::uint64_t, bounds.size() + 1> counts{};  ///< the last one is for everything longer
  double sum = 0;

  void add(std::int64_t nanoseconds) {
    const double seconds = static_cast<double>(nanoseconds) * 1e-9;
    std::size_t i = 0;
    while (i < bounds.size() && seconds > bounds[i]) ++i;
    ++counts[i];
    sum += seconds;
  }
};

/// How rewriting the log goes.
struct rewrite_status {
  bool running = false;
  std::uint64_t messages = 0;  ///< written so far by the one that runs, or by the last one
  std::uint64_t bytes = 0;
  std::uint64_t succeeded = 0;  ///< since the start
  std::uint64_t failed = 0;
  std::string last_problem;  ///< why the last one failed; empty when it succeeded
  std::chrono::nanoseconds last_duration{0};
  std::int64_t last_ended = 0;  ///< unix nanoseconds, 0 = there was none
};

/// How the log does.
struct log_status {
  bool enabled = false;
  bool healthy = true;
  std::string problem;  ///< why it is not healthy
  std::string fsync;    ///< the policy's name
  std::string folder;
  std::uint64_t bytes = 0;    ///< on disk
  std::uint64_t records = 0;  ///< appended since the start
  std::uint64_t writes = 0;   ///< write calls since the start
  std::uint64_t fsyncs = 0;
  duration_histogram fsync_seconds;
  std::uint64_t base_bytes = 0;  ///< of bytes: what the last rewrite has made
  rewrite_status rewrite;
  bool copying = false;  ///< a backup is being made
};

/// What a backup has made.
struct backed_up {
  std::string folder;
  std::uint64_t bytes = 0;
};

/// The whole broker at one moment.
struct broker_stats {
  std::uint64_t namespaces = 0;
  std::vector<topic_details> topics;
  log_status log;
};

}  // namespace mqlite
