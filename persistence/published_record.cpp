#include "persistence/published_record.hpp"

#include <array>
#include <cstring>

#include "persistence/format.hpp"
#include "persistence/record.hpp"
#include "persistence/wire.hpp"

namespace mqlite {

namespace {

using wire::extend;
using wire::put_varint;
using wire::tag;
using wire::varint_size;

// Field numbers of proto/journal.proto.
constexpr char published_tag = tag(6, wire::bytes);
constexpr char topic_tag = tag(1, wire::varint);
constexpr char message_tag = tag(2, wire::bytes);
constexpr char id_tag = tag(1, wire::bytes);
constexpr char queue_tag = tag(2, wire::varint);
constexpr char payload_tag = tag(3, wire::bytes);
constexpr char attributes_tag = tag(4, wire::bytes);
constexpr char not_before_tag = tag(5, wire::varint);
constexpr char deliveries_tag = tag(6, wire::varint);
constexpr char leased_until_tag = tag(7, wire::varint);
constexpr char dead_tag = tag(8, wire::bytes);
constexpr char unexpiring_tag = tag(9, wire::varint);
constexpr char dead_reason_tag = tag(1, wire::varint);
constexpr char dead_at_tag = tag(2, wire::varint);

// Room for the event's length, a varint of unknown size. Three bytes fit records of 16 KiB to 2 MiB, the batches that count for
// speed; shorter and longer ones are moved into place by finish().
constexpr std::size_t length_room = 3;
constexpr std::size_t event_offset = format::record_header_size + 1 + length_room;

std::uint64_t as_unsigned(std::int64_t value) { return static_cast<std::uint64_t>(value); }

std::size_t number_size(std::uint64_t value) { return value == 0 ? 0 : 1 + varint_size(value); }

std::size_t bytes_size(std::size_t length) { return length == 0 ? 0 : 1 + varint_size(length) + length; }

std::size_t dead_size(const stored_message_view& message) {
  return number_size(as_unsigned(message.dead_reason)) + number_size(as_unsigned(message.dead_at));
}

/// Bytes behind the attributes.
std::size_t tail_size(const stored_message_view& message) {
  return number_size(as_unsigned(message.not_before)) + number_size(message.deliveries) +
         number_size(as_unsigned(message.leased_until)) + bytes_size(dead_size(message)) +
         number_size(message.unexpiring ? 1 : 0);
}

char* put_number(char* to, char tag_byte, std::uint64_t value) {
  if (value == 0) return to;
  *to++ = tag_byte;
  return put_varint(to, value);
}

char* put_length(char* to, char tag_byte, std::size_t length) {
  *to++ = tag_byte;
  return put_varint(to, length);
}

char* put_tail(char* to, const stored_message_view& message) {
  to = put_number(to, not_before_tag, as_unsigned(message.not_before));
  to = put_number(to, deliveries_tag, message.deliveries);
  to = put_number(to, leased_until_tag, as_unsigned(message.leased_until));
  if (auto length = dead_size(message)) {
    to = put_length(to, dead_tag, length);
    to = put_number(to, dead_reason_tag, as_unsigned(message.dead_reason));
    to = put_number(to, dead_at_tag, as_unsigned(message.dead_at));
  }
  return put_number(to, unexpiring_tag, message.unexpiring ? 1 : 0);
}

}  // namespace

published_record::published_record(std::uint64_t topic, std::size_t expected_size) {
  bytes_.reserve(expected_size + event_offset + 1 + wire::max_varint_size);
  bytes_.resize(event_offset);
  std::array<char, 1 + wire::max_varint_size> buffer;
  bytes_.append(buffer.data(), put_number(buffer.data(), topic_tag, topic));
  first_message_ = bytes_.size();
}

void published_record::add(const stored_message_view& message) {
  auto tail = tail_size(message);
  auto length = 2 + message_id_size + number_size(message.queue) + bytes_size(message.payload.size()) +
                bytes_size(message.attributes.size()) + tail;
  const auto prefix_size = [](std::size_t bytes) { return bytes == 0 ? 0 : 1 + varint_size(bytes); };
  const auto payload = message.payload.size();
  const auto attributes = message.attributes.size();
  // The id by halves, as it was written: see extend(). With 8 connections a burst took 1.3 times as long otherwise.
  auto* to =
      extend(bytes_, 1 + varint_size(length) + 2 + message_id_size + number_size(message.queue) + prefix_size(payload));
  constexpr auto half = message_id_size / 2;
  to = put_length(to, message_tag, length);
  to = put_length(to, id_tag, message_id_size);
  std::memcpy(to, message.id, half);
  std::memcpy(to + half, message.id + half, half);
  to = put_number(to + message_id_size, queue_tag, message.queue);
  if (payload != 0) put_length(to, payload_tag, payload);
  bytes_.append(message.payload);
  if (attributes != 0) put_length(extend(bytes_, prefix_size(attributes)), attributes_tag, attributes);
  bytes_.append(message.attributes);
  if (tail != 0) put_tail(extend(bytes_, tail), message);
}

std::string published_record::finish() && {
  auto length = bytes_.size() - event_offset;
  auto needed = varint_size(length);
  if (needed < length_room) bytes_.erase(0, length_room - needed);
  if (needed > length_room) bytes_.insert(0, needed - length_room, '\0');
  put_length(bytes_.data() + format::record_header_size, published_tag, length);
  seal_frame(bytes_);
  return std::move(bytes_);
}

}  // namespace mqlite
