#pragma once

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <functional>

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
  /// it must call this again after whatever may have led to jobs.
  template <class Coordinator>
  static void help(Coordinator& of, std::size_t most) {
    help(of, [left = most]() mutable { return left-- == 0; });
  }
  /// The same, until `enough`.
  template <class Coordinator, class Enough>
  static void help(Coordinator& of, Enough enough) {
    auto& queue = join(of);
    for (;;) {
      if (enough()) return queue.leave(this_thread.self);
      auto* job = queue.try_take(this_thread.self);
      if (job == nullptr) return;
      switch (job->resume(this_thread.context.get(), of.max_throughput())) {
        case caf::resumable::resume_later:
          queue.put(job, this_thread.self);
          break;
        case caf::resumable::shutdown_execution_unit:  // meant for a worker
          queue.put(job);
          return queue.leave(this_thread.self);
        default:
          caf::intrusive_ptr_release(job);
      }
    }
  }
  /// Makes the calling thread a helper while `wake` and the jobs run that it leads to, until `enough`.
  template <class Coordinator>
  static void run_along(Coordinator& of, const std::function<void()>& wake, const std::function<bool()>& enough) {
    join(of);
    wake();
    help(of, enough);
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
inline std::function<void()> help_for(caf::actor_system& system) {
  constexpr std::size_t most_jobs = 64;  // before the loop looks at its events again
  auto& scheduler = static_cast<caf::scheduler::coordinator<quiet_sharing>&>(system.scheduler());
  return [&scheduler] { quiet_sharing::help(scheduler, most_jobs); };
}

/// What a thread that waits for something else does when that has come, as actors/log/persistence_actor.hpp says.
inline std::function<void(const std::function<void()>&, const std::function<bool()>&)> running_along_for(
    caf::actor_system& system) {
  auto& scheduler = static_cast<caf::scheduler::coordinator<quiet_sharing>&>(system.scheduler());
  return [&scheduler](const auto& wake, const auto& enough) { quiet_sharing::run_along(scheduler, wake, enough); };
}

#else

/// This CAF takes no policy from outside: its `sharing` sleeps when there is nothing to do, its default spins.
inline void choose_scheduler(caf::actor_system_config& config) { config.set("caf.scheduler.policy", "sharing"); }

inline std::function<void()> help_for(caf::actor_system&) { return {}; }

inline std::function<void(const std::function<void()>&, const std::function<bool()>&)> running_along_for(
    caf::actor_system&) {
  return {};
}

#endif

}  // namespace mqlite
