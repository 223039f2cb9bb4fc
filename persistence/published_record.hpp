#pragma once

#include <cstdint>
#include <string>

#include "persistence/stored_message_view.hpp"

namespace mqlite {

/// Builds one framed journal.Record with a Published event, byte for byte what the generated code serializes.
///
/// Publishing is the hot path: this writes Protobuf's wire format directly, without generated classes, each payload copied once.
class published_record {
 public:
  /// `expected_size`: bytes to reserve, where the caller knows about how long the record will be.
  explicit published_record(std::uint64_t topic, std::size_t expected_size = 0);

  /// Adds a message; its bytes are copied.
  void add(const stored_message_view& message);

  /// True when no message was added.
  bool empty() const { return bytes_.size() == first_message_; }

  /// Bytes of the record so far, within a few bytes: what finish() returns is no longer than this.
  std::size_t size() const { return bytes_.size(); }

  /// The framed record, as frame() returns it. Throws std::length_error when it is longer than format::max_record_length.
  std::string finish() &&;

 private:
  std::string bytes_;
  std::size_t first_message_;
};

}  // namespace mqlite
