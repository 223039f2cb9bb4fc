#pragma once

#include <cstdint>
#include <string_view>

#include "persistence/stored_message_view.hpp"
#include "proto/journal.pb.h"

namespace mqlite {

/// What replays a log. What the calls are given is valid during the call only.
class record_visitor {
 public:
  virtual ~record_visitor() = default;

  /// Any event but Published.
  virtual void on_record(const journal::Record& record) = 0;

  /// One message of a Published event.
  virtual void on_published(std::uint64_t topic, const stored_message_view& message) = 0;
};

/// Decodes the bodies of records.
class record_decoder {
 public:
  /// How decode() went.
  enum class outcome {
    visited,
    unknown,    ///< an event that only newer versions know: skipped
    malformed,  ///< not a record at all
  };

  /// Decodes a record and hands it to the visitor.
  outcome decode(std::string_view body, record_visitor& visitor);

  /// Messages of Published events so far.
  std::uint64_t messages() const { return messages_; }

 private:
  bool visit_published(std::string_view published, record_visitor& visitor);

  journal::Record record_;  // kept, because clearing is cheaper than building anew
  std::uint64_t messages_ = 0;
};

}  // namespace mqlite
