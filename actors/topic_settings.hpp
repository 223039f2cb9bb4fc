#pragma once

#include <chrono>
#include <cstdint>

namespace mqlite {

/// What a full topic does with a publish.
enum class overflow_policy {
  reject,       ///< refuses it
  drop_oldest,  ///< takes it, and buries the oldest waiting messages
};

/// Whether the queues of a topic take work from each other.
enum class steal_policy {
  half,  ///< a starving queue takes half of the busiest sibling's waiting messages
  off,
};

/// What can be set per topic, with the defaults. (The broker's configuration gives another default for ack_timeout.)
struct topic_settings {
  std::chrono::nanoseconds ack_timeout = std::chrono::seconds(30);  ///< how long a delivered message stays leased
  std::uint32_t max_deliveries = 0;                                 ///< then it is a dead letter; 0 = never
  std::chrono::nanoseconds message_ttl{0};                          ///< waiting longer, it is a dead letter; 0 = never
  std::uint64_t max_length = 0;                                     ///< messages in the topic; 0 = no limit
  std::uint64_t max_bytes = 0;                                      ///< their payloads and attributes; 0 = no limit
  overflow_policy overflow = overflow_policy::reject;
  steal_policy steal = steal_policy::half;

  bool operator==(const topic_settings&) const = default;
};

/// Why a message is a dead letter.
enum class dead_reason : std::uint8_t {
  none,
  max_deliveries,  ///< its last allowed delivery failed
  expired,         ///< it waited longer than its time to live
  overflow,        ///< the topic was full and drops its oldest
};

}  // namespace mqlite
