#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "actors/errors.hpp"
#include "protocols/net/io_loop.hpp"
#include "protocols/net/listener.hpp"

namespace mqlite {

/// What the front ends over plain sockets have in common: loops with a group of sessions each, the listener that deals connections
/// to them, and the order in which they end.
///
/// `Group` is what the sessions of one loop share; its member `sessions` is the open_sessions of that loop, whose sessions have
/// shut_down() (finish what was begun) and close().
template <class Group>
class session_server {
 public:
  /// Makes the group of a loop that will run.
  using group_maker = std::function<std::shared_ptr<Group>(io_loop&)>;
  /// Begins a session; runs in the thread of the group's loop.
  using session_maker = std::function<void(tcp_socket, const std::shared_ptr<Group>&)>;

  /// `between` is for each loop: see io_loop.
  session_server(std::size_t loops, const group_maker& make, const interlude& between) {
    for (std::size_t i = 0; i < std::max<std::size_t>(loops, 1); ++i) {
      auto one = std::make_unique<worker>(between);
      one->group = make(one->loop);
      workers_.push_back(std::move(one));
    }
  }
  session_server(const session_server&) = delete;
  session_server& operator=(const session_server&) = delete;

  /// Binds and serves, with options.accepted set to begin sessions: the port, or why not.
  outcome<std::uint16_t> start(listener_options options, session_maker begin) {
    std::vector<io_loop*> loops;
    for (auto& one : workers_) loops.push_back(&one->loop);
    const auto name = options.name;
    options.accepted = [this, begin = std::move(begin)](std::size_t loop, tcp_socket socket) {
      begin(std::move(socket), workers_[loop]->group);
    };
    listener_ = std::make_shared<listener>(std::move(loops), std::move(options));
    if (auto problem = listener_->bind()) return failure{error_code::unavailable, std::move(*problem)};
    for (std::size_t i = 0; i < workers_.size(); ++i) workers_[i]->loop.start(name + "-" + std::to_string(i));
    running_ = true;
    listener_->accept();
    return listener_->port();
  }

  /// Sets `stopping`, accepts no more, has the sessions finish, and waits for that until `patience` is over; then closes what is
  /// left and ends the threads.
  void stop(std::chrono::milliseconds patience, std::atomic<bool>& stopping) {
    if (!std::exchange(running_, false)) return;
    const auto deadline = std::chrono::steady_clock::now() + patience;
    stopping = true;
    workers_.front()->loop.run([this] { listener_->close(); });
    each_session([](auto& session) { session.shut_down(); });
    wait_until_empty(deadline);
    each_session([](auto& session) { session.close(); });
    for (auto& one : workers_) one->loop.stop();
  }

 private:
  /// One thread with its connections.
  struct worker {
    explicit worker(interlude between) : loop(std::move(between)) {}

    io_loop loop;
    std::shared_ptr<Group> group;
  };

  template <class F>
  void each_session(F f) {
    for (auto& one : workers_)
      one->loop.run([&] {
        for (auto& session : one->group->sessions.all()) f(*session);
      });
  }

  /// The last session of each loop says that it was the last.
  void wait_until_empty(std::chrono::steady_clock::time_point deadline) {
    struct {
      std::mutex mutex;
      std::condition_variable changed;
      std::size_t empty = 0;
    } ended;
    for (auto& one : workers_)
      one->loop.run([&] {
        one->group->sessions.when_empty([&ended] {
          const std::lock_guard lock(ended.mutex);
          ++ended.empty;
          ended.changed.notify_one();
        });
      });
    {
      std::unique_lock lock(ended.mutex);
      ended.changed.wait_until(lock, deadline, [&] { return ended.empty == workers_.size(); });
    }
    for (auto& one : workers_) one->loop.run([&] { one->group->sessions.forget_empty(); });
  }

  std::vector<std::unique_ptr<worker>> workers_;
  std::shared_ptr<listener> listener_;
  bool running_ = false;
};

}  // namespace mqlite
