#pragma once

#include <caf/actor_system_config.hpp>

#if __has_include(<caf/scheduler/coordinator.hpp>)
#include <caf/policy/unprofiled.hpp>
#include <caf/scheduler/coordinator.hpp>

#include "daemon/job_queue.hpp"
#endif

namespace mqlite {

#if __has_include(<caf/scheduler/coordinator.hpp>)

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
    d(self).queue.put(job);
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
  queue_type::sleeper* own_ = nullptr;  // of the worker that has this policy
};

/// Lets actors run by that policy.
inline void choose_scheduler(caf::actor_system_config& config) {
  config.module_factories.emplace_back([](caf::actor_system& system) -> caf::actor_system::module* {
    return new caf::scheduler::coordinator<quiet_sharing>(system);
  });
}

#else

/// This CAF takes no policy from outside: its `sharing` sleeps when there is nothing to do, its default spins.
inline void choose_scheduler(caf::actor_system_config& config) { config.set("caf.scheduler.policy", "sharing"); }

#endif

}  // namespace mqlite
