#pragma once

#include <string_view>

#include "proto/mqlite.pb.h"
#include "protocols/tcp/command.hpp"

namespace mqlite::tcp {

/// One thing that commands can ask for, and how it is read.
struct action {
  std::string_view name;
  v1::TCPCommand::DataCase field;  ///< of the Protobuf command
  bool empty_request;              ///< whether that may be absent
  outcome<any_request> (*from_json)(std::string_view data, const publish_terms& terms);
  outcome<any_request> (*from_proto)(const v1::TCPCommand& in, const publish_terms& terms);
};

inline constexpr std::string_view publish_action = "publish";

/// Null when there is no such action. `publish` is none of them: it has a way of its own.
const action* find_action(std::string_view name) noexcept;

}  // namespace mqlite::tcp
