#include <spdlog/spdlog.h>

#include <algorithm>
#include <filesystem>

#include "actors/log/base_sink.hpp"
#include "actors/log/persistence_actor.hpp"
#include "actors/message.hpp"
#include "persistence/log_backup.hpp"

// How the log is rewritten and copied while it is appended to.
namespace mqlite {
namespace {

using namespace std::chrono_literals;

// Between a rewrite that failed and the next one that begins by itself.
constexpr std::chrono::nanoseconds first_rewrite_pause = 10s;
constexpr std::chrono::nanoseconds longest_rewrite_pause = 10min;

double megabytes(std::uint64_t bytes) { return static_cast<double>(bytes) / (1 << 20); }

double seconds(std::chrono::nanoseconds time) { return std::chrono::duration<double>(time).count(); }

failure cannot_change(const log_failure& why) { return {error_code::unavailable, why.text()}; }

// Where a backup cannot go is the asker's concern.
failure cannot_copy(const log_failure& why) {
  const bool taken = why.code == std::errc::file_exists;
  return {taken ? error_code::already_exists : error_code::failed_precondition, "backup: " + why.text()};
}

}  // namespace

// -- what both need -----------------------------------------------------------------------------------------------------------

std::optional<failure> persistence_state::busy() const {
  if (auto why = problem()) return why;
  if (doing_ == maintenance::rewrite) return failure{error_code::failed_precondition, "the log is being rewritten"};
  if (doing_ == maintenance::backup) return failure{error_code::failed_precondition, "a backup is being made"};
  return std::nullopt;
}

void persistence_state::on_worker(std::function<void()> job, std::function<void()> then) {
  if (!worker_) worker_ = start_disk_worker(self_->home_system());
  ask(self_, worker_, disk_job{std::move(job)}).then([then](disk_job_done) { then(); }, [](const caf::error&) {});
}

void persistence_state::apply(std::shared_ptr<log_change> change, std::function<void(std::optional<failure>)> then) {
  auto problem = std::make_shared<std::optional<log_failure>>();
  change_running_ = true;
  on_worker([change, problem] { *problem = change->run(); },
            [this, change, problem, then = std::move(then)] {
              change_running_ = false;
              const auto written = writer_->length();
              if (auto previous = writer_->adopt(std::move(*change))) {
                unsynced_.push_back({std::move(previous), written, safe_length_});
                safe_length_ = writer_->length();
                start_sync();
              }
              then(*problem ? std::optional(cannot_change(**problem)) : std::nullopt);
            });
}

// The file that was appended to until now has to be synced once more; whoever waits for that may be answered then. One that is
// left from the last switch comes first, so that slow disks do not let them pile up.
void persistence_state::switch_file(std::function<void(std::optional<failure>)> then) {
  if (!unsynced_.empty()) {
    settled_ = [this, then = std::move(then)](std::optional<failure> failed) mutable {
      failed ? then(std::move(failed)) : switch_file(std::move(then));
    };
    return;
  }
  apply(std::make_shared<log_change>(writer_->plan_new_file()), [this, then = std::move(then)](auto failed) {
    if (!failed) failed = problem();
    then(std::move(failed));
  });
}

void persistence_state::tell_settled() {
  if (settled_ && (problem() || unsynced_.empty())) std::exchange(settled_, {})(problem());
}

// -- rewriting ----------------------------------------------------------------------------------------------------------------

void persistence_state::on_rewrite(const command::rewrite& command) {
  auto why = busy();
  if (!why && !broker_) why = failure{error_code::unavailable, "the broker is starting"};
  if (why) return command.answer(std::move(*why));
  begin_rewrite();
  command.answer(done{});
}

void persistence_state::rewrite_if_due() {
  if (doing_ != maintenance::none || !broker_ || recovering_ || busy() || clock_->now() < rewrite_not_before_) return;
  const auto all = writer_->bytes();
  const auto base = writer_->base_bytes();
  const bool grown =
      rules_.percentage > 0 && all >= rules_.min_size && (all - base) >= base / 100 * std::uint64_t{rules_.percentage};
  if (rewrite_owed_ || (grown && frees_enough(all))) begin_rewrite();
}

// A backlog that grows would else be written again each time that it has doubled, for nothing: a fifth of the CPU time of whoever
// publishes at full speed. What messages take in memory is about what they take in a log that was just rewritten.
// Looks once a second at most, and for the last time when nothing was written since the look before.
bool persistence_state::frees_enough(std::uint64_t all) {
  if (look_scheduled_ && all >= rules_.large) return false;
  if (rules_.would_shrink(all, message::memory())) return true;
  if (std::exchange(writes_at_look_, status_.writes) == status_.writes) return false;
  look_scheduled_ = true;
  tell_after(self_, 1s, caf::actor_cast<persistence_actor>(self_), event::rewrite_due{});
  return false;
}

void persistence_state::begin_rewrite() {
  doing_ = maintenance::rewrite;
  rewrite_started_ = clock_->now();
  progress_ = std::make_shared<rewrite_progress>();
  switch_file([this](std::optional<failure> failed) {
    if (failed) return end_rewrite(std::move(failed));
    rewrite_pays_ = std::exchange(rewrite_owed_, false);  // true again should another fsync fail
    take_snapshot();
  });
}

void persistence_state::take_snapshot() {
  base_ = std::make_shared<std::optional<finished_base>>();
  reply<done> answer([this, me = caf::actor_cast<persistence_actor>(self_)](outcome<done> how) {
    tell(me, event::go_on{[this, how = std::move(how)] { base_ready(how); }});
  });
  std::shared_ptr<record_sink> sink = std::make_shared<base_sink>(writer_->plan_base(), base_);
  rewriter_ = spawn_detached<rewriter_actor, rewriter_state>(self_->home_system(), broker_, std::move(sink), progress_,
                                                             std::move(answer));
  tell(rewriter_, event::begin_rewriting{});
}

void persistence_state::base_ready(const outcome<done>& how) {
  rewriter_ = nullptr;
  if (!how) {
    base_ = nullptr;
    return end_rewrite(problem() ? problem() : how.why());
  }
  if (auto why = problem()) return drop_base(std::move(*why));
  commit_due_ = true;
  start_sync();
}

void persistence_state::commit_base() {
  const auto base = std::exchange(base_, nullptr);
  apply(std::make_shared<log_change>(writer_->plan_commit(**base)),
        [this](std::optional<failure> failed) { end_rewrite(std::move(failed)); });
}

void persistence_state::drop_base(failure why) {
  commit_due_ = committing_sync_ = false;
  const auto base = std::exchange(base_, nullptr);
  auto path = writer_->folder() / (*base)->name;
  auto drop = [this, path = std::move(path)] { writer_->files().remove(path); };
  on_worker(std::move(drop), [this, why = std::move(why)] { end_rewrite(why); });
}

void persistence_state::abandon_rewrite() {
  if (doing_ != maintenance::rewrite || change_running_) return;
  if (rewriter_) return tell(rewriter_, event::abandon{});
  if (base_) drop_base(*problem());  // it waits for an fsync
}

void persistence_state::end_rewrite(std::optional<failure> problem) {
  doing_ = maintenance::none;
  if (worker_) stop(std::exchange(worker_, nullptr));
  auto& status = status_.rewrite;
  status.last_ended = clock_->now();
  status.last_duration = std::chrono::nanoseconds(std::max<std::int64_t>(0, status.last_ended - rewrite_started_));
  status.last_problem = problem ? problem->text : std::string();
  ++(problem ? status.failed : status.succeeded);
  if (closing_) return close_when_idle();
  const bool paid = std::exchange(rewrite_pays_, false);
  if (problem) {
    rewrite_owed_ = rewrite_owed_ || paid;
    rewrite_pause_ = std::clamp(rewrite_pause_ * 2, first_rewrite_pause, longest_rewrite_pause);
    rewrite_not_before_ = later(status.last_ended, rewrite_pause_);
    if (rewrite_owed_)
      tell_after(self_, rewrite_pause_, caf::actor_cast<persistence_actor>(self_), event::rewrite_due{});
    spdlog::error("the log was not rewritten: {}; it stays as it is", problem->text);
    return;
  }
  rewrite_pause_ = {};
  rewrite_not_before_ = 0;
  spdlog::info("the log was rewritten: {} messages, {:.1f} MB, in {:.2f} s", progress_->messages.load(),
               megabytes(writer_->base_bytes()), seconds(status.last_duration));
}

void persistence_state::report_rewrite(log_status& status) const {
  status.base_bytes = writer_->base_bytes();
  status.copying = doing_ == maintenance::backup;
  status.rewrite.running = doing_ == maintenance::rewrite;
  if (!progress_) return;
  status.rewrite.messages = progress_->messages.load(std::memory_order_relaxed);
  status.rewrite.bytes = progress_->bytes.load(std::memory_order_relaxed);
}

// -- copying ------------------------------------------------------------------------------------------------------------------

void persistence_state::on_backup(const command::backup& command) {
  if (auto why = busy()) return command.answer(std::move(*why));
  if (command.folder.empty() || command.folder.find('\0') != std::string::npos)
    return command.answer(failure{error_code::invalid_argument, "`dir` must name a folder"});
  std::error_code ignored;
  auto target = std::filesystem::absolute(command.folder, ignored).lexically_normal();
  if (target.filename().empty()) target = target.parent_path();
  doing_ = maintenance::backup;
  auto failed = std::make_shared<std::optional<log_failure>>();
  on_worker([failed, target, &files = writer_->files()] { *failed = prepare_backup(files, target); },
            [this, failed, target, answer = command.answer] {
              if (*failed) return end_backup(answer, cannot_copy(**failed));
              if (auto why = problem()) return end_backup(answer, std::move(*why));
              switch_file([this, target, answer](std::optional<failure> not_switched) {
                if (not_switched) return end_backup(answer, std::move(*not_switched));
                copy_into(target.string(), answer);
              });
            });
}

void persistence_state::copy_into(const std::string& folder, const reply<backed_up>& answer) {
  // An fsync of the log that fails now tells of bytes that the copy may hold, and need not be told again to who syncs that.
  if (auto why = problem()) return end_backup(answer, std::move(*why));
  auto copied = std::make_shared<std::optional<log_result<std::uint64_t>>>();
  on_worker([copied, folder, plan = writer_->plan_backup(),
             cancelled = cancelled_] { *copied = copy_log(plan, folder, *cancelled); },
            [this, copied, folder, answer, failures = sync_failures_] {
              const auto& how = **copied;
              if (how && failures != sync_failures_)
                return end_backup(answer,
                                  failure{error_code::unavailable, "backup: an fsync of the log has failed meanwhile"});
              if (!how) return end_backup(answer, closing_ ? *problem() : cannot_copy(how.error()));
              end_backup(answer, backed_up{folder, *how});
            });
}

void persistence_state::end_backup(const reply<backed_up>& answer, outcome<backed_up> how) {
  doing_ = maintenance::none;
  if (worker_) stop(std::exchange(worker_, nullptr));
  if (how) spdlog::info("the log was copied into {}: {:.1f} MB", how->folder, megabytes(how->bytes));
  answer(std::move(how));
  if (closing_) return close_when_idle();
  rewrite_if_due();
}

}  // namespace mqlite
