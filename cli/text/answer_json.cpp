#include "cli/text/answer_json.hpp"

#include <google/protobuf/descriptor.h>

#include <map>
#include <string_view>

#include "protocols/translate/base64.hpp"
#include "protocols/translate/json_text.hpp"

namespace mqlite::cli {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Reflection;

/// Writes an object or, with square brackets, an array.
class list_writer {
 public:
  list_writer(std::string& out, char open, char close) : out_(out), close_(close) { out_ += open; }
  ~list_writer() { out_ += close_; }
  list_writer(const list_writer&) = delete;
  list_writer& operator=(const list_writer&) = delete;

  /// What is appended next is one more element.
  std::string& next() {
    if (!first_) out_ += ',';
    first_ = false;
    return out_;
  }

  /// What is appended next is the value of one more member.
  std::string& member(std::string_view name) {
    append_json_string(next(), name);
    return out_ += ':';
  }

 private:
  std::string& out_;
  char close_;
  bool first_ = true;
};

void append_any(std::string& out, const google::protobuf::Message& message) {
  if (const auto* plain = dynamic_cast<const v1::Message*>(&message)) return append_json(out, *plain);
  if (const auto* dead = dynamic_cast<const v1::DeadMessage*>(&message)) return append_json(out, *dead);
  if (const auto* result = dynamic_cast<const v1::PublishResult*>(&message)) return append_json(out, *result);
  append_json(out, message);
}

void append_value(std::string& out, const google::protobuf::Message& in, const FieldDescriptor& field) {
  const auto& reflection = *in.GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_BOOL:
      out += reflection.GetBool(in, &field) ? "true" : "false";
      return;
    case FieldDescriptor::CPPTYPE_INT32:
      return append_number(out, reflection.GetInt32(in, &field));
    case FieldDescriptor::CPPTYPE_INT64:
      return append_number(out, reflection.GetInt64(in, &field));
    case FieldDescriptor::CPPTYPE_UINT64:
      return append_number(out, reflection.GetUInt64(in, &field));
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return append_any(out, reflection.GetMessage(in, &field));
    default:
      return append_json_string(out, reflection.GetString(in, &field));
  }
}

void append_elements(std::string& out, const google::protobuf::Message& in, const FieldDescriptor& field) {
  const auto& reflection = *in.GetReflection();
  list_writer list(out, '[', ']');
  for (int i = 0; i < reflection.FieldSize(in, &field); ++i) {
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE)
      append_any(list.next(), reflection.GetRepeatedMessage(in, &field, i));
    else
      append_json_string(list.next(), reflection.GetRepeatedString(in, &field, i));
  }
}

/// Whether the member says nothing: `success` is true whenever there is an answer, and a sentence may be missing.
bool is_omitted(const google::protobuf::Message& in, const FieldDescriptor& field) {
  return field.name() == "success" || (field.name() == "message" && in.GetReflection()->GetString(in, &field).empty());
}

void append_members(list_writer& object, const v1::Message& message) {
  append_json_string(object.member("id"), message.id());
  append_json_string(object.member("namespace"), message.namespace_());
  append_json_string(object.member("topic"), message.topic());
  append_number(object.member("queue_id"), message.queue_id());
  if (is_json(message.payload())) {
    object.member("payload") += message.payload();
  } else {
    auto& out = object.member("payload_base64") += '"';
    append_base64(out, message.payload());
    out += '"';
  }
  append_number(object.member("timestamp"), message.timestamp());
  {
    list_writer headers(object.member("headers"), '{', '}');
    for (const auto& [name, value] : std::map(message.headers().begin(), message.headers().end()))
      append_json_string(headers.member(name), value);
  }
  if (!message.routing_key().empty()) append_json_string(object.member("routing_key"), message.routing_key());
  append_number(object.member("delivery_count"), message.delivery_count());
  append_json_string(object.member("receipt"), message.receipt());
}

}  // namespace

void append_json(std::string& out, const google::protobuf::Message& answer) {
  const auto& type = *answer.GetDescriptor();
  if (type.field_count() == 1 && type.field(0)->is_repeated()) return append_elements(out, answer, *type.field(0));
  list_writer object(out, '{', '}');
  for (int i = 0; i < type.field_count(); ++i) {
    const auto& field = *type.field(i);
    if (field.is_repeated())
      append_elements(object.member(field.name()), answer, field);
    else if (!is_omitted(answer, field))
      append_value(object.member(field.name()), answer, field);
  }
}

void append_json(std::string& out, const v1::Message& message) {
  list_writer object(out, '{', '}');
  append_members(object, message);
}

void append_json(std::string& out, const v1::PublishResult& result) {
  list_writer object(out, '{', '}');
  if (result.code().empty()) {
    append_json_string(object.member("message_id"), result.message_id());
    append_number(object.member("queue_id"), result.queue_id());
  } else {
    append_json_string(object.member("code"), result.code());
    append_json_string(object.member("message"), result.error());
  }
}

void append_json(std::string& out, const v1::DeadMessage& dead) {
  list_writer object(out, '{', '}');
  append_members(object, dead.message());
  append_json_string(object.member("reason"), dead.reason());
  append_number(object.member("dead_at"), dead.dead_at());
}

}  // namespace mqlite::cli
