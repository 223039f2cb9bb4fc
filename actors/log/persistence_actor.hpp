#pragma once

#include <memory>
#include <vector>

#include "actors/clock.hpp"
#include "actors/compat.hpp"
#include "actors/interfaces.hpp"
#include "config/settings.hpp"
#include "persistence/log_writer.hpp"

namespace mqlite {

/// Runs what blocks in a thread of its own.
using disk_worker = caf::typed_actor<caf::result<disk_job_done>(disk_job)>;

/// Appends to the log: whatever waits in the mailbox becomes one write, and under `always` whatever was written while an fsync ran
/// becomes the next fsync.
///
/// **Operation.** An append is queued, and a message that the actor sends itself comes behind everything that waits: then all of it
/// is written, and answered as far as `fsync` allows. The write goes to the page cache; only the disk worker waits for the disk.
///
/// **Failure.** When a write or an fsync fails, everything that waits is refused, and so is what comes, until a new file could be
/// begun; that is tried again and again, with growing pauses. What was answered before stays as it was.
class persistence_state {
 public:
  persistence_state(persistence_actor::pointer self, std::shared_ptr<log_writer> writer, fsync_policy policy,
                    std::shared_ptr<const clock> time);
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
  void start_sync();
  void synced(const std::shared_ptr<file>& synced_file, std::uint64_t length, std::error_code error, std::int64_t took);
  void on_sync_due();
  void on_retry();
  void on_log(const command::log& command);
  void on_shut_down(command::shut_down& command);
  void close_when_idle();

  void written(waiting_list promised);
  void refuse_all();
  void wait_for_recovery();
  void try_later();
  static void report(const waiting_list& list, durability level, const std::optional<failure>& problem);
  std::optional<failure> problem() const;
  template <class Then>
  void on_disk(std::function<void()> job, Then then);

  persistence_actor::pointer self_;
  std::shared_ptr<log_writer> writer_;
  fsync_policy policy_;
  std::shared_ptr<const clock> clock_;
  disk_worker disk_;

  waiting_list new_written_;  ///< appends not yet written, by what they wait for
  waiting_list new_promised_;
  bool flush_scheduled_ = false;
  waiting_list to_sync_;  ///< written, and waiting for the next fsync
  waiting_list syncing_;  ///< waiting for the one that runs
  bool sync_running_ = false;
  bool sync_scheduled_ = false;
  bool sync_again_ = false;
  std::int64_t sync_started_ = 0;
  std::uint64_t safe_length_ = 0;  ///< bytes of the current file that an fsync has brought to the disk
  bool recovering_ = false;        ///< a new file is being begun, or will be
  std::chrono::nanoseconds pause_{0};
  bool closing_ = false;
  bool change_running_ = false;
  reply<done> closed_;  ///< answered when the log is closed
  log_status status_;
};

}  // namespace mqlite
