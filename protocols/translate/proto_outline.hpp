#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "actors/errors.hpp"

namespace mqlite {

/// What to know of a request before Protobuf reads it.
struct proto_outline {
  std::size_t fields = 0;  ///< counted, as far as `most`
  bool whole = true;       ///< false when it ends within a field, or has none of Protobuf's
};

/// Whose fields are counted.
enum class outline_depth {
  message,  ///< the message's own
  envelope,  ///< also those of the messages in it; it has no bytes of other kinds to speak of, which would be taken for fields
};

/// Counts fields, and stops behind `most`.
proto_outline outline_of(std::string_view message, outline_depth depth, std::size_t most) noexcept;

/// Refuses a large request with very many fields: Protobuf takes about 100 bytes even for an empty one, so that 16 MiB of them would
/// become 1 GiB. `what` is the request's name for people, as in "the command".
std::optional<failure> fields_problem(std::string_view what, std::string_view request, outline_depth depth,
                                      std::size_t max_message_bytes);

}  // namespace mqlite
