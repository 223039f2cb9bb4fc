#include "protocols/translate/proto_lists.hpp"

#include <string>

#include "actors/operations.hpp"
#include "persistence/wire.hpp"

namespace mqlite {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

/// Smaller requests need no look.
constexpr std::size_t large_request = 64 * 1024;
/// So many that a batch with some too many is refused in the words of its operation.
constexpr std::size_t most_entries = 2 * most_batch;
/// A command with a batch of publishes with headers has four levels.
constexpr int most_levels = 8;

/// Walks through a message and what is in it, as its type says.
class list_counter {
 public:
  /// False where it is malformed, or has too many entries.
  bool walk(std::string_view message, const Descriptor& type, int level = 1) {
    if (level > most_levels) return false;
    wire::field field;
    for (wire::reader in(message); in.more();) {
      if (!in.next(field)) return false;
      const auto* known = type.FindFieldByNumber(static_cast<int>(field.number));
      if (known != nullptr && field.type != wire_type_of(*known)) known = nullptr;
      const bool is_entry = known == nullptr || (known->is_repeated() && !known->is_map());
      if (is_entry && ++entries_ > most_entries) return false;
      const auto* inner = known != nullptr ? known->message_type() : nullptr;
      if (inner != nullptr && !walk(field.content, *inner, level + 1)) return false;
    }
    return true;
  }
  bool too_many() const noexcept { return entries_ > most_entries; }

 private:
  /// The API's numbers are all varints.
  static std::uint32_t wire_type_of(const FieldDescriptor& field) {
    return field.type() == FieldDescriptor::TYPE_MESSAGE || field.cpp_type() == FieldDescriptor::CPPTYPE_STRING
               ? wire::bytes
               : wire::varint;
  }

  std::size_t entries_ = 0;
};

}  // namespace

std::optional<failure> lists_problem(std::string_view what, std::string_view request, const Descriptor& type) {
  if (request.size() <= large_request) return std::nullopt;
  list_counter counter;
  if (counter.walk(request, type)) return std::nullopt;
  const auto why = counter.too_many() ? " has lists of more than " + std::to_string(most_entries) + " entries together"
                                      : " is no valid " + type.name();
  return failure{error_code::invalid_argument, std::string(what) + why};
}

}  // namespace mqlite
