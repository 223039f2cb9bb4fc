#include "protocols/tcp/answer.hpp"

#include <algorithm>

#include "persistence/wire.hpp"
#include "protocols/tcp/plain_messages.hpp"
#include "protocols/translate/error_names.hpp"
#include "protocols/translate/json_text.hpp"
#include "protocols/translate/proto_answers.hpp"

namespace mqlite::tcp {
namespace {

void append_id_member(std::string& out, const answer_address& to) {
  if (to.id.empty()) return;
  out += ",\"id\":";
  out += to.id;
}

/// A TCPResponse with a PublishResponse, written by hand: this is the answer that there are most of.
void append_published_response(std::string& out, std::uint64_t request_id, const published& where) {
  static_assert(v1::TCPResponse::kStatusFieldNumber == 1 && v1::TCPResponse::kRequestIdFieldNumber == 3 &&
                v1::TCPResponse::kPublishFieldNumber == 16 && v1::PublishResponse::kMessageIdFieldNumber == 1 &&
                v1::PublishResponse::kQueueIdFieldNumber == 2);
  const auto queue = static_cast<std::uint32_t>(where.queue);
  const auto size = 2 + message_id::text_size + (queue == 0 ? 0 : 1 + wire::varint_size(queue));
  char* p = wire::extend(out, ok_status.size() + (request_id == 0 ? 0 : 1 + wire::varint_size(request_id)) + 3 + size);
  p = std::copy(ok_status.begin(), ok_status.end(), p);
  if (request_id != 0) {
    *p++ = wire::tag(3, wire::varint);
    p = wire::put_varint(p, request_id);
  }
  p = wire::put_varint(p, 16 << 3 | wire::bytes);
  *p++ = static_cast<char>(size);
  *p++ = wire::tag(1, wire::bytes);
  *p++ = message_id::text_size;
  where.id.write_text(p);
  p += message_id::text_size;
  if (queue == 0) return;
  *p++ = wire::tag(2, wire::varint);
  wire::put_varint(p, queue);
}

void set_failure(v1::TCPResponse& response, const failure& why) {
  response.set_status("error");
  response.set_error(why.text);
  const auto code = names_of(why.code).name;
  response.set_code(code.data(), code.size());
}

}  // namespace

void open_json_answer(std::string& out, const answer_address& to) {
  out += R"({"status":"ok")";
  append_id_member(out, to);
}

void write_ok(std::string& out, const answer_address& to, length_count count) {
  frame_writer frame(out, to.as);
  if (to.as == encoding::json) {
    open_json_answer(out, to);
    out += '}';
  } else {
    v1::TCPResponse response;
    response.set_status("ok");
    response.set_request_id(to.request_id);
    response.AppendToString(&out);
  }
  frame.finish(count);
}

void write_failure(std::string& out, const answer_address& to, length_count count, const failure& why) {
  frame_writer frame(out, to.as);
  if (to.as == encoding::json) {
    out += R"({"status":"error")";
    append_id_member(out, to);
    out += ",\"code\":\"";
    out += names_of(why.code).name;
    out += "\",\"error\":";
    append_json_string(out, why.text);
    out += '}';
  } else {
    v1::TCPResponse response;
    response.set_request_id(to.request_id);
    set_failure(response, why);
    response.AppendToString(&out);
  }
  frame.finish(count);
}

void write_published(std::string& out, const answer_address& to, length_count count, const outcome<published>& how) {
  if (!how) return write_failure(out, to, count, how.why());
  frame_writer frame(out, to.as);
  if (to.as == encoding::json) {
    open_json_answer(out, to);
    out += ",\"data\":";
    append_published(out, *how);
    out += '}';
  } else {
    append_published_response(out, to.request_id, *how);
  }
  frame.finish(count);
}

void write_consumed(std::string& out, const answer_address& to, length_count count, const message_origin& from,
                    const std::vector<delivery>& messages) {
  frame_writer frame(out, to.as);
  if (to.as == encoding::json) {
    open_json_answer(out, to);
    out += ",\"data\":";
    append_messages(out, from, messages);
    out += '}';
  } else {
    append_consumed_response(out, to.request_id, from, messages);
  }
  frame.finish(count);
}

void write_pushed(std::string& out, encoding as, length_count count, const message_origin& from,
                  const std::vector<delivery>& messages) {
  for (const auto& message : messages) {
    frame_writer frame(out, as);
    if (as == encoding::json) {
      out += R"({"status":"ok","event":"message","data":)";
      append_message(out, from, message);
      out += '}';
    } else {
      append_pushed_response(out, from, message);
    }
    frame.finish(count);
  }
}

void write_closed(std::string& out, encoding as, length_count count, const request::queue_address& from,
                  const failure& why) {
  frame_writer frame(out, as);
  if (as == encoding::json) {
    out += R"({"status":"error","event":"closed","code":")";
    out += names_of(why.code).name;
    out += "\",\"error\":";
    append_json_string(out, why.text);
    out += ",\"data\":{\"namespace\":\"" + from.name_space + "\",\"topic\":\"" + from.topic + "\",\"queue_id\":";
    append_number(out, from.queue);
    out += "}}";
  } else {
    v1::TCPResponse response;
    set_failure(response, why);
    auto& message = *response.mutable_subscribe_message();
    message.set_namespace_(from.name_space);
    message.set_topic(from.topic);
    message.set_queue_id(from.queue);
    response.AppendToString(&out);
  }
  frame.finish(count);
}

}  // namespace mqlite::tcp
