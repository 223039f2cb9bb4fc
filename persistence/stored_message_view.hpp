#pragma once

#include <cstdint>
#include <string_view>

namespace mqlite {

/// A journal.StoredMessage whose bytes belong to somebody else: the fields have the meanings of proto/journal.proto.
struct stored_message_view {
  const unsigned char* id = nullptr;  ///< 16 bytes
  std::uint32_t queue = 0;
  std::string_view payload{};
  std::string_view attributes{};  ///< a serialized journal.Attributes; empty when there are none
  std::int64_t not_before = 0;
  std::uint32_t deliveries = 0;
  std::int64_t leased_until = 0;
  int dead_reason = 0;  ///< a journal.DeadReason
  std::int64_t dead_at = 0;
  bool unexpiring = false;
};

inline constexpr std::size_t message_id_size = 16;

}  // namespace mqlite
