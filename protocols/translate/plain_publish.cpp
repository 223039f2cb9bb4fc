#include "protocols/translate/plain_publish.hpp"

#include "persistence/wire.hpp"
#include "proto/mqlite.pb.h"
#include "protocols/translate/proto_answers.hpp"

namespace mqlite {

bool read_plain_publish(std::string_view request, plain_publish& to) noexcept {
  using fields = v1::PublishRequest;
  // Of repeated ones the last would count.
  const auto once = [](std::string_view& text, const wire::field& field) {
    if (field.type != wire::bytes || text.data() != nullptr) return false;
    text = field.content;
    return true;
  };
  wire::field field;
  for (wire::reader in(request); in.more();) {
    if (!in.next(field)) return false;
    bool sound = false;
    switch (field.number) {
      case fields::kNamespaceFieldNumber:
        sound = once(to.name_space, field);
        break;
      case fields::kTopicFieldNumber:
        sound = once(to.topic, field);
        break;
      case fields::kPayloadFieldNumber:
        sound = once(to.payload, field);
        break;
      case fields::kQueueIdFieldNumber:
        sound = field.type == wire::varint;
        to.queue = static_cast<queue_number>(field.value);
        break;
      default:
        break;
    }
    if (!sound) return false;
  }
  return to.queue >= any_queue;
}

void append_publish_result(std::string& out, const outcome<published>& how) {
  using fields = v1::PublishResult;
  constexpr auto field = wire::tag(1, wire::bytes);
  if (!how) {
    v1::PublishResult result;
    fill(result, how);
    char size[wire::max_varint_size];
    out += field;
    out.append(size, wire::put_varint(size, result.ByteSizeLong()));
    result.AppendToString(&out);
    return;
  }
  // A number of 0 is absent, as the library has it.
  const auto queue = static_cast<std::uint64_t>(how->queue);
  const auto size = 2 + message_id::text_size + (queue == 0 ? 0 : 1 + wire::varint_size(queue));
  char* to = wire::extend(out, 2 + size);
  *to++ = field;
  *to++ = static_cast<char>(size);
  *to++ = wire::tag(fields::kMessageIdFieldNumber, wire::bytes);
  *to++ = message_id::text_size;
  how->id.write_text(to);
  to += message_id::text_size;
  if (queue == 0) return;
  *to++ = wire::tag(fields::kQueueIdFieldNumber, wire::varint);
  wire::put_varint(to, queue);
}

}  // namespace mqlite
