#pragma once

#include <google/protobuf/descriptor.h>

#include <optional>
#include <string_view>

#include "actors/errors.hpp"

namespace mqlite {

/// Refuses a large request whose lists, all together, have many more entries than a batch may have, or that is malformed, before
/// Protobuf reads it: that takes about 100 bytes even for an empty entry, so that 16 MiB of them would become 1 GiB. Fields that
/// nobody knows are kept, too, and count as entries. `what` is the request for people, as in "the command".
std::optional<failure> lists_problem(std::string_view what, std::string_view request,
                                     const google::protobuf::Descriptor& type);

}  // namespace mqlite
