#include "daemon/job_queue.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <functional>
#include <thread>

namespace {

/// What a worker runs; it ends when there is nothing to run.
struct job {
  std::function<void()> run;
  std::atomic<int> times = 0;
};
using queue = mqlite::job_queue<job>;

/// Workers that run jobs until each of them was given one that ends it.
class pool {
 public:
  explicit pool(std::size_t size) {
    for (std::size_t i = 0; i < size; ++i)
      threads_.emplace_back([this] {
        auto& own = jobs.add_worker();
        for (;;) {
          auto* one = jobs.take(own);
          ++one->times;
          if (!one->run) return jobs.leave(own);
          one->run();
        }
      });
  }
  ~pool() {
    for (std::size_t i = 0; i < threads_.size(); ++i) jobs.put(&end_);
    for (auto& thread : threads_) thread.join();
  }
  pool(const pool&) = delete;
  pool& operator=(const pool&) = delete;

  queue jobs;

 private:
  job end_;
  std::vector<std::thread> threads_;
};

/// Waits until it was opened.
class gate {
 public:
  void open() {
    open_ = true;
    open_.notify_all();
  }
  void pass() { open_.wait(false); }

 private:
  std::atomic<bool> open_ = false;
};

}  // namespace

TEST_CASE("jobs are taken in the order in which they came") {
  queue jobs;
  auto& worker = jobs.add_worker();
  job first, second, third;
  jobs.put(&first);
  jobs.put(&second);
  CHECK(jobs.take(worker) == &first);
  jobs.put(&third);
  CHECK(jobs.take(worker) == &second);
  CHECK(jobs.take(worker) == &third);
}

TEST_CASE("what is left over is handed out") {
  queue jobs;
  job first, second;
  jobs.put(&first);
  jobs.put(&second);
  std::vector<job*> left;
  jobs.drain([&](job* one) { left.push_back(one); });
  CHECK(left == std::vector<job*>{&first, &second});
}

TEST_CASE("every job of several threads is run once, by several workers") {
  constexpr std::size_t producers = 3, each = 5000;
  std::vector<job> all(producers * each);
  std::atomic<std::size_t> done = 0;
  {
    pool workers(4);
    std::vector<std::thread> threads;
    for (std::size_t p = 0; p < producers; ++p)
      threads.emplace_back([&, p] {
        for (std::size_t i = 0; i < each; ++i) {
          all[p * each + i].run = [&] { ++done; };
          workers.jobs.put(&all[p * each + i]);
        }
      });
    for (auto& thread : threads) thread.join();
  }
  CHECK(done == all.size());
  CHECK(std::all_of(all.begin(), all.end(), [](const job& one) { return one.times == 1; }));
}

TEST_CASE("a helper takes what there is and does not wait for more") {
  queue jobs;
  queue::helper self;
  CHECK(jobs.try_take(self) == nullptr);
  job first, second;
  jobs.put(&first, self);
  jobs.put(&second);
  CHECK(jobs.try_take(self) == &first);
  CHECK(jobs.try_take(self) == &second);
  CHECK(jobs.try_take(self) == nullptr);
}

TEST_CASE("helpers and workers together run every job once") {
  constexpr std::size_t helpers = 3, each = 5000;
  std::vector<job> all(2 * helpers * each);  // half of them are put by the other half
  std::atomic<std::size_t> done = 0;
  {
    pool workers(2);
    std::vector<std::thread> threads;
    for (std::size_t h = 0; h < helpers; ++h)
      threads.emplace_back([&, h] {
        queue::helper self;
        const auto help = [&] {
          while (auto* one = workers.jobs.try_take(self)) {
            ++one->times;
            one->run();
          }
        };
        for (std::size_t i = 2 * h * each; i < 2 * (h + 1) * each; i += 2) {
          all[i].run = [&, i] {
            workers.jobs.put(&all[i + 1]);
            ++done;
          };
          all[i + 1].run = [&] { ++done; };
          workers.jobs.put(&all[i], self);
          if (i % 3 == 0) help();
        }
        workers.jobs.leave(self);
      });
    for (auto& thread : threads) thread.join();
    while (done != all.size()) std::this_thread::yield();
  }
  CHECK(std::all_of(all.begin(), all.end(), [](const job& one) { return one.times == 1; }));
}

/// Two jobs; the first does not end before the second was run. They outlive the workers that may still be leaving them.
struct pair {
  gate begun, freed;
  job stuck, behind;
};

TEST_CASE("what a helper leaves lying is run by a worker") {
  std::deque<pair> pairs(200);
  pool workers(1);
  for (auto& one : pairs) {
    queue::helper self;
    one.behind.run = [&] { one.freed.open(); };
    workers.jobs.put(&one.behind, self);
    workers.jobs.leave(self);
    one.freed.pass();
  }
}

TEST_CASE("jobs that pile up behind a helper are run by a worker before the helper comes to them") {
  constexpr std::size_t rounds = 200, each = 20;
  std::vector<job> all(rounds * each);
  std::atomic<std::size_t> done = 0;
  pool workers(1);
  for (std::size_t begin = 0; begin < all.size(); begin += each) {
    queue::helper self;
    for (std::size_t i = begin; i < begin + each; ++i) {
      all[i].run = [&] {
        ++done;
        done.notify_all();
      };
      workers.jobs.put(&all[i], self);
    }
    done.wait(begin);
    workers.jobs.leave(self);
    for (auto seen = done.load(); seen < begin + each; seen = done.load()) done.wait(seen);
  }
}

TEST_CASE("a job behind one that does not end is run by another worker") {
  std::deque<pair> pairs(200);
  pool workers(2);
  bool wait = false;
  for (auto& one : pairs) {
    one.behind.run = [&] { one.freed.open(); };
    one.stuck.run = [&] {
      one.begun.open();
      one.freed.pass();
    };
    workers.jobs.put(&one.stuck);
    if (wait = !wait; wait) one.begun.pass();  // else it perhaps was not begun
    workers.jobs.put(&one.behind);
    one.freed.pass();
  }
}

TEST_CASE("a job that a running one puts is run while that one goes on") {
  std::deque<pair> pairs(200);
  pool workers(3);
  for (auto& one : pairs) {
    one.behind.run = [&] { one.freed.open(); };
    one.stuck.run = [&] {
      workers.jobs.put(&one.behind);
      one.freed.pass();
      one.begun.open();
    };
    workers.jobs.put(&one.stuck);
    one.begun.pass();
  }
}

TEST_CASE("a job that a helper puts while it runs another is run while that one goes on") {
  std::deque<pair> pairs(200);
  pool workers(2);
  queue::helper self;
  const auto helping = std::this_thread::get_id();
  for (auto& one : pairs) {
    one.behind.run = [&] { one.freed.open(); };
    one.stuck.run = [&] {
      if (std::this_thread::get_id() == helping)
        workers.jobs.put(&one.behind, self);
      else  // a worker that was still awake got it first
        workers.jobs.put(&one.behind);
      one.freed.pass();
    };
    workers.jobs.put(&one.stuck, self);
    while (auto* next = workers.jobs.try_take(self)) next->run();
    one.freed.pass();
  }
}
