#pragma once

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include "actors/compat.hpp"
#include "actors/interfaces.hpp"

namespace mqlite::test {

/// What the test sees of the log, and how it tells it what to do.
struct log_script {
  struct pending {
    durability level;
    std::uint64_t ticket;
    journal_client client;
  };

  std::vector<std::string> records;                     ///< what is stored, in order
  std::deque<std::pair<pending, std::string>> waiting;  ///< appends that were not yet looked at, while `holding`
  std::deque<pending> to_sync;                          ///< written, and promised more; while `syncing_later`
  bool holding = false;
  bool syncing_later = false;
  bool failing = false;
  bool closed = false;
  broker_actor tree;  ///< what a rewrite would ask
  std::uint64_t appends = 0;

  /// Writes the oldest `most` of what waits.
  void release(std::size_t most = SIZE_MAX) {
    for (; most > 0 && !waiting.empty(); --most) {
      auto [who, bytes] = std::move(waiting.front());
      waiting.pop_front();
      write(std::move(who), std::move(bytes));
    }
  }

  /// What was written up to here is on the disk.
  void sync(std::size_t most = SIZE_MAX) {
    for (; most > 0 && !to_sync.empty(); --most) {
      report(to_sync.front(), std::nullopt);
      to_sync.pop_front();
    }
  }

  /// The write of everything that waits fails.
  void fail_waiting() {
    for (auto& [who, bytes] : std::exchange(waiting, {})) report(who, problem());
  }

  void append(event::append& a) {
    ++appends;
    pending who{a.level, a.ticket, std::move(a.client)};
    if (failing) return report(who, problem());
    waiting.emplace_back(std::move(who), std::move(a.records));
    if (!holding) release();
  }

 private:
  static failure problem() { return {error_code::unavailable, "the log cannot be written: no space left"}; }

  void write(pending who, std::string bytes) {
    if (!bytes.empty()) records.push_back(std::move(bytes));
    if (syncing_later && who.level == durability::promised) {
      to_sync.push_back(std::move(who));
    } else {
      report(who, std::nullopt);
    }
  }

  static void report(const pending& who, std::optional<failure> problem) {
    tell(who.client, event::appended{who.level, who.ticket, who.ticket, std::move(problem)});
  }
};

/// A log that does what a script says.
class fake_log_state {
 public:
  fake_log_state(persistence_actor::pointer self, std::shared_ptr<log_script> script)
      : self_(self), script_(std::move(script)) {}

  persistence_actor::behavior_type make_behavior() {
    return {
        [this](event::append& a) { script_->append(a); },
        [](event::flush) {},
        [](event::sync_due) {},
        [](event::retry) {},
        [this](const event::tree_started& e) { script_->tree = e.broker; },
        [](const event::go_on&) {},
        [](event::rewrite_due) {},
        [](const command::log& c) { c.answer(log_status{}); },
        [](const command::rewrite& c) { c.answer(done{}); },
        [](const command::backup& c) {
          c.answer(backed_up{c.folder, 0});
        },
        [this](const command::shut_down& c) {
          script_->closed = true;
          script_->tree = nullptr;
          c.answer(done{});
          self_->quit();
        },
    };
  }
  static inline const char* name = "test.log";

 private:
  persistence_actor::pointer self_;
  std::shared_ptr<log_script> script_;
};

}  // namespace mqlite::test
