#include "protocols/tcp/command.hpp"

#include <cstdint>

#include "persistence/wire.hpp"
#include "protocols/tcp/actions.hpp"
#include "protocols/tcp/json_requests.hpp"
#include "protocols/tcp/plain_command.hpp"
#include "protocols/translate/json_text.hpp"
#include "protocols/translate/names.hpp"
#include "protocols/translate/proto_lists.hpp"
#include "protocols/translate/proto_requests.hpp"

namespace mqlite::tcp {
namespace {

/// What one command's Protobuf may leave in memory for the next ones.
constexpr std::size_t kept_block = 256 * 1024;

/// Whether the bytes are fields, one behind the other.
bool has_fields(std::string_view bytes) {
  wire::field field;
  for (wire::reader in(bytes); in.more();)
    if (!in.next(field)) return false;
  return true;
}

/// Of a command that is not going to be read; 0 = none.
std::uint64_t request_id_of(std::string_view command) {
  std::uint64_t id = 0;
  wire::field field;
  for (wire::reader in(command); in.more() && in.next(field);)
    if (field.number == v1::TCPCommand::kRequestIdFieldNumber && field.type == wire::varint) id = field.value;
  return id;
}

failure invalid(std::string text) { return {error_code::invalid_argument, std::move(text), false}; }

failure unknown_action(std::string_view name) {
  return invalid("unknown action `" + std::string(name.substr(0, 64)) + "`");
}

google::protobuf::ArenaOptions arena_options() {
  google::protobuf::ArenaOptions options;
  options.start_block_size = 16 * 1024;
  options.max_block_size = kept_block;
  return options;
}

/// The names are views of what `in` holds.
command_content publishing_of(const v1::PublishRequest& in, const publish_terms& terms) {
  if (auto problem = name_problem("namespace", in.namespace_())) return std::move(*problem);
  if (auto problem = name_problem("topic", in.topic())) return std::move(*problem);
  auto message = read_draft(in, terms);
  if (!message) return std::move(message.why());
  return publishing{in.namespace_(), in.topic(), std::move(*message)};
}

command_content content_of(outcome<any_request> read) {
  if (!read) return std::move(read.why());
  return std::move(*read);
}

}  // namespace

command_reader::command_reader() : arena_(arena_options()) {}
command_reader::~command_reader() = default;

command command_reader::read(encoding as, std::string_view payload, const publish_terms& terms) {
  return as == encoding::json ? read_json_command(payload, terms) : read_proto_command(payload, terms);
}

void command_reader::end_burst() {
  if (arena_.SpaceUsed() > 0) arena_.Reset();
}

command command_reader::read_json_command(std::string_view payload, const publish_terms& terms) {
  constexpr std::string_view known[] = {"action", "id", "data"};
  command result;
  const auto object = json_object_in(payload, "the command");
  if (!object) {
    result.content = object.why();
    return result;
  }
  json_fields fields(*object, known);
  result.to.id = fields.raw("id");
  if (!fields.has("action")) fields.refuse("`action` is required");
  const auto name = fields.string("action").value_or("");
  const auto data = fields.has("data") ? fields.raw("data") : std::string_view("{}");
  if (data.front() != '{') fields.refuse("`data` must be an object");
  if (fields.refusal()) {
    result.content = *fields.refusal();
  } else if (name == publish_action) {
    auto read = read_json<request::publish>(data, terms);
    if (read) {
      publish_ = std::move(*read);
      result.content = publishing{publish_.name_space, publish_.topic, std::move(publish_.message)};
    } else {
      result.content = std::move(read.why());
    }
  } else {
    const auto* found = find_action(name);
    result.content = found != nullptr ? content_of(found->from_json(data, terms)) : unknown_action(name);
  }
  return result;
}

command command_reader::read_proto_command(std::string_view payload, const publish_terms& terms) {
  command result;
  result.to.as = encoding::protobuf;
  if (plain_command plain; read_plain_command(payload, terms, plain)) {
    result.to.request_id = plain.request_id;
    auto& publish = result.content.emplace<publishing>();
    publish.name_space = plain.publish.name_space;
    publish.topic = plain.publish.topic;
    publish.message.queue = plain.publish.queue;
    publish.message.message = message::make(plain.publish.payload);
    return result;
  }
  if (auto problem = lists_problem("the command", payload, *v1::TCPCommand::descriptor())) {
    result.to.request_id = request_id_of(payload);
    result.content = std::move(*problem);
    return result;
  }
  auto& in = *google::protobuf::Arena::CreateMessage<v1::TCPCommand>(&arena_);
  if (!in.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) {
    result.content = invalid("the command is no valid TCPCommand");
    return result;
  }
  result.to.request_id = in.request_id();
  const bool publish = in.action() == publish_action;
  const auto* found = publish ? nullptr : find_action(in.action());
  if (!publish && found == nullptr) {
    result.content = unknown_action(in.action());
    return result;
  }
  const auto wanted = publish ? v1::TCPCommand::kPublish : found->field;
  const bool absent_is_fine =
      found != nullptr && found->empty_request && in.data_case() == v1::TCPCommand::DATA_NOT_SET;
  if (in.data_case() != wanted && !absent_is_fine) {
    result.content = invalid("the command's data must be the request of its action `" + in.action() + "`");
    return result;
  }
  result.content = publish ? publishing_of(in.publish(), terms) : content_of(found->from_proto(in, terms));
  return result;
}

bool is_document(encoding as, std::string_view payload) {
  constexpr std::size_t large = 64 * 1024;  // Protobuf is not to make objects of it just for this
  if (as == encoding::protobuf && payload.size() > large) return has_fields(payload);
  if (as == encoding::protobuf)
    return v1::TCPCommand().ParseFromArray(payload.data(), static_cast<int>(payload.size()));
  const auto begin = payload.find_first_not_of(" \t\r\n");
  return begin != std::string_view::npos && payload[begin] == '{' && is_json(payload);
}

}  // namespace mqlite::tcp
