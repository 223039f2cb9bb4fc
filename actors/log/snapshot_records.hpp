#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "actors/log/records.hpp"
#include "actors/operations.hpp"
#include "actors/queue/snapshot_entry.hpp"
#include "persistence/published_record.hpp"

namespace mqlite {

/// Makes records of what the snapshots of one topic's queues and dead letters give: replayed in an empty topic they give the same
/// messages, in the same places and order. Pure.
class snapshot_records {
 public:
  /// `write` takes a framed record, and says whether it could; after a failure nothing more is written.
  using function = std::function<bool(std::string framed)>;

  snapshot_records(std::uint64_t topic, function write) : topic_(topic), record_(topic), write_(std::move(write)) {}

  /// False when a record could not be written.
  bool add(queue_number queue, const snapshot_entry& entry);
  bool add(const peeked& letter);
  /// Writes what is left.
  bool flush();

 private:
  bool add(const message& m, stored_message_view view);

  std::uint64_t topic_;
  published_record record_;
  std::map<queue_number, records::id_list> fronts_;  ///< messages in record_ that wait at the front of their queues
  function write_;
  bool failed_ = false;
};

}  // namespace mqlite
