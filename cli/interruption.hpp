#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace mqlite::cli {

/// What Ctrl-C (SIGINT) does: while something is running it is told to end, else the program ends.
///
/// Concurrency: a thread of its own takes the signal, so that what it runs may lock and allocate. Build one before any other thread
/// is started: they inherit that SIGINT is blocked.
class interruption {
 public:
  interruption();
  ~interruption();
  interruption(const interruption&) = delete;
  interruption& operator=(const interruption&) = delete;

  /// While one of these lives, SIGINT is noted and runs `cancel`, which may be empty, in the other thread.
  class scope {
   public:
    scope(interruption& of, std::function<void()> cancel);
    ~scope();
    scope(const scope&) = delete;
    scope& operator=(const scope&) = delete;

   private:
    interruption& of_;
    std::function<void()> outer_;
    bool was_inside_;
  };

  /// From now on SIGINT has no effect while nothing is running.
  void stay();

  /// Whether a SIGINT came since the outermost scope began.
  bool happened() const;
  /// Waits until that happens, at most `duration`; whether it did.
  bool wait_for(std::chrono::milliseconds duration);

 private:
  void watch();

  mutable std::mutex mutex_;
  std::condition_variable noted_;
  std::function<void()> cancel_;
  bool inside_ = false;
  bool happened_ = false;
  bool stays_ = false;
  bool stopping_ = false;
  std::thread watcher_;
};

}  // namespace mqlite::cli
