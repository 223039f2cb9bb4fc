#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "actors/operations.hpp"

namespace mqlite {

/// What holds for a publish besides what it says itself.
struct publish_terms {
  std::int64_t now = 0;                                      ///< unix nanoseconds
  std::uint64_t max_message_bytes = std::uint64_t{1} << 20;  ///< payload, headers and routing key together
};

/// Latest moment that `deliver_at_ms` may name: in the year 2223, far from where nanoseconds overflow.
inline constexpr std::int64_t latest_ms = 8'000'000'000'000;

/// Refuses a message that is larger than allowed.
outcome<draft> make_draft(std::string_view payload, const message_attributes& attributes, queue_number queue,
                          std::int64_t not_before, const publish_terms& terms);

/// The message of `{"payload"|"payload_base64", "headers", "routing_key", "queue_id", "delay_ms", "deliver_at_ms", "ttl_ms"}`.
/// `object` was checked by json_object_in(). A `payload` is kept byte for byte as it is spelled there.
outcome<draft> read_publish(std::string_view object, const publish_terms& terms);

/// The messages of `{"messages": [...]}`, each as read_publish() finds it; at most most_batch of them.
outcome<std::vector<outcome<draft>>> read_publish_batch(std::string_view object, const publish_terms& terms);

}  // namespace mqlite
