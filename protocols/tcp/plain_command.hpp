#pragma once

#include <string_view>

#include "protocols/translate/plain_publish.hpp"
#include "protocols/translate/publish_requests.hpp"

namespace mqlite::tcp {

/// A TCPCommand that is a plain publish with valid names; its texts are parts of the frame.
struct plain_command {
  std::uint64_t request_id = 0;
  plain_publish publish;
};

/// Reads such a command that has nothing wrong, without the library and without copies. False for every other payload, which the
/// library then reads (and refuses, where it is malformed). `to` is new.
bool read_plain_command(std::string_view payload, const publish_terms& terms, plain_command& to);

}  // namespace mqlite::tcp
