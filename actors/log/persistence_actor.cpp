#include "actors/log/persistence_actor.hpp"

#include <spdlog/spdlog.h>
#include <algorithm>
#include <cmath>
#include <unordered_map>

namespace mqlite {
namespace {

using namespace std::chrono_literals;

// An fsync of `everysec` that takes longer than this holds answers back, so that no more than about a second is ever at risk.
constexpr auto sync_patience = 1s;
// An fsync that takes longer than this is reported as a log that is not healthy.
constexpr auto hanging = 10s;

const char* name_of(fsync_policy policy) {
  switch (policy) {
    case fsync_policy::always:
      return "always";
    case fsync_policy::everysec:
      return "everysec";
    case fsync_policy::no:
      break;
  }
  return "no";
}

// The disk worker: runs one job after another.
class disk_state {
 public:
  disk_state(disk_worker::pointer self, const thread_sharing& sharing) : self_(self), run_along_(sharing.run_along) {}

  disk_worker::behavior_type make_behavior() {
    return {[this](const disk_job& job) -> caf::result<disk_job_done> {
      job.run();
      if (!run_along_) return disk_job_done{};
      auto promise = self_->make_response_promise<disk_job_done>();
      run_along_([&] { promise.deliver(disk_job_done{}); }, [this] { return !self_->mailbox().empty(); });
      return promise;
    }};
  }
  static inline const char* name = "mqlite.disk";

