#include "protocols/net/stand_in.hpp"

#include <pthread.h>
#include <spdlog/spdlog.h>

#include <boost/asio/post.hpp>
#include <exception>
#include <system_error>
#include <utility>

namespace mqlite {

stand_in::~stand_in() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    ends_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void stand_in::wait(const std::function<void()>& f) {
  bool asleep;
  {
    const std::lock_guard lock(mutex_);
    runner_ = runner::nobody;
    ++waits_;
    asleep = !std::exchange(watching_, true);
    if (!thread_.joinable()) begin_watch();
  }
  if (asleep) changed_.notify_all();
  f();
  std::unique_lock lock(mutex_);
  if (runner_ == runner::stand_in) {
    wanted_back_ = true;
    boost::asio::post(context_, [] {});  // should there be no event
    changed_.wait(lock, [&] { return runner_ != runner::stand_in; });
    wanted_back_ = false;
  }
  runner_ = runner::loop;
}

// Without a thread, which a system may refuse, nobody takes over; the next wait tries again.
void stand_in::begin_watch() {
  try {
    thread_ = std::thread([this] { watch(); });
  } catch (const std::system_error& e) {
    spdlog::warn("no thread to stand in for a loop: {}", e.what());
  }
}

void stand_in::watch() {
  pthread_setname_np(pthread_self(), "stand-in");
  std::unique_lock lock(mutex_);
  while (!ends_) {
    const auto seen = waits_;
    if (changed_.wait_for(lock, patience_, [&] { return ends_; })) return;
    if (seen != waits_) continue;
    if (runner_ == runner::nobody) {
      run_events(lock);
    } else {
      watching_ = false;
      changed_.wait(lock, [&] { return ends_ || watching_; });
    }
  }
}

void stand_in::run_events(std::unique_lock<std::mutex>& lock) {
  runner_ = runner::stand_in;
  while (!wanted_back_ && !context_.stopped()) {
    lock.unlock();
    try {
      context_.run_one();
    } catch (const std::exception& e) {
      spdlog::error("a network event failed: {}", e.what());
    }
    lock.lock();
  }
  runner_ = runner::nobody;
  changed_.notify_all();
}

}  // namespace mqlite
