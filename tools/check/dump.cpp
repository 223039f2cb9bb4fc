#include "tools/check/dump.hpp"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <algorithm>

#include "actors/message_id.hpp"
#include "persistence/stored_message_view.hpp"
#include "proto/journal.pb.h"
#include "protocols/translate/base64.hpp"
#include "protocols/translate/json_text.hpp"

namespace mqlite::check {

namespace {

namespace pb = google::protobuf;
using pb_field = pb::FieldDescriptor;

void append_message(std::string& out, const pb::Message& message);

/// Begins a member of an object that `out` ends with.
void append_key(std::string& out, std::string_view name) {
  if (out.back() != '{') out += ',';
  append_json_string(out, name);
  out += ':';
}

void append_encoded(std::string& out, std::string_view bytes) {
  out += '"';
  append_base64(out, bytes);
  out += '"';
}

void append_ids(std::string& out, std::string_view bytes) {
  out += '[';
  for (std::size_t at = 0; at + message_id_size <= bytes.size(); at += message_id_size) {
    if (at != 0) out += ',';
    append_json_string(out, message_id::from_bytes(bytes.data() + at).text());
  }
  out += ']';
}

void append_bytes(std::string& out, const std::string& name, const std::string& bytes) {
  auto whole_ids = !bytes.empty() && bytes.size() % message_id_size == 0;
  if (name == "id" && bytes.size() == message_id_size) {
    append_key(out, name);
    return append_json_string(out, message_id::from_bytes(bytes.data()).text());
  }
  if (name == "ids" && whole_ids) {
    append_key(out, name);
    return append_ids(out, bytes);
  }
  if (name == "payload" && is_json(bytes)) {
    append_key(out, name);
    auto start = out.size();
    out += bytes;
    // Line ends stand between JSON's tokens only, and a record is one line.
    std::replace_if(
        out.begin() + static_cast<std::ptrdiff_t>(start), out.end(), [](char c) { return c == '\n' || c == '\r'; },
        ' ');
    return;
  }
  append_key(out, name + "_base64");
  append_encoded(out, bytes);
}

void append_headers(std::string& out, const pb::Message& message, const pb_field& field) {
  out += '{';
  const auto& how = *message.GetReflection();
  for (int i = 0; i < how.FieldSize(message, &field); ++i) {
    const auto& entry = how.GetRepeatedMessage(message, &field, i);
    const auto* entry_fields = entry.GetDescriptor();
    append_key(out, entry.GetReflection()->GetString(entry, entry_fields->map_key()));
    append_json_string(out, entry.GetReflection()->GetString(entry, entry_fields->map_value()));
  }
  out += '}';
}

void append_repeated(std::string& out, const pb::Message& message, const pb_field& field) {
  const auto& how = *message.GetReflection();
  out += '[';
  for (int i = 0; i < how.FieldSize(message, &field); ++i) {
    if (i != 0) out += ',';
    if (field.cpp_type() == pb_field::CPPTYPE_MESSAGE)
      append_message(out, how.GetRepeatedMessage(message, &field, i));
    else
      append_number(out, how.GetRepeatedUInt32(message, &field, i));
  }
  out += ']';
}

void append_value(std::string& out, const pb::Message& message, const pb_field& field) {
  const auto& how = *message.GetReflection();
  switch (field.cpp_type()) {
    case pb_field::CPPTYPE_MESSAGE:
      return append_message(out, how.GetMessage(message, &field));
    case pb_field::CPPTYPE_STRING:
      return append_json_string(out, how.GetString(message, &field));
    case pb_field::CPPTYPE_ENUM:
      return append_json_string(out, how.GetEnum(message, &field)->name());
    case pb_field::CPPTYPE_BOOL:
      out += how.GetBool(message, &field) ? "true" : "false";
      return;
    case pb_field::CPPTYPE_UINT32:
      return append_number(out, how.GetUInt32(message, &field));
    case pb_field::CPPTYPE_INT64:
      return append_number(out, how.GetInt64(message, &field));
    default:
      return append_number(out, how.GetUInt64(message, &field));
  }
}

/// Queues are numbered from 0, so a 0 says something there.
bool is_queue(const pb_field& field) {
  return field.name() == "queue" || field.name() == "from" || field.name() == "to";
}

void append_field(std::string& out, const pb::Message& message, const pb_field& field) {
  const auto& how = *message.GetReflection();
  auto present = field.is_repeated() ? how.FieldSize(message, &field) != 0 : how.HasField(message, &field);
  if (!present && !is_queue(field)) return;
  if (field.type() == pb_field::TYPE_BYTES) return append_bytes(out, field.name(), how.GetString(message, &field));
  append_key(out, field.name());
  if (field.is_map()) return append_headers(out, message, field);
  if (field.is_repeated()) return append_repeated(out, message, field);
  append_value(out, message, field);
}

void append_message(std::string& out, const pb::Message& message) {
  out += '{';
  const auto* fields = message.GetDescriptor();
  for (int i = 0; i < fields->field_count(); ++i) append_field(out, message, *fields->field(i));
  out += '}';
}

}  // namespace

std::string record_json(const record_place& place, std::string_view body) {
  std::string out = "{";
  append_key(out, "file");
  append_json_string(out, place.file);
  append_key(out, "offset");
  append_number(out, place.offset);
  journal::Record record;
  record.ParseFromArray(body.data(), static_cast<int>(body.size()));
  if (record.event_case() == journal::Record::EVENT_NOT_SET) {
    append_key(out, "unknown_base64");
    append_encoded(out, body);
  } else {
    const auto* event = record.GetReflection()->GetOneofFieldDescriptor(record, record.GetDescriptor()->oneof_decl(0));
    append_field(out, record, *event);
  }
  return out + '}';
}

}  // namespace mqlite::check