 private:
  disk_worker::pointer self_;
  decltype(thread_sharing::run_along) run_along_;
};

}  // namespace

disk_worker start_disk_worker(caf::actor_system& system, const thread_sharing& sharing) {
  return spawn_detached<disk_worker, disk_state>(system, sharing);
}

persistence_state::persistence_state(persistence_actor::pointer self, std::shared_ptr<log_writer> writer,
                                     sync_rules sync, std::shared_ptr<const clock> time, rewrite_rules rules,
                                     thread_sharing sharing)
    : self_(self),
      writer_(std::move(writer)),
      sync_(sync),
      clock_(std::move(time)),
      sharing_(std::move(sharing)),
      disk_(start_disk_worker(self->home_system(), sharing_)),
      rules_(rules) {
  end_process_on_exception(self);
  safe_length_ = writer_->length();  // opening has synced it
  rewrite_owed_ = sync_.policy != fsync_policy::always && writer_->has_unvouched();
  status_.enabled = true;
  status_.fsync = name_of(sync.policy);
  status_.folder = writer_->folder().string();
}

persistence_state::~persistence_state() {
  *cancelled_ = true;
  if (disk_) stop(disk_);
  if (worker_) stop(worker_);
  if (rewriter_) stop(rewriter_);
}

persistence_actor::behavior_type persistence_state::make_behavior() {
  return {
      [this](event::append& append) { on_append(append); },
      [this](event::flush) { on_flush(); },
      [this](event::sync_due) { on_sync_due(); },
      [this](event::retry) { on_retry(); },
      [this](const event::tree_started& event) {
        broker_ = event.broker;
        rewrite_if_due();
      },
      [](const event::go_on& event) { event.then(); },
      [this](event::rewrite_due) {
        look_scheduled_ = false;
        rewrite_if_due();
      },
      [this](const command::log& command) { on_log(command); },
      [this](const command::rewrite& command) { on_rewrite(command); },
      [this](const command::backup& command) { on_backup(command); },
      [this](command::shut_down& command) { on_shut_down(command); },
  };
}

// However long the disk takes: on_log() tells when it is too long.
void persistence_state::on_disk(std::function<void()> job, std::function<void()> then) {
  ask(self_, disk_, disk_job{std::move(job)})
      .then([then = std::move(then)](disk_job_done) { then(); }, [](const caf::error&) {});
}

// -- appending ----------------------------------------------------------------------------------------------------------------

std::optional<failure> persistence_state::problem() const {
  if (closing_) return failure{error_code::unavailable, "the broker is shutting down"};
  if (const auto& failed = writer_->failed())
    return failure{error_code::unavailable, "the log cannot be written: " + failed->text()};
  return std::nullopt;
}

void persistence_state::on_append(event::append& append) {
  if (auto why = problem()) return report({{append.client, append.ticket}}, append.level, why);
  if (!append.records.empty()) {
    writer_->append(std::move(append.records));
    ++status_.records;
  }
  (append.level == durability::written ? new_written_ : new_promised_)
      .push_back({std::move(append.client), append.ticket});
  if (writer_->queued_bytes() >= last_group_.bytes) end_gathering();
  if (may_gather() || flush_scheduled_) return;
  if (self_->mailbox().empty()) return write_group();
  flush_scheduled_ = true;
  tell(caf::actor_cast<persistence_actor>(self_), event::flush{});
}

// Under `always`, what comes while an fsync runs could not be answered before the next one: one write takes all of it when this one
// has ended, unless somebody waits for just the write.
bool persistence_state::may_gather() const noexcept {
  return sync_.policy == fsync_policy::always && (sync_running_ || gathering_) && new_written_.empty();
}

void persistence_state::on_flush() {
  flush_scheduled_ = false;
  if (!may_gather()) write_group();
}

void persistence_state::write_group() {
  if (more_is_to_come())
    gather();
  else
    write_out();
}

// Nobody waits where one comes at a time.
bool persistence_state::more_is_to_come() const noexcept {
  return sync_.policy == fsync_policy::always && new_written_.empty() && !new_promised_.empty() &&
         last_group_.size > 1 && writer_->queued_bytes() < last_group_.bytes;
}

void persistence_state::gather() {
  gathering_ = true;
  enough_ = std::make_shared<std::binary_semaphore>(0);
  const auto longest = std::chrono::nanoseconds(std::llround(static_cast<double>(usual_sync_) * sync_.gathering));
  on_disk([enough = enough_, longest] { static_cast<void>(enough->try_acquire_for(longest)); },
          [this] {
            gathering_ = false;
            enough_ = nullptr;
            if (!may_gather()) write_out();
          });
}

void persistence_state::end_gathering() {
  if (const auto enough = std::exchange(enough_, nullptr)) enough->release();
}

void persistence_state::write_out() {
  end_gathering();
  if (new_written_.empty() && new_promised_.empty()) return;
  last_group_ = {new_promised_.size(), writer_->queued_bytes()};
  ++status_.writes;
  if (writer_->flush()) return write_failed();
  report(std::exchange(new_written_, {}), durability::written, std::nullopt);
  written(std::exchange(new_promised_, {}));
  rewrite_if_due();
}

void persistence_state::written(waiting_list promised) {
  if (sync_.policy == fsync_policy::no) return report(promised, durability::promised, std::nullopt);
  const bool slow = sync_running_ && clock_->now() - sync_started_ > std::chrono::nanoseconds(sync_patience).count();
  const bool behind_others = !to_sync_.empty() || !syncing_.empty();
  if (sync_.policy == fsync_policy::always || slow || behind_others) {
    std::move(promised.begin(), promised.end(), std::back_inserter(to_sync_));
  } else {
    report(promised, durability::promised, std::nullopt);
  }
  if (sync_.policy == fsync_policy::always) {
    if (!to_sync_.empty()) start_sync();
  } else if (!sync_running_ && writer_->length() - safe_length_ >= sync_.most_unsynced) {
    start_sync();
  } else if (!std::exchange(sync_scheduled_, true)) {
    tell_after(self_, sync_.interval, caf::actor_cast<persistence_actor>(self_), event::sync_due{});
  }
}

// -- telling ------------------------------------------------------------------------------------------------------------------

// One message for each client, however many of its appends are done.
void persistence_state::report(const waiting_list& list, durability level, const std::optional<failure>& problem) {
  struct range {
    const journal_client* client;
    std::uint64_t from;
    std::uint64_t through;
  };
  std::unordered_map<caf::actor_id, range> ranges;
  for (const auto& w : list) {
    const auto [found, added] = ranges.try_emplace(w.client.id(), range{&w.client, w.ticket, w.ticket});
    if (!added) found->second.through = w.ticket;
  }
  for (const auto& [id, r] : ranges) tell(*r.client, event::appended{level, r.from, r.through, problem});
}

void persistence_state::on_log(const command::log& command) {
  if (!closing_) status_.bytes = writer_->bytes();  // else the disk worker may be at it
  auto why = problem();
  if (!why && sync_running_ && clock_->now() - sync_started_ > std::chrono::nanoseconds(hanging).count())
    why = failure{error_code::unavailable, "the log cannot be written: the disk has not answered for " +
                                               std::to_string((clock_->now() - sync_started_) / 1'000'000'000) + " s"};
  status_.healthy = !why;
  status_.problem = why ? why->text : std::string();
  report_rewrite(status_);
  command.answer(status_);
}

void persistence_state::on_shut_down(command::shut_down& command) {
  broker_ = nullptr;
  write_out();
  closing_ = true;
  closed_ = std::move(command.answer);
  *cancelled_ = true;
  abandon_rewrite();
  close_when_idle();
}

// The disk worker and the writer may not work on the same file at once.
void persistence_state::close_when_idle() {
  if (sync_running_ || change_running_ || doing_ != maintenance::none) return;
  auto error = std::make_shared<std::error_code>();
  on_disk(
      [writer = writer_, earlier = unsynced_, error] {
        for (const auto& left : earlier)
          if (!*error) *error = left.handle->sync();
        if (const auto failed = writer->close(); !*error) *error = failed;
      },
      [this, error] {
        report(std::exchange(to_sync_, {}), durability::promised, *error ? problem() : std::nullopt);
        if (*error) {
          closed_(failure{error_code::unavailable, "the log could not be closed: " + error->message()});
        } else {
          closed_(done{});
        }
        stop(std::exchange(disk_, nullptr));
        self_->quit();
      });
}

}  // namespace mqlite
