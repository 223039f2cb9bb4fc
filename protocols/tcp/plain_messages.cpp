#include "protocols/tcp/plain_messages.hpp"

#include <google/protobuf/io/coded_stream.h>

#include <charconv>

#include "proto/mqlite.pb.h"
#include "protocols/translate/proto_answers.hpp"

namespace mqlite::tcp {
namespace {

using google::protobuf::io::CodedOutputStream;

constexpr std::uint32_t tag(int field, std::uint32_t wire_type) {
  return static_cast<std::uint32_t>(field) << 3 | wire_type;
}

void add_varint(std::string& out, std::uint64_t value) {
  std::uint8_t bytes[10];
  const auto* end = CodedOutputStream::WriteVarint64ToArray(value, bytes);
  out.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(end - bytes));
}

/// What is absent when it is empty or 0, as the library does it.
void add_bytes(std::string& out, int field, std::string_view bytes) {
  if (bytes.empty()) return;
  add_varint(out, tag(field, 2));
  add_varint(out, bytes.size());
  out += bytes;
}
void add_number(std::string& out, int field, std::uint64_t value) {
  if (value == 0) return;
  add_varint(out, tag(field, 0));
  add_varint(out, value);
}

/// Writes v1::Message. All that is not the payload goes through `head_`, whose size is known before it is copied.
class message_writer {
 public:
  explicit message_writer(const message_origin& from) : from_(from) {
    add_bytes(origin_, v1::Message::kNamespaceFieldNumber, from.name_space);
    add_bytes(origin_, v1::Message::kTopicFieldNumber, from.topic);
  }

  /// Appends tag, length and the message.
  void append(std::string& out, int field, const delivery& one) {
    if (!one.message->attributes().empty()) return append_by_library(out, field, one);
    char receipt[message_id::text_size + 12];
    one.message->id().write_text(receipt);
    receipt[message_id::text_size] = '#';
    const auto* end = std::to_chars(receipt + message_id::text_size + 1, receipt + sizeof receipt, one.deliveries).ptr;
    write_parts({receipt, static_cast<std::size_t>(end - receipt)}, one);
    const auto payload = one.message->payload();
    add_varint(out, tag(field, 2));
    add_varint(out, head_.size() + payload.size() + tail_.size());
    out += head_;
    out += payload;
    out += tail_;
  }

 private:
  void write_parts(std::string_view receipt, const delivery& one) {
    head_.clear();
    tail_.clear();
    add_bytes(head_, v1::Message::kIdFieldNumber, receipt.substr(0, message_id::text_size));
    head_ += origin_;
    add_number(head_, v1::Message::kQueueIdFieldNumber, static_cast<std::uint64_t>(one.queue));
    if (const auto size = one.message->payload().size(); size > 0) {
      add_varint(head_, tag(v1::Message::kPayloadFieldNumber, 2));
      add_varint(head_, size);
    }
    add_number(tail_, v1::Message::kTimestampFieldNumber, static_cast<std::uint64_t>(one.message->id().timestamp()));
    const auto deliveries = static_cast<std::int32_t>(one.deliveries);  // as the field has it
    add_number(tail_, v1::Message::kDeliveryCountFieldNumber, static_cast<std::uint64_t>(std::int64_t{deliveries}));
    add_bytes(tail_, v1::Message::kReceiptFieldNumber, receipt);
  }

  void append_by_library(std::string& out, int field, const delivery& one) const {
    v1::Message whole;
    fill(whole, from_, one);
    add_varint(out, tag(field, 2));
    add_varint(out, whole.ByteSizeLong());
    whole.AppendToString(&out);
  }

  message_origin from_;
  std::string origin_;
  std::string head_, tail_;  // before and behind a payload
};

}  // namespace

void append_consumed_response(std::string& out, std::uint64_t request_id, const message_origin& from,
                              const std::vector<delivery>& messages) {
  std::size_t size = 0;
  for (const auto& one : messages)
    size += one.message->payload().size() + from.name_space.size() + from.topic.size() + 120;
  std::string response;
  response.reserve(size);
  message_writer writer(from);
  for (const auto& one : messages) writer.append(response, v1::ConsumeResponse::kMessagesFieldNumber, one);
  out.reserve(out.size() + response.size() + 32);
  out += ok_status;
  add_number(out, v1::TCPResponse::kRequestIdFieldNumber, request_id);
  add_varint(out, tag(v1::TCPResponse::kConsumeFieldNumber, 2));
  add_varint(out, response.size());
  out += response;
}

void append_pushed_response(std::string& out, const message_origin& from, const delivery& message) {
  out += ok_status;
  message_writer(from).append(out, v1::TCPResponse::kSubscribeMessageFieldNumber, message);
}

}  // namespace mqlite::tcp
