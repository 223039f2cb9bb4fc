#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>

#include "actors/interfaces.hpp"
#include "config/settings.hpp"
#include "mqlite/client/interfaces.hpp"
#include "protocols/net/latency_histogram.hpp"
#include "protocols/net/offenders.hpp"
#include "protocols/translate/stats_answers.hpp"

namespace mqlite::remote {

/// What clients see.
namespace wire = mqlite::client;

/// Counts what has begun and not ended; callable from every thread.
class work_count {
 public:
  /// One more, for as long as the ticket or a copy of it is there.
  std::shared_ptr<void> enter() {
    const std::lock_guard lock(mutex_);
    ++count_;
    return {static_cast<void*>(this), [this](void*) { leave(); }};
  }

  /// Waits until there is none; false when that was not before `deadline`.
  bool wait_for_none(std::chrono::steady_clock::time_point deadline) {
    std::unique_lock lock(mutex_);
    return none_.wait_until(lock, deadline, [this] { return count_ == 0; });
  }

 private:
  void leave() {
    const std::lock_guard lock(mutex_);
    if (--count_ == 0) none_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable none_;
  std::size_t count_ = 0;
};

/// What the actors behind the CAF port share. All but the counters stays as it is while they run.
struct context {
  broker_actor broker;
  limit_settings limits;
  server_facts facts;
  std::shared_ptr<offenders> log;
  std::shared_ptr<latency_histogram> publish_times;
  std::atomic<bool> stopping{false};
  std::shared_ptr<work_count> unanswered = std::make_shared<work_count>();
  std::shared_ptr<work_count> actors = std::make_shared<work_count>();
};

}  // namespace mqlite::remote
