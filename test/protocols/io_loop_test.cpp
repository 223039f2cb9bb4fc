#include "protocols/net/io_loop.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/post.hpp>
#include <chrono>
#include <future>
#include <stdexcept>
#include <thread>
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

TEST_CASE("what runs between the events may post, and is run again for what that leads to") {
  std::atomic<int> waiting = 0;
  std::atomic<int> posted = 0;
  std::promise<void> all;
  io_loop* self = nullptr;
  io_loop loop([&] {
    if (waiting == 0) return;
    --waiting;
    self->post([&] {
      if (++posted == 10) all.set_value();
      if (posted < 10) ++waiting;  // no event tells of this one
    });
  });
  self = &loop;
  loop.start("test");
  loop.post([&] { ++waiting; });
  CHECK(all.get_future().wait_for(std::chrono::minutes(1)) == std::future_status::ready);
}

TEST_CASE("nothing that other threads post is forgotten while a loop is between its events") {
  std::atomic<std::uint64_t> between = 0;
  io_loop loop([&] { ++between; });
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
  io_loop loop([&] {
    if (threw.exchange(false)) ran.set_value();
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
    io_loop loop([&] { ++times; });
    loop.start("test");
    loop.run([] {});
    const int before = times;
    loop.stop();
    CHECK(times > before);
  }
}

}  // namespace mqlite
