#include <spdlog/spdlog.h>

#include <algorithm>
#include <iterator>

#include "actors/log/persistence_actor.hpp"

// How the log is synced, and what follows when a write or an fsync fails.
namespace mqlite {
namespace {

using namespace std::chrono_literals;

// After so many fsyncs in a row during which nothing came there is only one who publishes and waits.
constexpr int calm = 8;
constexpr std::chrono::nanoseconds first_pause = 100ms;
constexpr std::chrono::nanoseconds longest_pause = 5s;

}  // namespace

// -- syncing ------------------------------------------------------------------------------------------------------------------

void persistence_state::on_sync_due() {
  sync_scheduled_ = false;
  start_sync();
}

void persistence_state::start_sync() {
  if (sync_running_) {
    sync_again_ = true;
    return;
  }
  if (poisoned_ || closing_) return;  // closing syncs by itself
  sync_running_ = true;
  sync_again_ = false;
  sync_started_ = clock_->now();
  syncing_ = std::exchange(to_sync_, {});
  committing_sync_ = std::exchange(commit_due_, false);
  struct outcome_of_sync {
    std::error_code error;
    std::size_t good = 0;
    std::int64_t took = 0;
  };
  auto how = std::make_shared<outcome_of_sync>();
  auto targets = unsynced_;
  targets.push_back({writer_->current(), writer_->length(), safe_length_});
  const auto sync = [how, targets] {
    const auto start = std::chrono::steady_clock::now();
    for (; how->good < targets.size() && !how->error; ++how->good) how->error = targets[how->good].handle->sync();
    how->took = std::chrono::nanoseconds(std::chrono::steady_clock::now() - start).count();
    // Only a start or a backup reads the log: its memory is better used for what is written next (publishes at full speed: 1.15
    // to 1.2 times as many on a machine whose fresh memory is slow to come by).
    if (!how->error)
      for (const auto& t : targets) t.handle->release_cache(t.length);
  };
  const auto then = [this, how, targets] {
    synced(targets, how->error ? how->good - 1 : how->good, how->error, how->took);
  };
  if (may_wait_here() && sharing_.run_behind([sync, then, me = caf::actor_cast<persistence_actor>(self_)]() noexcept {
        sync();
        tell(me, event::go_on{then});
      }))
    return;
  on_disk(sync, then);
}

// For one who publishes and waits, the two switches to the disk worker and back take about as long as the fsync of a fast disk: the
// thread that has its request waits itself (1.5 times as many answers a second). Not where others have requests meanwhile, nor where
// the disk is slow: they are kept waiting.
bool persistence_state::may_wait_here() const noexcept {
  return sync_.policy == fsync_policy::always && sharing_.run_behind && undisturbed_ >= calm &&
         usual_sync_ < sharing_.longest_behind.count();
}

// Files were synced in their order: the first `good` of them are on the disk, and the next one is not if there is an error.
void persistence_state::synced(const std::vector<sync_target>& targets, std::size_t good, std::error_code error,
                               std::int64_t took) {
  sync_running_ = false;
  const bool commits = std::exchange(committing_sync_, false);
  ++status_.fsyncs;
  status_.fsync_seconds.add(took);
  usual_sync_ += (took - usual_sync_) / 8;
  undisturbed_ = new_promised_.empty() && to_sync_.empty() ? std::min(undisturbed_ + 1, calm) : 0;
  auto waited = std::exchange(syncing_, {});
  if (closing_) {
    report(waited, durability::promised, error ? problem() : std::nullopt);
    return settled_ ? tell_settled() : close_when_idle();
  }
  for (std::size_t i = 0; i < good; ++i) {
    writer_->synced(targets[i].handle, targets[i].length);
    if (targets[i].handle == writer_->current()) safe_length_ = targets[i].length;
    for (auto& left : unsynced_)
      if (left.handle == targets[i].handle) left.safe = targets[i].length;
  }
  std::erase_if(unsynced_, [](const auto& left) { return left.safe == left.length; });
  if (error) {
    sync_failed(targets[good].handle, error, std::move(waited));
    return tell_settled();
  }
  report(waited, durability::promised, std::nullopt);
  if (commits) commit_base();
  write_group();  // what has come meanwhile
  if (sync_again_ || !to_sync_.empty()) start_sync();
  tell_settled();
}

// What is refused must not be in the log: an answer to a later one would build on it.
void persistence_state::sync_failed(const std::shared_ptr<file>& failed_file, std::error_code error,
                                    waiting_list waited) {
  poisoned_ = true;
  ++sync_failures_;
  std::move(to_sync_.begin(), to_sync_.end(), std::back_inserter(waited));
  to_sync_.clear();
  lose_unsynced(failed_file, error);
  // Elsewhere than under `always` they only waited so as not to be too many: they are as safe as those that were answered at once.
  report(waited, durability::promised, sync_.policy == fsync_policy::always ? problem() : std::nullopt);
  rewrite_owed_ = true;  // under `always` for leases and moves: in force, but their records went with the others
  write_failed();
}

// Under `always` nobody behind the last good fsync has had an answer: what they asked for goes, in whatever file it stands.
void persistence_state::lose_unsynced(const std::shared_ptr<file>& failed_file, std::error_code error) {
  if (sync_.policy != fsync_policy::always) return writer_->sync_failed(failed_file, error);
  for (const auto& left : unsynced_) writer_->sync_failed(left.handle, error, left.safe);
  writer_->sync_failed(writer_->current(), error, safe_length_);
}

// -- failing ------------------------------------------------------------------------------------------------------------------

// What waits to be written is refused. What was written before, and waits for the disk, is no worse off than it was.
void persistence_state::write_failed() {
  writer_->flush();  // it has failed: this throws away what is queued, so that nothing refused is written later
  const auto why = problem();
  report(std::exchange(new_written_, {}), durability::written, why);
  report(std::exchange(new_promised_, {}), durability::promised, why);
  abandon_rewrite();
  wait_for_recovery();
  if (!to_sync_.empty()) start_sync();
}

void persistence_state::wait_for_recovery() {
  if (closing_ || std::exchange(recovering_, true)) return;
  spdlog::error("{}: publishes and acknowledgements are refused until it can be", problem()->text);
  try_later();
}

void persistence_state::try_later() {
  pause_ = std::clamp(pause_ * 2, first_pause, longest_pause);
  tell_after(self_, pause_, caf::actor_cast<persistence_actor>(self_), event::retry{});
}

void persistence_state::on_retry() {
  if (closing_) return;
  if (sync_running_ || !to_sync_.empty()) {  // how that ends decides where the old file ends
    start_sync();
    return try_later();
  }
  if (change_running_) return try_later();
  auto change = std::make_shared<log_change>(writer_->plan_new_file());
  change_running_ = true;
  on_disk(
      [change] { change->run(); },
      [this, change] {
        change_running_ = false;
        writer_->adopt(std::move(*change));
        if (closing_) return close_when_idle();
        if (writer_->failed()) return try_later();
        safe_length_ = writer_->length();
        unsynced_
            .clear();  // the change has brought them to the disk, or has written down that their ends are not vouched for
        recovering_ = poisoned_ = false;
        if (sync_.policy != fsync_policy::always && writer_->has_unvouched()) rewrite_owed_ = true;
        pause_ = {};
        spdlog::info("the log is written again, into {}", writer_->current_name());
        rewrite_if_due();
      });
}

}  // namespace mqlite
