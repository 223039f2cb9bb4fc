#include "protocols/tcp/plain_publish.hpp"

#include "proto/mqlite.pb.h"
#include "protocols/tcp/actions.hpp"
#include "protocols/translate/names.hpp"

namespace mqlite::tcp {
namespace {

/// A message in Protobuf's wire format, read field by field.
class wire_reader {
 public:
  explicit wire_reader(std::string_view bytes) noexcept : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  bool at_end() const noexcept { return at_ == end_; }

  bool varint(std::uint64_t& value) noexcept {
    value = 0;
    for (int shift = 0; shift < 64 && at_ != end_; shift += 7) {
      const auto byte = static_cast<unsigned char>(*at_++);
      value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return true;
    }
    return false;
  }
  bool bytes(std::string_view& value) noexcept {
    std::uint64_t size;
    if (!varint(size) || size > static_cast<std::uint64_t>(end_ - at_)) return false;
    value = {at_, static_cast<std::size_t>(size)};
    at_ += size;
    return true;
  }

 private:
  const char* at_;
  const char* end_;
};

constexpr std::uint64_t number_tag(int field) noexcept { return static_cast<std::uint64_t>(field) << 3; }
constexpr std::uint64_t bytes_tag(int field) noexcept { return static_cast<std::uint64_t>(field) << 3 | 2; }

/// Reads a text that did not come before. (Of repeated ones the last would count.)
bool once(wire_reader& in, std::string_view& value) noexcept { return value.data() == nullptr && in.bytes(value); }

bool read_publish(std::string_view bytes, plain_publish& out) noexcept {
  using request = v1::PublishRequest;
  wire_reader in(bytes);
  while (!in.at_end()) {
    std::uint64_t tag, number;
    bool sound = in.varint(tag);
    switch (sound ? tag : 0) {
      case bytes_tag(request::kNamespaceFieldNumber):
        sound = once(in, out.name_space);
        break;
      case bytes_tag(request::kTopicFieldNumber):
        sound = once(in, out.topic);
        break;
      case bytes_tag(request::kPayloadFieldNumber):
        sound = once(in, out.payload);
        break;
      case number_tag(request::kQueueIdFieldNumber):
        sound = in.varint(number);
        out.queue = static_cast<queue_number>(number);
        break;
      default:
        sound = false;
    }
    if (!sound) return false;
  }
  return true;
}

}  // namespace

std::optional<plain_publish> read_plain_publish(std::string_view payload, const publish_terms& terms) {
  using command = v1::TCPCommand;
  std::optional<plain_publish> result(std::in_place);
  std::string_view action, publish;
  wire_reader in(payload);
  while (!in.at_end()) {
    std::uint64_t tag;
    bool sound = in.varint(tag);
    switch (sound ? tag : 0) {
      case bytes_tag(command::kActionFieldNumber):
        sound = once(in, action) && action == publish_action;
        break;
      case number_tag(command::kRequestIdFieldNumber):
        sound = in.varint(result->request_id);
        break;
      case bytes_tag(command::kPublishFieldNumber):
        sound = once(in, publish) && read_publish(publish, *result);
        break;
      default:
        sound = false;
    }
    if (!sound) return std::nullopt;
  }
  const bool plain = action.data() != nullptr && publish.data() != nullptr && is_name(result->name_space) &&
                     is_name(result->topic) && result->payload.size() <= terms.max_message_bytes &&
                     result->queue >= any_queue;
  if (!plain) return std::nullopt;
  return result;
}

}  // namespace mqlite::tcp
