#include "protocols/tcp/plain_command.hpp"

#include "persistence/wire.hpp"
#include "proto/mqlite.pb.h"
#include "protocols/tcp/actions.hpp"
#include "protocols/translate/names.hpp"

namespace mqlite::tcp {

std::optional<plain_command> read_plain_command(std::string_view payload, const publish_terms& terms) {
  using fields = v1::TCPCommand;
  plain_command result;
  std::string_view action;
  std::optional<plain_publish> publish;
  wire::field field;
  for (wire::reader in(payload); in.more();) {
    if (!in.next(field)) return std::nullopt;
    bool sound = false;
    switch (field.number) {
      case fields::kActionFieldNumber:
        sound = field.type == wire::bytes && action.data() == nullptr && field.content == publish_action;
        action = field.content;
        break;
      case fields::kRequestIdFieldNumber:
        sound = field.type == wire::varint;
        result.request_id = field.value;
        break;
      case fields::kPublishFieldNumber:
        sound = field.type == wire::bytes && !publish && (publish = read_plain_publish(field.content));
        break;
      default:
        break;
    }
    if (!sound) return std::nullopt;
  }
  const bool plain = action.data() != nullptr && publish && is_name(publish->name_space) && is_name(publish->topic) &&
                     publish->payload.size() <= terms.max_message_bytes;
  if (!plain) return std::nullopt;
  result.publish = *publish;
  return result;
}

}  // namespace mqlite::tcp
