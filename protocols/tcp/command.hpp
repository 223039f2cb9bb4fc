#pragma once

#include <google/protobuf/arena.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "protocols/tcp/frame.hpp"
#include "protocols/translate/operation_requests.hpp"

namespace mqlite::tcp {

/// What binds an answer to its command.
struct answer_address {
  encoding as = encoding::json;
  std::uint64_t request_id = 0;  ///< of Protobuf; 0 = none
  std::string id;                ///< of JSON, as it was spelled; empty = none
};

/// A publish as it lies in the frame: names are checked, and parts of the frame or of the reader's memory.
struct publishing {
  std::string_view name_space;
  std::string_view topic;
  draft message;
};

using any_request =
    std::variant<request::create_namespace, request::delete_namespace, request::list_namespaces, request::create_topic,
                 request::delete_topic, request::list_topics, request::get_topic, request::update_topic,
                 request::resize_topic, request::rebalance_topic, request::publish_batch, request::consume,
                 request::subscribe, request::unsubscribe, request::settle, request::peek, request::purge,
                 request::list_dead, request::redrive_dead, request::purge_dead, request::stats, request::ping,
                 request::auth>;

/// What a frame asks for, or why it is refused.
using command_content = std::variant<failure, publishing, any_request>;

struct command {
  answer_address to;
  command_content content;
};

/// Reads the payloads of frames. It keeps memory between them: one for each thread is enough.
class command_reader {
 public:
  command_reader();
  ~command_reader();
  command_reader(const command_reader&) = delete;
  command_reader& operator=(const command_reader&) = delete;

  /// The result refers to `payload` and to the reader; it is valid until the next call.
  command read(encoding as, std::string_view payload, const publish_terms& terms);

  /// Gives memory back that unusual frames took; between two bursts.
  void end_burst();

 private:
  command read_json_command(std::string_view payload, const publish_terms& terms);
  command read_proto_command(std::string_view payload, const publish_terms& terms);

  google::protobuf::Arena arena_;
  request::publish publish_;  // the names of the last JSON publish
};

/// Whether a payload is a complete document: a JSON object or a TCPCommand.
bool is_document(encoding as, std::string_view payload);

}  // namespace mqlite::tcp
