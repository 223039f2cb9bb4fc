#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "actors/compat.hpp"
#include "actors/interfaces.hpp"
#include "actors/log/snapshot_records.hpp"

namespace mqlite {

/// Where a rewriter's records go. The calls may block.
class record_sink {
 public:
  virtual ~record_sink() = default;
  /// One framed record. After a failure nothing more comes.
  virtual std::optional<failure> append(std::string framed) = 0;
  /// All of them were appended: they are to be brought to the disk.
  virtual std::optional<failure> finish() = 0;
};

/// How far a rewriter has come; it writes, anybody may read.
struct rewrite_progress {
  std::atomic<std::uint64_t> messages{0};
  std::atomic<std::uint64_t> bytes{0};
};

/// Writes down what the actor tree holds, as records that give the same tree when they are replayed: asks for namespaces, topics and
/// queues one after another, and for the messages of each in slices, the next one when the last one is written. So the queues go on
/// between slices, only a slice is in memory at a time, and nobody but the rewriter waits for the disk.
///
/// What it writes is not the state of one moment. Each part is as it was when it was asked, which is after the log's appends were
/// switched to a new file: with the records of that file replayed over it, everything is as it is.
class rewriter_state {
 public:
  /// `answer` is told how it went, at the latest when the rewriter ends.
  rewriter_state(rewriter_actor::pointer self, broker_actor broker, std::shared_ptr<record_sink> sink,
                 std::shared_ptr<rewrite_progress> progress, reply<done> answer);
  ~rewriter_state();
  rewriter_actor::behavior_type make_behavior();

  static inline const char* name = "mqlite.rewriter";

 private:
  void start();
  void next_namespace();
  void next_topic();
  void next_queue();
  void ask_slice();
  void ask_dead();
  void end_topic();
  void leave_topic();
  void finish();
  void end(outcome<done> how);

  void write(const queue_slice& slice);
  void write(const dead_slice& slice);
  bool append(std::string framed);
  bool ended() const noexcept { return !answer_; }

  std::optional<reply<done>> answer_;  ///< destroyed last: by then the sink is gone
  rewriter_actor::pointer self_;
  broker_actor broker_;
  std::shared_ptr<record_sink> sink_;
  std::shared_ptr<rewrite_progress> progress_;
  std::deque<namespace_actor> namespaces_;  ///< those that are left
  std::deque<topic_actor> topics_;
  topic_actor topic_;  ///< the one that is being asked
  std::deque<queue_actor> queues_;
  std::optional<snapshot_records> records_;  ///< of its messages
};

}  // namespace mqlite
