#include "persistence/record_visitor.hpp"

#include "persistence/published_reader.hpp"

namespace mqlite {

record_decoder::outcome record_decoder::decode(std::string_view body, record_visitor& visitor) {
  if (auto published = published_body(body)) {
    return visit_published(*published, visitor) ? outcome::visited : outcome::malformed;
  }
  if (!record_.ParseFromArray(body.data(), static_cast<int>(body.size()))) return outcome::malformed;
  if (record_.event_case() == journal::Record::EVENT_NOT_SET) return outcome::unknown;
  if (!record_.has_published()) {
    visitor.on_record(record_);
    return outcome::visited;
  }
  // A Published with something unknown beside it.
  auto bytes = record_.published().SerializeAsString();
  return visit_published(bytes, visitor) ? outcome::visited : outcome::malformed;
}

bool record_decoder::visit_published(std::string_view published, record_visitor& visitor) {
  return read_published(published, [&](std::uint64_t topic, const stored_message_view& message) {
    ++messages_;
    visitor.on_published(topic, message);
  });
}

}  // namespace mqlite
