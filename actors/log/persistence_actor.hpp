#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <semaphore>
#include <string>
#include <vector>

#include "actors/clock.hpp"
#include "actors/compat.hpp"
#include "actors/interfaces.hpp"
#include "actors/log/rewriter.hpp"
#include "config/settings.hpp"
#include "persistence/log_writer.hpp"

namespace mqlite {

/// Runs what blocks in a thread of its own.
using disk_worker = caf::typed_actor<caf::result<disk_job_done>(disk_job)>;

/// How threads that wait for the disk and threads that run actors stand in for each other: each saves switches of threads. What is
/// empty is not done.
struct thread_sharing {
  /// Calls `wake`, and then runs in the same thread the actors that this woke, and those that they wake, until `enough`.
  std::function<void(const std::function<void()>& wake, const std::function<bool()>& enough)> run_along;
  /// Runs `job`, which waits for the disk, in the thread of the actor that calls this, as soon as that has returned. False, and
  /// `job` is not run, where that thread may not wait.
  std::function<bool(std::function<void()> job)> run_behind;
  /// What has lately taken longer on average is not run behind an actor.
  std::chrono::nanoseconds longest_behind = std::chrono::milliseconds(1);
};

/// With `run_along`, the worker runs what waits for a job's end by itself while it has no other job.
disk_worker start_disk_worker(caf::actor_system& system, const thread_sharing& sharing = {});

/// When a log is rewritten by itself.
struct rewrite_rules {
  std::uint64_t min_size = 0;         ///< bytes; a smaller log is left alone
  std::uint32_t percentage = 0;       ///< growth since the last rewrite, of what that made; 0 = never
  std::uint64_t large = 64ULL << 20;  ///< bytes; a log as large as this is rewritten when about a quarter of it can go

  /// Whether a rewrite of a log of `all` bytes frees enough, when what is live takes about `live`.
  bool would_shrink(std::uint64_t all, std::uint64_t live) const noexcept {
    return all < large || all - std::min(all, live) >= all / 4;
  }
};

/// When the log is synced.
struct sync_rules {
  sync_rules(fsync_policy policy) : policy(policy) {}

  fsync_policy policy;
  std::chrono::nanoseconds interval = std::chrono::seconds(1);  ///< under `everysec`, between two fsyncs
  /// Bytes; under `everysec` so much is synced before its time. It is less for one fsync to do, and its memory is used again while
  /// it is warm (publishes at full speed: 1.12 times as many at 0.86 of the CPU time).
  std::uint64_t most_unsynced = 32ULL << 20;
  /// Under `always`, how long a group that is smaller than the last one waits for more, in times of what an fsync usually takes. Who
  /// has had an answer is about to ask again. Half is what PostgreSQL's manual advises for its commit_delay (64 connections that wait
  /// for each answer: 1.1 times as many publishes with half of the fsyncs; 1 connection with 128 outstanding: 1.4 times).
  double gathering = 0.5;
};

/// Appends to the log: whatever waits in the mailbox becomes one write, and under `always` whatever was written while an fsync ran
/// becomes the next fsync.
///
/// **Operation.** An append is queued. Where nothing waits behind it all that is queued is written; else a message that the actor
/// sends itself comes behind everything that does, and then it is. It is answered as far as `fsync` allows. Under `always` a group that
/// is smaller than the last one waits a little for more. The write goes to the page cache. The actor never waits for the disk: the
/// disk worker does, or the thread that runs the actor, behind it.
///
/// **Failure** (log_syncing.cpp). When a write or an fsync fails, everything that waits for it is refused, and so is what comes, until
/// a new file could be begun; that is tried again and again, with growing pauses. What is refused is not in the log. What was
/// answered before stays as it was. After a failed fsync (except under `always`) it is not known to be on the disk, so a rewrite
/// follows as soon as the log can be written again, in this process or the next.
///
/// **Rewriting and copying** (log_maintenance.cpp). Appends are switched to a new file first; then the earlier ones are replaced by
/// a base that the rewriter writes, or copied. One of the two at a time. The log stays as it is until the new manifest is in force,
/// and whatever goes wrong before that leaves it in force. Before a base is put in force, the records of everything that it may
/// contain are brought to the disk: it is never ahead of the file that goes on behind it.
class persistence_state {
 public:
  persistence_state(persistence_actor::pointer self, std::shared_ptr<log_writer> writer, sync_rules sync,
                    std::shared_ptr<const clock> time, rewrite_rules rules = {}, thread_sharing sharing = {});
  ~persistence_state();
  persistence_actor::behavior_type make_behavior();

  static inline const char* name = "mqlite.log";

 private:
  struct waiting {
    journal_client client;
    std::uint64_t ticket;
  };
  using waiting_list = std::vector<waiting>;

  void on_append(event::append& append);
  void on_flush();
  bool may_gather() const noexcept;
  bool more_is_to_come() const noexcept;
  /// Writes what waits; under `always` once as much has come as is likely to.
  void write_group();
  void gather();
  void end_gathering();
  void write_out();
  void written(waiting_list promised);
  static void report(const waiting_list& list, durability level, const std::optional<failure>& problem);
  void on_log(const command::log& command);
  void on_shut_down(command::shut_down& command);
  void close_when_idle();
  std::optional<failure> problem() const;
  void on_disk(std::function<void()> job, std::function<void()> then);

