#pragma once

#include <string>
#include <string_view>

#include "tools/check/record_feed.hpp"

namespace mqlite::check {

/// A record as one line of JSON without its end: `file`, `offset`, and the event under its name in the journal. Ids are text; a
/// payload that is JSON stands there as `payload`, any other as `payload_base64`.
std::string record_json(const record_place& place, std::string_view body);

}  // namespace mqlite::check
