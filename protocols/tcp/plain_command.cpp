#include "protocols/tcp/plain_command.hpp"

#include "persistence/wire.hpp"
#include "proto/mqlite.pb.h"
#include "protocols/tcp/actions.hpp"
#include "protocols/translate/names.hpp"

namespace mqlite::tcp {

bool read_plain_command(std::string_view payload, const publish_terms& terms, plain_command& to) {
  using fields = v1::TCPCommand;
  std::string_view action;
  bool has_publish = false;
  wire::field field;
  for (wire::reader in(payload); in.more();) {
    if (!in.next(field)) return false;
    bool sound = false;
    switch (field.number) {
      case fields::kActionFieldNumber:
        sound = field.type == wire::bytes && action.data() == nullptr && field.content == publish_action;
        action = field.content;
        break;
      case fields::kRequestIdFieldNumber:
        sound = field.type == wire::varint;
        to.request_id = field.value;
        break;
      case fields::kPublishFieldNumber:
        sound = field.type == wire::bytes && !has_publish && read_plain_publish(field.content, to.publish);
        has_publish = true;
        break;
      default:
        break;
    }
    if (!sound) return false;
  }
  return action.data() != nullptr && has_publish && is_name(to.publish.name_space) && is_name(to.publish.topic) &&
         to.publish.payload.size() <= terms.max_message_bytes;
}

}  // namespace mqlite::tcp
