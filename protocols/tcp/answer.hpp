#pragma once

#include <string>
#include <string_view>

#include "actors/operations.hpp"
#include "proto/mqlite.pb.h"
#include "protocols/tcp/command.hpp"
#include "protocols/translate/answers.hpp"

/// Frames for peers, appended to `out`. `count` is what the peer's lengths count.
namespace mqlite::tcp {

void write_ok(std::string& out, const answer_address& to, length_count count);
void write_failure(std::string& out, const answer_address& to, length_count count, const failure& why);
void write_published(std::string& out, const answer_address& to, length_count count, const outcome<published>& how);

void write_consumed(std::string& out, const answer_address& to, length_count count, const message_origin& from,
                    const std::vector<delivery>& messages);
/// Messages of a subscription, a frame each.
void write_pushed(std::string& out, encoding as, length_count count, const message_origin& from,
                  const std::vector<delivery>& messages);
/// The end of a subscription that the peer did not ask for.
void write_closed(std::string& out, encoding as, length_count count, const request::queue_address& from,
                  const failure& why);

/// Opens and closes an answer in JSON, so that `data` can be written between.
void open_json_answer(std::string& out, const answer_address& to);

/// An answer with data: one of the functions writes it, `json(std::string&)` or `proto(v1::TCPResponse&)`.
template <class Json, class Proto>
void write_answer(std::string& out, const answer_address& to, length_count count, Json json, Proto proto) {
  frame_writer frame(out, to.as);
  if (to.as == encoding::json) {
    open_json_answer(out, to);
    out += ",\"data\":";
    json(out);
    out += '}';
  } else {
    google::protobuf::Arena arena;
    auto& response = *google::protobuf::Arena::CreateMessage<v1::TCPResponse>(&arena);
    response.set_status("ok");
    response.set_request_id(to.request_id);
    proto(response);
    response.AppendToString(&out);
  }
  frame.finish(count);
}

}  // namespace mqlite::tcp
