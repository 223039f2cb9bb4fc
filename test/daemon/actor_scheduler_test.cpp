#include "daemon/actor_scheduler.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <thread>

#include <caf/init_global_meta_objects.hpp>

#include "actors/compat.hpp"
#include "actors/interfaces.hpp"

#if __has_include(<caf/scheduler/coordinator.hpp>)

namespace mqlite {
namespace {

/// Wants something run behind it whenever it is told something.
class wanting_state {
 public:
  wanting_state(journal_client::pointer, std::function<void()> want) : want_(std::move(want)) {}
  journal_client::behavior_type make_behavior() {
    return {[this](const event::appended&) { want_(); }};
  }
  static inline const char* name = "wanting";

 private:
  std::function<void()> want_;
};

struct one_worker : caf::actor_system_config {
  one_worker() {
    static const bool types_are_known = [] {
      caf::core::init_global_meta_objects();
      caf::init_global_meta_objects<caf::id_block::mqlite>();
      return true;
    }();
    (void)types_are_known;
    choose_scheduler(*this);
    set("caf.scheduler.max-threads", std::size_t{1});
  }
};

/// An actor that runs in the threads of a scheduler, and what it wants run behind it.
struct scheduled_actor {
  scheduled_actor() {
    sharing = thread_sharing_for(system);
    actor = spawn_state<journal_client, wanting_state>(
        system, std::function<void()>([this] {
          sharing.run_behind([this] { ran_in = std::this_thread::get_id(); }) ? ++accepted : ++refused;
        }));
  }
  ~scheduled_actor() { stop(actor); }
  /// While it is told more without a pause, the worker that is at it goes on, and no other thread gets to run it.
  void tell_when_idle() {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    tell(actor, event::appended{});
  }
  int handled() const { return accepted + refused; }
  bool ran() const { return ran_in.load() != std::thread::id(); }

  one_worker config;
  caf::actor_system system{config};
  thread_sharing sharing;
  std::atomic<int> accepted = 0, refused = 0;
  std::atomic<std::thread::id> ran_in{};
  journal_client actor;
};

}  // namespace

TEST_CASE("what an actor wants run behind it is handed to the helper that has run the actor") {
  scheduled_actor s;
  std::thread helper([&] {
    const auto help = help_for(s.system);
    std::function<void()> waiting;
    // The worker may be awake, and run the actor first.
    for (int told = 1; !waiting; ++told) {
      s.tell_when_idle();
      while (!waiting && s.handled() < told) waiting = help();
    }
    CHECK(s.accepted == 1);
    CHECK_FALSE(s.ran());
    waiting();
    CHECK(s.ran_in.load() == std::this_thread::get_id());
    CHECK_FALSE(help());
  });
  helper.join();
}

TEST_CASE("a worker runs nothing behind an actor") {
  scheduled_actor s;
  tell(s.actor, event::appended{});
  while (s.refused == 0) std::this_thread::yield();
  CHECK(s.accepted == 0);
}

TEST_CASE("a thread that runs actors along with its own work waits for them, and helps no more afterwards") {
  scheduled_actor s;
  std::thread other([&] {
    for (int told = 1; !s.ran(); ++told) {
      s.sharing.run_along([&] { s.tell_when_idle(); }, [] { return false; });
      while (s.handled() < told) std::this_thread::yield();
    }
    CHECK(s.ran_in.load() == std::this_thread::get_id());
    CHECK_FALSE(s.sharing.run_behind([] {}));
  });
  other.join();
}

}  // namespace mqlite

#endif
