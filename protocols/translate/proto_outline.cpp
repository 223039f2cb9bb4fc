#include "protocols/translate/proto_outline.hpp"

#include <string>

#include "actors/operations.hpp"
#include "persistence/wire.hpp"

namespace mqlite {
namespace {

/// Smaller requests need no look.
constexpr std::size_t large_request = 64 * 1024;

}  // namespace

proto_outline outline_of(std::string_view message, outline_depth depth, std::size_t most) noexcept {
  proto_outline found;
  wire::field field, inner;
  for (wire::reader in(message); found.fields <= most && in.more(); ++found.fields) {
    if (!in.next(field)) {
      found.whole = false;
      break;
    }
    if (depth != outline_depth::envelope || field.type != wire::bytes) continue;
    for (wire::reader held(field.content); found.fields <= most && held.more() && held.next(inner);) ++found.fields;
  }
  return found;
}

std::optional<failure> fields_problem(std::string_view what, std::string_view request, outline_depth depth,
                                      std::size_t max_message_bytes) {
  if (request.size() <= large_request) return std::nullopt;
  // A batch has at most most_batch of them, and each header of a publish is one, too.
  const auto most = most_batch + max_message_bytes / 4;
  if (outline_of(request, depth, most).fields <= most) return std::nullopt;
  return failure{error_code::invalid_argument,
                 std::string(what) + " has more than " + std::to_string(most) + " fields"};
}

}  // namespace mqlite
