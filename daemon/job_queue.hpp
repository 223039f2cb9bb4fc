#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <utility>
#include <vector>

namespace mqlite {

/// The jobs of a scheduler's workers, first come first served.
///
/// Waking a thread costs more than most jobs do, and a job mostly leads to just one other: the worker that runs will take that next.
/// So a sleeping worker is called only when none is awake, when jobs pile up, or when nobody would notice that one is left lying.
/// For the last, one sleeper looks at the queue every millisecond while there is work, and takes a job when one that was there the last
/// time still is: no job waits for longer than two looks where a worker is idle. Without work all sleep for good.
///
/// A thread that is no worker may help: a loop that waits for other events takes what jobs there are between them, so that a request
/// that it read leads to its answer without a switch of threads. What a helper puts, it takes itself, unless jobs pile up.
///
/// Callable from every thread, but for take() and leave(): each worker has a `sleeper`, and each helper a `helper` of its own.
template <class Job>
class job_queue {
 public:
  /// A worker's place to sleep, and what the queue knows of it.
  struct sleeper {
    std::condition_variable wake;
    bool called = false;   ///< counts as awake again
    bool working = false;  ///< between two takes
  };

  /// What the queue knows of a thread that helps.
  struct helper {
    bool working = false;  ///< between two calls of try_take()
  };

  sleeper& add_worker() {
    const std::lock_guard guard(mutex_);
    return workers_.emplace_back();
  }

  void put(Job* job) {
    sleeper* called = nullptr;
    {
      const std::lock_guard guard(mutex_);
      jobs_.push_back(job);
      if (awake_ == 0 || jobs_.size() > tolerated * awake_ || !watched_) called = call();
    }
    if (called != nullptr) called->wake.notify_one();
  }

  /// From a helper, which calls try_take() soon.
  void put(Job* job, const helper& by) {
    sleeper* called = nullptr;
    {
      const std::lock_guard guard(mutex_);
      jobs_.push_back(job);
      if (jobs_.size() > tolerated_by_helper * (awake_ + (by.working ? 0 : 1)) || (by.working && !watched_))
        called = call();
    }
    if (called != nullptr) called->wake.notify_one();
  }

  /// The next job, as soon as there is one; the worker is done with the one before.
  Job* take(sleeper& own) {
    std::unique_lock lock(mutex_);
    if (std::exchange(own.working, false)) --awake_;
    bool wanted = true;
    while (jobs_.empty() || !wanted) wanted = sleep(own, lock);
    return take_first(own, lock);
  }

  /// The next job for a helper, which is done with the one before; null when there is none.
  Job* try_take(helper& own) {
    std::unique_lock lock(mutex_);
    if (std::exchange(own.working, false)) --awake_;
    return jobs_.empty() ? nullptr : take_first(own, lock);
  }

  /// The helper takes no more for now, or ever.
  void leave(helper& own) {
    sleeper* called = nullptr;
    {
      const std::lock_guard guard(mutex_);
      if (std::exchange(own.working, false)) --awake_;
      if (!jobs_.empty() && awake_ == 0) called = call();
    }
    if (called != nullptr) called->wake.notify_one();
  }

  /// The worker ends.
  void leave(sleeper& own) {
    sleeper* called = nullptr;
    {
      const std::lock_guard guard(mutex_);
      if (std::exchange(own.working, false)) --awake_;
      if (!jobs_.empty()) called = call();
    }
    if (called != nullptr) called->wake.notify_one();
  }

  /// Hands every job that is left to `f`.
  template <class F>
  void drain(F f) {
    const std::lock_guard guard(mutex_);
    for (auto* job : jobs_) f(job);
    jobs_.clear();
  }

 private:
  static constexpr std::chrono::milliseconds watch{1};
  /// Jobs that may wait for each worker that is awake.
  static constexpr std::size_t tolerated = 2;
  /// The same where a helper puts them: it is through with its events, and a publish to many topics is a job for each (to 10,000 queues in
  /// ten topics: 1.14 times as many publishes a second as with 2, at 0.85 of the CPU).
  static constexpr std::size_t tolerated_by_helper = 12;

  template <class Thread>
  Job* take_first(Thread& own, std::unique_lock<std::mutex>& lock) {
    auto* job = jobs_.front();
    jobs_.pop_front();
    ++taken_;
    ++awake_;
    own.working = true;
    auto* called = jobs_.empty() || watched_ ? nullptr : call();
    lock.unlock();
    if (called != nullptr) called->wake.notify_one();
    return job;
  }

  /// The one that fell asleep last, because its caches are the warmest; null when all are awake.
  sleeper* call() {
    if (idle_.empty()) return nullptr;
    auto* one = idle_.back();
    idle_.pop_back();
    one->called = true;
    ++awake_;
    return one;
  }

  /// False when it looked, and all that was there the last time is under way: others get on with the jobs, and to take one would only
  /// move what it works on to another processor.
  bool sleep(sleeper& own, std::unique_lock<std::mutex>& lock) {
    own.called = false;
    idle_.push_back(&own);
    const auto called = [&] { return own.called; };
    const auto present = taken_ + jobs_.size();
    if (!watched_ && taken_ != seen_) {
      watched_ = true;
      seen_ = taken_;
      own.wake.wait_for(lock, watch, called);
      watched_ = false;
    } else {
      own.wake.wait(lock, called);
    }
    if (own.called) {
      --awake_;
      return true;
    }
    idle_.erase(std::find(idle_.begin(), idle_.end(), &own));
    return taken_ == seen_ || taken_ < present;
  }

  std::mutex mutex_;
  std::deque<Job*> jobs_;
  std::deque<sleeper> workers_;
  std::vector<sleeper*> idle_;
  std::size_t awake_ = 0;    // workers that run a job, or were called
  bool watched_ = false;     // one of the idle looks at the queue again soon
  std::uint64_t taken_ = 0;  // jobs so far
  std::uint64_t seen_ = 0;   // of them when a watch began last
};

}  // namespace mqlite
