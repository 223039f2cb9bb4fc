#include "persistence/published_reader.hpp"

namespace mqlite {

namespace {

bool read_dead(std::string_view dead, stored_message_view& out) {
  wire::reader fields{dead};
  wire::field field;
  while (fields.more()) {
    if (!fields.next(field)) return false;
    if (field.type != wire::varint) continue;
    if (field.number == 1) out.dead_reason = static_cast<int>(field.value);
    if (field.number == 2) out.dead_at = static_cast<std::int64_t>(field.value);
  }
  return true;
}

void take_number(const wire::field& field, stored_message_view& out) {
  switch (field.number) {
    case 2:
      out.queue = static_cast<std::uint32_t>(field.value);
      break;
    case 5:
      out.not_before = static_cast<std::int64_t>(field.value);
      break;
    case 6:
      out.deliveries = static_cast<std::uint32_t>(field.value);
      break;
    case 7:
      out.leased_until = static_cast<std::int64_t>(field.value);
      break;
    case 9:
      out.unexpiring = field.value != 0;
      break;
    default:
      break;
  }
}

bool take_bytes(const wire::field& field, stored_message_view& out) {
  switch (field.number) {
    case 1:
      out.id = reinterpret_cast<const unsigned char*>(field.content.data());
      return field.content.size() == message_id_size;
    case 3:
      out.payload = field.content;
      return true;
    case 4:
      // Two of them would have to be merged; nobody writes that.
      if (out.attributes.data() != nullptr) return false;
      out.attributes = field.content;
      return true;
    case 8:
      return read_dead(field.content, out);
    default:
      return true;
  }
}

}  // namespace

std::optional<std::string_view> published_body(std::string_view record_body) {
  wire::reader fields{record_body};
  wire::field field;
  if (!fields.next(field) || field.number != 6 || field.type != wire::bytes || fields.more()) return std::nullopt;
  return field.content;
}

std::optional<std::uint64_t> published_topic(std::string_view published) {
  std::uint64_t topic = 0;
  wire::reader fields{published};
  wire::field field;
  while (fields.more()) {
    if (!fields.next(field)) return std::nullopt;
    if (field.number != 1 || field.type != wire::varint) continue;
    topic = field.value;
    break;  // we write the topic once and first
  }
  return topic;
}

bool read_stored_message(std::string_view message, stored_message_view& out) {
  out = {};
  wire::reader fields{message};
  wire::field field;
  while (fields.more()) {
    if (!fields.next(field)) return false;
    if (field.type == wire::varint) take_number(field, out);
    if (field.type == wire::bytes && !take_bytes(field, out)) return false;
  }
  return out.id != nullptr;
}

}  // namespace mqlite
