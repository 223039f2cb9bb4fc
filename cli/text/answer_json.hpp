#pragma once

#include <string>

#include "proto/mqlite.pb.h"

namespace mqlite::cli {

/// Appends an answer as JSON in the shape that HTTP gives to `data`: an answer that is one list as an array, anything else as an
/// object. `success`, which is always true, is left out, and so is an empty `message`.
void append_json(std::string& out, const google::protobuf::Message& answer);

/// A message as HTTP writes it: a payload that is JSON as `payload`, byte for byte, any other as `payload_base64`; headers sorted by
/// name.
void append_json(std::string& out, const v1::Message& message);

/// What became of one message of a batch: `{message_id, queue_id}` or `{code, message}`.
void append_json(std::string& out, const v1::PublishResult& result);

/// A message with `reason` and `dead_at`.
void append_json(std::string& out, const v1::DeadMessage& dead);

}  // namespace mqlite::cli
