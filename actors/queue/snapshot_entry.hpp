#pragma once

#include <cstdint>

#include "actors/message.hpp"

namespace mqlite {

/// A message of a queue as a rewritten log has it.
struct snapshot_entry {
  message_ptr message;
  std::uint32_t deliveries = 0;
  bool unexpiring = false;
  bool to_front = false;          ///< waits at the front although its delivery count does not say so
  std::int64_t not_before = 0;    ///< of a delayed one, unix nanoseconds
  std::int64_t leased_until = 0;  ///< of a leased one, unix nanoseconds
};

}  // namespace mqlite