  // -- syncing and failing (log_syncing.cpp) ----------------------------------------------------------------------------------
  /// A file and how much of it is written, and how much of that is known to be on the disk.
  struct sync_target {
    std::shared_ptr<file> handle;
    std::uint64_t length = 0;
    std::uint64_t safe = 0;
  };
  void on_sync_due();
  void start_sync();
  bool may_wait_here() const noexcept;
  void synced(const std::vector<sync_target>& targets, std::size_t good, std::error_code error, std::int64_t took);
  void sync_failed(const std::shared_ptr<file>& failed_file, std::error_code error, waiting_list waited);
  void lose_unsynced(const std::shared_ptr<file>& failed_file, std::error_code error);
  void write_failed();
  void wait_for_recovery();
  void try_later();
  void on_retry();

  // -- rewriting and copying (log_maintenance.cpp) ----------------------------------------------------------------------------
  enum class maintenance { none, rewrite, backup };
  void on_rewrite(const command::rewrite& command);
  void on_backup(const command::backup& command);
  /// Why neither a rewrite nor a backup can begin now.
  std::optional<failure> busy() const;
  void rewrite_if_due();
  bool frees_enough(std::uint64_t all);
  void begin_rewrite();
  void take_snapshot();
  void base_ready(const outcome<done>& how);
  void commit_base();
  void drop_base(failure why);
  void end_rewrite(std::optional<failure> problem);
  /// The log has failed: a rewrite that is under way contains what nobody vouches for.
  void abandon_rewrite();
  void copy_into(const std::string& folder, const reply<backed_up>& answer);
  void end_backup(const reply<backed_up>& answer, outcome<backed_up> how);
  /// Lets appends go on in a new file, then goes on with why that could not be done, or with nothing.
  void switch_file(std::function<void(std::optional<failure>)> then);
  /// An fsync has ended: a switch that waits for it goes on, or hears why it cannot.
  void tell_settled();
  /// Changes which files are the log, in a thread that may wait.
  void apply(std::shared_ptr<log_change> change, std::function<void(std::optional<failure>)> then);
  void on_worker(std::function<void()> job, std::function<void()> then);
  void report_rewrite(log_status& status) const;

  persistence_actor::pointer self_;
  std::shared_ptr<log_writer> writer_;
  sync_rules sync_;
  std::shared_ptr<const clock> clock_;
  thread_sharing sharing_;
  disk_worker disk_;

  waiting_list new_written_;  ///< appends not yet written, by what they wait for
  waiting_list new_promised_;
  bool flush_scheduled_ = false;
  struct group {
    std::size_t size = 0;     ///< appends
    std::uint64_t bytes = 0;  ///< of their records
  };
  group last_group_;                               ///< of what was written last
  bool gathering_ = false;                         ///< the disk worker waits until a group is as large
  std::shared_ptr<std::binary_semaphore> enough_;  ///< released when it is; null when it was, or nobody waits
  waiting_list to_sync_;                           ///< written, and waiting for the next fsync
  waiting_list syncing_;                           ///< waiting for the one that runs
  bool sync_running_ = false;
  bool sync_scheduled_ = false;
  bool sync_again_ = false;
  std::int64_t sync_started_ = 0;
  int undisturbed_ = 0;                ///< fsyncs in a row, the last one included, during which nothing else came
  std::int64_t usual_sync_ = 0;        ///< nanoseconds that an fsync has taken lately, on average
  std::uint64_t safe_length_ = 0;      ///< bytes of the current file that an fsync has brought to the disk
  std::vector<sync_target> unsynced_;  ///< earlier files whose ends are not on the disk yet
  bool recovering_ = false;            ///< a new file is being begun, or will be
  bool poisoned_ = false;              ///< an fsync of the current file or an earlier one has failed
  std::uint64_t sync_failures_ = 0;    ///< so far
  std::chrono::nanoseconds pause_{0};
  bool closing_ = false;
  bool change_running_ = false;
  reply<done> closed_;  ///< answered when the log is closed
  log_status status_;

  rewrite_rules rules_;
  broker_actor broker_;  ///< the state that a rewrite writes down
  maintenance doing_ = maintenance::none;
  disk_worker worker_;                                   ///< for what blocks in it
  rewriter_actor rewriter_;                              ///< while it works
  std::function<void(std::optional<failure>)> settled_;  ///< a switch that waits until `unsynced_` is empty
  std::shared_ptr<rewrite_progress> progress_;
  std::shared_ptr<std::optional<finished_base>> base_;  ///< what it has made
  bool commit_due_ = false;                             ///< the next fsync is the one that the base waits for
  bool committing_sync_ = false;                        ///< it runs
  std::int64_t rewrite_started_ = 0;
  bool rewrite_owed_ = false;  ///< an fsync has failed: what was answered is safe again after a rewrite
  bool rewrite_pays_ = false;  ///< the one that runs makes up for that
  std::int64_t rewrite_not_before_ = 0;
  bool look_scheduled_ = false;       ///< it will be estimated anew what a rewrite would leave
  std::uint64_t writes_at_look_ = 0;  ///< writes of the log when it was estimated
  std::chrono::nanoseconds rewrite_pause_{0};
  std::shared_ptr<std::atomic<bool>> cancelled_ = std::make_shared<std::atomic<bool>>(false);  ///< of a backup
};

}  // namespace mqlite
