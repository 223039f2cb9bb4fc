#include "cli/interruption.hpp"

#include <csignal>
#include <cstdlib>
#include <utility>

#include "cli/exit_codes.hpp"

namespace mqlite::cli {
namespace {

/// SIGINT, and SIGUSR1, by which the destructor wakes the thread.
sigset_t watched_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGUSR1);
  return signals;
}

}  // namespace

interruption::interruption() {
  const auto signals = watched_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  watcher_ = std::thread([this] { watch(); });
}

interruption::~interruption() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  pthread_kill(watcher_.native_handle(), SIGUSR1);
  watcher_.join();
}

void interruption::watch() {
  const auto signals = watched_signals();
  for (int signal = 0; sigwait(&signals, &signal) == 0;) {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    if (signal != SIGINT) continue;
    if (!inside_ && stays_) continue;
    if (!inside_) std::_Exit(exit_interrupted);
    happened_ = true;
    if (cancel_) cancel_();
    noted_.notify_all();
  }
}

void interruption::stay() {
  const std::lock_guard lock(mutex_);
  stays_ = true;
}

bool interruption::happened() const {
  const std::lock_guard lock(mutex_);
  return happened_;
}

bool interruption::wait_for(std::chrono::milliseconds duration) {
  std::unique_lock lock(mutex_);
  return noted_.wait_for(lock, duration, [this] { return happened_; });
}

interruption::scope::scope(interruption& of, std::function<void()> cancel) : of_(of) {
  const std::lock_guard lock(of_.mutex_);
  was_inside_ = std::exchange(of_.inside_, true);
  if (!was_inside_) of_.happened_ = false;
  if (of_.happened_ && cancel) cancel();
  outer_ = std::exchange(of_.cancel_, std::move(cancel));
}

interruption::scope::~scope() {
  const std::lock_guard lock(of_.mutex_);
  of_.cancel_ = std::move(outer_);
  of_.inside_ = was_inside_;
}

}  // namespace mqlite::cli
