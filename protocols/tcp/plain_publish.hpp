#pragma once

#include <optional>
#include <string_view>

#include "protocols/translate/publish_requests.hpp"

namespace mqlite::tcp {

/// A publish as most of them are: names, a payload, perhaps a queue.
struct plain_publish {
  std::uint64_t request_id = 0;
  std::string_view name_space;  ///< a valid name, like the topic; all three are parts of the frame
  std::string_view topic;
  std::string_view payload;
  queue_number queue = any_queue;
};

/// Reads a TCPCommand that is such a publish and has nothing wrong, without the library and without copies. Nothing for every other
/// payload, which the library then reads (and refuses, where it is malformed).
std::optional<plain_publish> read_plain_publish(std::string_view payload, const publish_terms& terms);

}  // namespace mqlite::tcp
