#include "protocols/net/io_loop.hpp"

#include <doctest/doctest.h>
#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/post.hpp>
#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace mqlite {

TEST_CASE("what is posted to a loop runs in its thread, in order") {
  io_loop loop;
  loop.start("test");
  std::vector<int> order;
  std::thread::id first, second;
  for (int i = 0; i < 100; ++i) loop.post([&order, i] { order.push_back(i); });
  loop.run([&] { first = std::this_thread::get_id(); });
  loop.run([&] { second = std::this_thread::get_id(); });
  CHECK(order.size() == 100);
  CHECK(std::is_sorted(order.begin(), order.end()));
  CHECK(first == second);
  CHECK(first != std::this_thread::get_id());
}

#ifdef SCHED_BATCH
TEST_CASE("a loop's thread is a batch thread, unless who started the process has chosen otherwise") {
  const auto policy_of_loop = [] {
    io_loop loop;
    loop.start("test");
    int policy = -1;
    sched_param priority{};
    loop.run([&] { pthread_getschedparam(pthread_self(), &policy, &priority); });
    return policy;
  };
  CHECK(policy_of_loop() == SCHED_BATCH);
  int chosen = -1;
  std::thread([&] {
    const sched_param none{};
    REQUIRE(pthread_setschedparam(pthread_self(), SCHED_IDLE, &none) == 0);
    chosen = policy_of_loop();
  }).join();
  CHECK(chosen == SCHED_IDLE);
}
#endif

TEST_CASE("what runs between the events may post, and is run again for what that leads to") {
  std::atomic<int> waiting = 0;
  std::atomic<int> posted = 0;
  std::promise<void> all;
  io_loop* self = nullptr;
  io_loop loop([&]() -> std::function<void()> {
    if (waiting == 0) return nullptr;
    --waiting;
    self->post([&] {
      if (++posted == 10) all.set_value();
      if (posted < 10) ++waiting;  // no event tells of this one
    });
    return nullptr;
  });
  self = &loop;
  loop.start("test");
  loop.post([&] { ++waiting; });
  CHECK(all.get_future().wait_for(std::chrono::minutes(1)) == std::future_status::ready);
}

TEST_CASE("nothing that other threads post is forgotten while a loop is between its events") {
  std::atomic<std::uint64_t> between = 0;
  io_loop loop([&]() -> std::function<void()> {
    ++between;
    return nullptr;
  });
  loop.start("test");
  constexpr int threads = 4, each = 5000;
  std::atomic<int> ran = 0;
  std::promise<void> all;
  std::vector<std::thread> posting;
  for (int t = 0; t < threads; ++t)
    posting.emplace_back([&] {
      for (int i = 0; i < each; ++i)
        loop.post([&] {
          if (++ran == threads * each) all.set_value();
        });
    });
  for (auto& thread : posting) thread.join();
  CHECK(all.get_future().wait_for(std::chrono::minutes(1)) == std::future_status::ready);
  CHECK(between > 0);
}

TEST_CASE("what lies between the events runs behind a handler that throws, too") {
  std::atomic<bool> threw = false;
  std::promise<void> ran;
  io_loop loop([&]() -> std::function<void()> {
    if (threw.exchange(false)) ran.set_value();
    return nullptr;
  });
  loop.start("test");
  boost::asio::post(loop.context(), [&] {
    threw = true;
    throw std::runtime_error("a bug");
  });
  CHECK(ran.get_future().wait_for(std::chrono::minutes(1)) == std::future_status::ready);
}

TEST_CASE("what lies between the events runs once more when a loop ends") {
  std::atomic<int> times = 0;
  {
    io_loop loop([&]() -> std::function<void()> {
      ++times;
      return nullptr;
    });
    loop.start("test");
    loop.run([] {});
    const int before = times;
    loop.stop();
    CHECK(times > before);
  }
}

TEST_CASE("a loop that waits for long goes on all the same, one event at a time, and has its events back afterwards") {
  std::atomic<bool> waits = false;
  std::promise<void> release;
  std::thread::id usual;
  std::atomic<std::thread::id> waiting;
  io_loop loop([&]() -> std::function<void()> {
    if (!waits.exchange(false)) return nullptr;
    return [&] {
      waiting = std::this_thread::get_id();
      release.get_future().wait();
    };
  });
  loop.start("test");
  loop.run([&] { usual = std::this_thread::get_id(); });
  loop.run([&] { waits = true; });
  std::atomic<int> inside = 0;
  std::set<std::thread::id> threads;
  for (int i = 0; i < 1000; ++i)
    loop.run([&] {
      CHECK(++inside == 1);
      threads.insert(std::this_thread::get_id());
      --inside;
    });
  CHECK(threads.size() <= 2);  // the first ones may have come before it waited
  threads.clear();
  loop.run([&] { threads.insert(std::this_thread::get_id()); });
  CHECK_FALSE(threads.contains(usual));
  CHECK(waiting == usual);
  release.set_value();
  std::thread::id last;
  while (last != usual) loop.run([&] { last = std::this_thread::get_id(); });
}

/// A loop that has seen the events of its start.
void start_and_settle(io_loop& loop) {
  loop.start("test");
  for (int i = 0; i < 3; ++i) loop.run([] {});
}

