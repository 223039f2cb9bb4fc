#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "protocols/net/interlude.hpp"
#include "protocols/net/spin_policy.hpp"
#include "protocols/net/stand_in.hpp"

namespace mqlite {

class event_loop;

/// One asio::io_context and the thread that runs it. What lives on a loop is used in that thread alone.
///
/// Operation: functions that other threads post gather in a list; the first one of a burst wakes the loop, which then runs all.
/// While the thread waits for long, another one stands in for it.
class io_loop {
 public:
  io_loop();
  /// `between`, unless null, runs in the loop's thread after each burst of events, and before the thread ends.
  explicit io_loop(interlude between);
  io_loop(const io_loop&) = delete;
  io_loop& operator=(const io_loop&) = delete;
  /// Stops the loop; see stop().
  ~io_loop();

  /// Starts the thread; `name` (at most 15 characters) is what tools show for it.
  void start(std::string name);

  /// Ends the thread once the function that it runs returns, and waits for it. What was posted and did not run is destroyed,
  /// not run. Not to be called from the loop itself.
  void stop();

  /// Runs `f` soon in the loop's thread. Callable from every thread.
  void post(std::function<void()> f);

  /// Runs `f` before the loop waits for events or for anything else, behind the answers to what the events of this turn were: what
  /// need not delay them. It begins operations of sockets, and neither posts nor defers. To be called in an event.
  void defer(std::function<void()> f);

  /// Runs `f` in the loop's thread and waits for its end. Not to be called from the loop itself, only while it is running.
  void run(const std::function<void()>& f);

  /// A peer, known by its address alone, has sent so many bytes: whether the loop sleeps at once when it has nothing to do depends on
  /// that, see spin_policy. To be called in an event.
  void heard(const void* peer, std::size_t bytes) noexcept { spin_.heard(peer, bytes); }

  boost::asio::io_context& context() noexcept { return context_; }
  /// The loop as gateways know it.
  event_loop& as_event_loop() noexcept { return *adapter_; }

 private:
  void run_events();
  std::size_t run_next();
  void answer();
  bool run_between();
  bool drain();
  void run_deferred();
  static void run_all(std::vector<std::function<void()>>& functions, const char* what);

  interlude between_;
  std::mutex mutex_;
  std::vector<std::function<void()>> posted_;    // guarded by mutex_
  bool drains_soon_ = false;                     // guarded by mutex_: drain() is called without a post
  std::vector<std::function<void()>> running_;   // of the loop's thread: keeps its memory from burst to burst
  std::vector<std::function<void()>> deferred_;  // of the thread that runs the events
  std::vector<std::function<void()>> running_deferred_;
  bool waits_ = false;  // of that thread: another one stands in for the loop, or may
  std::unique_ptr<event_loop> adapter_;
  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{context_.get_executor()};
  spin_policy spin_;  // of the thread that runs the events
  stand_in stand_in_{context_};
  std::thread thread_;
};

}  // namespace mqlite
