#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "proto/mqlite.pb.h"
#include "protocols/translate/answers.hpp"

/// What clients are told in Protobuf, the same over gRPC and TCP. Each function fills an empty response.
namespace mqlite {

/// Of operations that answer `success` and a `message` for people, or `success` alone.
template <class Response>
void fill_success(Response& out, std::string message) {
  out.set_success(true);
  out.set_message(std::move(message));
}

void fill(v1::ListNamespacesResponse& out, const std::vector<std::string>& names);
void fill(v1::ListTopicsResponse& out, const std::vector<topic_info>& topics);
void fill(v1::GetTopicResponse& out, const topic_details& details);
void fill(v1::ResizeTopicResponse& out, const resized& result);

void fill(v1::PublishResponse& out, const published& where);
/// One message of a batch or of a stream, refused or not.
void fill(v1::PublishResult& out, const outcome<published>& how);
void fill(v1::PublishBatchResponse& out, const std::vector<outcome<published>>& outcomes);

void fill(v1::Message& out, const message_origin& from, const delivery& message);
void fill(v1::ConsumeResponse& out, const message_origin& from, const std::vector<delivery>& messages);
void fill(v1::PeekResponse& out, const message_origin& from, const std::vector<peeked>& messages);
void fill(v1::ListDeadResponse& out, const message_origin& from, const std::vector<peeked>& messages);

/// `named` is what the client sent: positions in the result lead back to it.
void fill(v1::AckResponse& out, const settled& result, const named_messages& named);
void fill(v1::NackResponse& out, const settled& result, const named_messages& named);
void fill(v1::ExtendResponse& out, const settled& result, const named_messages& named);

void fill(v1::BackupResponse& out, const backed_up& result);
void fill(v1::PurgeResponse& out, std::uint64_t purged);
void fill(v1::PurgeDeadResponse& out, std::uint64_t purged);
void fill(v1::RedriveDeadResponse& out, std::uint64_t redriven);

}  // namespace mqlite
