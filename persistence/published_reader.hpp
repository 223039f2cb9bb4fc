#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "persistence/stored_message_view.hpp"
#include "persistence/wire.hpp"

namespace mqlite {

/// The serialized journal.Published in a record's body, when the body is that one event and nothing else.
std::optional<std::string_view> published_body(std::string_view record_body);

/// The topic of a serialized journal.Published; nothing when the bytes are malformed.
std::optional<std::uint64_t> published_topic(std::string_view published);

/// Reads one serialized journal.StoredMessage; false when it is malformed or has no id of 16 bytes. Unknown fields are skipped.
/// The view's bytes are those of `message`.
bool read_stored_message(std::string_view message, stored_message_view& out);

/// Calls `visit(topic, const stored_message_view&)` for each message of a serialized journal.Published, in order. False when the
/// bytes are malformed: messages before the malformed place may have been visited by then.
template <class Visit>
bool read_published(std::string_view published, Visit&& visit) {
  auto topic = published_topic(published);
  if (!topic) return false;
  wire::reader fields{published};
  wire::field field;
  while (fields.more()) {
    if (!fields.next(field)) return false;
    if (field.number != 2 || field.type != wire::bytes) continue;
    stored_message_view message;
    if (!read_stored_message(field.content, message)) return false;
    visit(*topic, message);
  }
  return true;
}

}  // namespace mqlite