TEST_CASE("what a wait has led to is seen between the events, though no event tells of it") {
  enum stage { idle, to_wait, has_waited };
  std::atomic<stage> now = idle;
  std::promise<void> seen;
  io_loop loop([&]() -> std::function<void()> {
    if (now == to_wait) return [&] { now = has_waited; };
    if (now.exchange(idle) == has_waited) seen.set_value();
    return nullptr;
  });
  start_and_settle(loop);
  loop.run([&] { now = to_wait; });
  CHECK(seen.get_future().wait_for(std::chrono::minutes(1)) == std::future_status::ready);
}

TEST_CASE("what a loop has posted before it waits runs while it waits") {
  std::atomic<bool> waits = false;
  std::promise<void> ran, over;
  io_loop* self = nullptr;
  io_loop loop([&]() -> std::function<void()> {
    if (!waits.exchange(false)) return nullptr;
    self->post([&] { ran.set_value(); });
    return [&] {
      ran.get_future().wait();
      over.set_value();
    };
  });
  self = &loop;
  start_and_settle(loop);
  loop.run([&] { waits = true; });
  CHECK(over.get_future().wait_for(std::chrono::minutes(1)) == std::future_status::ready);
}

TEST_CASE("what is deferred runs behind what the events of a turn have led to") {
  std::vector<std::string> order;
  bool asks = false;
  io_loop* self = nullptr;
  io_loop loop([&]() -> std::function<void()> {
    if (std::exchange(asks, false)) self->post([&] { order.push_back("answer"); });
    return nullptr;
  });
  self = &loop;
  start_and_settle(loop);
  loop.run([&] {
    loop.defer([&] { throw std::runtime_error("deferred"); });
    loop.defer([&] { order.push_back("deferred"); });
    loop.post([&] { asks = true; });
  });
  loop.run([] {});
  loop.stop();
  CHECK(order == std::vector<std::string>{"answer", "deferred"});
}

TEST_CASE("what is deferred runs before a loop waits, and at once while it does") {
  std::atomic<bool> waits = false;
  std::promise<void> before, during, over;
  io_loop loop([&]() -> std::function<void()> {
    if (!waits.exchange(false)) return nullptr;
    return [&] {
      before.get_future().wait();
      during.get_future().wait();
      over.set_value();
    };
  });
  start_and_settle(loop);
  loop.run([&] {
    waits = true;
    loop.defer([&] { before.set_value(); });
  });
  loop.run([&] { loop.defer([&] { during.set_value(); }); });  // in the thread that stands in
  CHECK(over.get_future().wait_for(std::chrono::minutes(1)) == std::future_status::ready);
}

TEST_CASE("what is deferred when a loop has ended is destroyed, not run") {
  auto held = std::make_shared<bool>(false);
  const std::weak_ptr<bool> seen = held;
  {
    io_loop loop;
    loop.defer([held = std::move(held)] { *held = true; });
    loop.stop();
    CHECK(seen.expired());
  }
}

TEST_CASE("a loop has its events back when it has waited, though none comes, and later somebody stands in again") {
  std::atomic<bool> waits = false, waited = false;
  std::promise<void> release[3], back[3];
  std::atomic<int> round = 0;
  io_loop loop([&]() -> std::function<void()> {
    if (waited.exchange(false)) back[round].set_value();
    if (!waits.exchange(false)) return nullptr;
    return [&] {
      release[round].get_future().wait();
      waited = true;
    };
  });
  start_and_settle(loop);
  for (; round < 3; ++round) {
    loop.run([&] { waits = true; });
    loop.run([&] { release[round].set_value(); });  // in the thread that stands in
    CHECK(back[round].get_future().wait_for(std::chrono::minutes(1)) == std::future_status::ready);
    std::this_thread::sleep_for(std::chrono::milliseconds(50));  // who watches over waits falls asleep, mostly
  }
}

TEST_CASE("a loop that looks for events before it sleeps misses none, and goes on when one fails during a look") {
  int ran = 0;
  {
    io_loop loop;
    loop.start("test");
    for (int i = 0; i < 2'000; ++i) {
      loop.run([&] {
        loop.heard(&loop, 64 * 1024);
        ++ran;
      });
      if (i % 500 == 0) boost::asio::post(loop.context(), [] { throw std::runtime_error("an event that fails"); });
    }
  }
  CHECK(ran == 2'000);
}

TEST_CASE("waits without end or pause lose no post") {
  std::atomic<std::uint64_t> waits = 0;
  io_loop loop([&]() -> std::function<void()> {
    if (++waits % 3 == 0) return nullptr;
    return [&] {
      if (waits % 1000 < 2) std::this_thread::sleep_for(std::chrono::milliseconds(25));
    };
  });
  loop.start("test");
  constexpr int threads = 4, each = 2000;
  std::vector<std::thread> posting;
  int ran = 0;  // of the loop, whichever thread runs it
  for (int t = 0; t < threads; ++t)
    posting.emplace_back([&] {
      for (int i = 0; i < each; ++i) {
        if (i % 100 == 0)
          loop.run([&] { ++ran; });
        else
          loop.post([&] { ++ran; });
      }
    });
  for (auto& thread : posting) thread.join();
  loop.run([&] { CHECK(ran == threads * each); });
}

}  // namespace mqlite
