#pragma once

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <functional>
#include <utility>

#include "actors/log/persistence_actor.hpp"
#include "protocols/net/interlude.hpp"

#if __has_include(<caf/scheduler/coordinator.hpp>)
#include <caf/policy/unprofiled.hpp>
#include <caf/scheduler/coordinator.hpp>
#include <caf/scoped_execution_unit.hpp>
#include <memory>

#include "daemon/job_queue.hpp"
#endif

namespace mqlite {

#if __has_include(<caf/scheduler/coordinator.hpp>)

/// What a thread that helps has.
struct helping_thread {
  helping_thread() = default;
  helping_thread(const helping_thread&) = delete;
  helping_thread& operator=(const helping_thread&) = delete;
  ~helping_thread() {
    if (queue != nullptr) queue->leave(self);
  }

  job_queue<caf::resumable>* queue = nullptr;
  job_queue<caf::resumable>::helper self;
  std::unique_ptr<caf::scoped_execution_unit> context;
  std::function<void()> behind;  ///< what waits, and is to be run behind the actor that runs
};

/// CAF's policy `sharing` with a queue that wakes no more threads than it must. CAF's own wakes one for every job: with two workers a
/// consume and its ack cost 2.4 times as many switches between threads.
class quiet_sharing : public caf::policy::unprofiled {
 public:
  using queue_type = job_queue<caf::resumable>;
  struct coordinator_data {
    explicit coordinator_data(caf::scheduler::abstract_coordinator*) {}
    queue_type queue;
  };
  struct worker_data {
    explicit worker_data(caf::scheduler::abstract_coordinator*) {}
  };

  template <class Coordinator>
  void central_enqueue(Coordinator* self, caf::resumable* job) {
    auto& queue = d(self).queue;
    if (this_thread.queue == &queue)
      queue.put(job, this_thread.self);
    else
      queue.put(job);
  }
  template <class Worker>
  void external_enqueue(Worker* self, caf::resumable* job) {
    d(self->parent()).queue.put(job);
  }
  template <class Worker>
  void internal_enqueue(Worker* self, caf::resumable* job) {
    d(self->parent()).queue.put(job);
  }
  template <class Worker>
  void resume_job_later(Worker* self, caf::resumable* job) {
    d(self->parent()).queue.put(job);
  }
  template <class Worker>
  caf::resumable* dequeue(Worker* self) {
    auto& queue = d(self->parent()).queue;
    if (own_ == nullptr) own_ = &queue.add_worker();
    return queue.take(*own_);
  }

  /// Runs what jobs there are in the calling thread, as far as they are not more than `most`, and makes it a helper of the queue:
  /// it must call this again after whatever may have led to jobs. Stops where one has called run_behind(), and returns what that
  /// was given.
  template <class Coordinator>
  static std::function<void()> help(Coordinator& of, std::size_t most) {
    return help(of, [left = most]() mutable { return left-- == 0; });
  }
  /// The same, until `enough`.
  template <class Coordinator, class Enough>
  static std::function<void()> help(Coordinator& of, Enough enough) {
    auto& queue = join(of);
    while (!enough()) {
      auto* job = queue.try_take(this_thread.self);
      if (job == nullptr) return nullptr;
      switch (job->resume(this_thread.context.get(), of.max_throughput())) {
        case caf::resumable::resume_later:
          queue.put(job, this_thread.self);
          break;
        case caf::resumable::shutdown_execution_unit:  // meant for a worker
          queue.put(job);
          queue.leave(this_thread.self);
          return nullptr;
        default:
          caf::intrusive_ptr_release(job);
      }
      if (this_thread.behind) break;
    }
    queue.leave(this_thread.self);
    return std::exchange(this_thread.behind, nullptr);
  }
  /// Runs `f`, which waits, in the calling thread behind the actor that runs in it; false when the thread is no helper.
  static bool run_behind(std::function<void()> f) {
    if (this_thread.queue == nullptr || this_thread.behind) return false;
    this_thread.behind = std::move(f);
    return true;
  }
  /// Makes the calling thread a helper while `wake` and the jobs run that it leads to, until `enough`.
  template <class Coordinator>
  static void run_along(Coordinator& of, const std::function<void()>& wake, const std::function<bool()>& enough) {
    join(of);
    wake();
    while (const auto waiting = help(of, enough)) waiting();
    this_thread.queue = nullptr;
  }
  template <class Worker>
  void before_shutdown(Worker* self) {
    d(self->parent()).queue.leave(*own_);
  }
  template <class Worker, class F>
  void foreach_resumable(Worker*, F) {}
  template <class Coordinator, class F>
  void foreach_central_resumable(Coordinator* self, F f) {
    d(self).queue.drain(f);
  }

 private:
  template <class Coordinator>
  static queue_type& join(Coordinator& of) {
    auto& queue = of.data().queue;
    this_thread.queue = &queue;
    if (!this_thread.context) this_thread.context = std::make_unique<caf::scoped_execution_unit>(&of.system());
    return queue;
  }

  static inline thread_local helping_thread this_thread;
  queue_type::sleeper* own_ = nullptr;  // of the worker that has this policy
};

/// Lets actors run by that policy.
inline void choose_scheduler(caf::actor_system_config& config) {
  config.module_factories.emplace_back([](caf::actor_system& system) -> caf::actor_system::module* {
    return new caf::scheduler::coordinator<quiet_sharing>(system);
  });
}

/// What a loop does between its events to run the actors that these woke; null when the scheduler takes no help.
inline interlude help_for(caf::actor_system& system) {
  constexpr std::size_t most_jobs = 64;  // before the loop looks at its events again
  auto& scheduler = static_cast<caf::scheduler::coordinator<quiet_sharing>&>(system.scheduler());
  return [&scheduler] { return quiet_sharing::help(scheduler, most_jobs); };
}

/// How threads that wait for the disk and those that run actors stand in for each other.
inline thread_sharing thread_sharing_for(caf::actor_system& system) {
  auto& scheduler = static_cast<caf::scheduler::coordinator<quiet_sharing>&>(system.scheduler());
  return {[&scheduler](const auto& wake, const auto& enough) { quiet_sharing::run_along(scheduler, wake, enough); },
          [](std::function<void()> job) { return quiet_sharing::run_behind(std::move(job)); }};
}

#else

/// This CAF takes no policy from outside: its `sharing` sleeps when there is nothing to do, its default spins.
inline void choose_scheduler(caf::actor_system_config& config) { config.set("caf.scheduler.policy", "sharing"); }

inline interlude help_for(caf::actor_system&) { return {}; }

inline thread_sharing thread_sharing_for(caf::actor_system&) { return {}; }

#endif

}  // namespace mqlite
