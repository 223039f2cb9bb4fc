#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>

namespace mqlite {

/// Runs the events of a loop in another thread while the loop's own waits for something that takes long. One of the two runs them at
/// a time, so that what lives on the loop need not know.
///
/// Operation: most waits are short, and for these another thread would come too late and cost more than it gains. So a watch looks
/// from time to time whether the wait is still the one that it saw before, and only then takes over; it sleeps while there are no
/// waits.
class stand_in {
 public:
  /// `patience`: how long a wait may last before the events are run elsewhere, at least; at most twice as long.
  explicit stand_in(boost::asio::io_context& context,
                    std::chrono::milliseconds patience = std::chrono::milliseconds(10))
      : context_(context), patience_(patience) {}
  stand_in(const stand_in&) = delete;
  stand_in& operator=(const stand_in&) = delete;
  /// The context must have been stopped, and no wait may be under way.
  ~stand_in();

  /// Runs `f`, which may block and must not throw, in the calling thread: the loop's, outside of any event. When this returns, the
  /// events are the loop's again.
  void wait(const std::function<void()>& f);

 private:
  enum class runner { loop, nobody, stand_in };

  void begin_watch();
  void watch();
  void run_events(std::unique_lock<std::mutex>& lock);

  boost::asio::io_context& context_;
  const std::chrono::milliseconds patience_;
  std::mutex mutex_;
  std::condition_variable changed_;
  runner runner_ = runner::loop;  // all of these are guarded by mutex_
  std::uint64_t waits_ = 0;       // so far
  bool watching_ = false;
  bool wanted_back_ = false;
  bool ends_ = false;
  std::thread thread_;
};

}  // namespace mqlite
