#include "protocols/net/io_loop.hpp"

#include <pthread.h>
#include <sched.h>
#include <spdlog/spdlog.h>

#include <boost/asio/post.hpp>
#include <chrono>
#include <exception>
#include <future>
#include <utility>

#include "actors/gateway.hpp"

namespace mqlite {
namespace {

// Between two looks at the events.
constexpr int most_rounds = 4;

// About what a client on the same machine takes from an answer to its next request.
constexpr std::chrono::microseconds longest_spin{40};

// A client that shares its processor with the loop and writes one request to each of its connections is interrupted by the first
// one, and each burst is a single request; a batch thread leaves it the processor until it is done (64 connections that wait for
// each answer: 1.3 times as many publishes). Where a processor is idle, the loop runs at once as before.
void leave_the_waker_its_processor() noexcept {
#ifdef SCHED_BATCH
  int policy = 0;
  sched_param priority{};
  const bool usual = pthread_getschedparam(pthread_self(), &policy, &priority) == 0 && policy == SCHED_OTHER;
  if (usual)
    pthread_setschedparam(pthread_self(), SCHED_BATCH, &priority);  // where that is forbidden, it goes on as it is
#endif
}

/// Those that this process may use.
unsigned processors() noexcept {
#ifdef __linux__
  cpu_set_t usable;
  if (sched_getaffinity(0, sizeof usable, &usable) == 0) return static_cast<unsigned>(CPU_COUNT(&usable));
#endif
  return std::thread::hardware_concurrency();
}

// The one that runs in this thread.
thread_local const io_loop* loop_of_thread = nullptr;

class loop_adapter : public event_loop {
 public:
  explicit loop_adapter(io_loop& loop) : loop_(loop) {}
  void post(std::function<void()> f) override { loop_.post(std::move(f)); }

 private:
  io_loop& loop_;
};

}  // namespace

io_loop::io_loop() : io_loop(nullptr) {}

io_loop::io_loop(interlude between) : between_(std::move(between)), adapter_(std::make_unique<loop_adapter>(*this)) {}

io_loop::~io_loop() { stop(); }

void io_loop::start(std::string name) {
  thread_ = std::thread([this, name = std::move(name)] {
    pthread_setname_np(pthread_self(), name.c_str());
    leave_the_waker_its_processor();
    loop_of_thread = this;
    // An exception that reaches here is a bug of one handler; the connections of the others go on.
    for (;;) {
      try {
        run_events();
        return;
      } catch (const std::exception& e) {
        spdlog::error("a network event failed: {}", e.what());
      }
    }
  });
}

void io_loop::run_events() {
  answer();  // what an event whose handler threw has begun
  while (run_next() > 0) {
    context_.poll();  // what else has happened: one burst leads to few messages
    answer();
  }
  run_between();
}

/// Waits for an event and runs it; 0 when the loop has been stopped. With one client that waits for each answer twice as many
/// publishes as without the spin, with 128 of them on their way 1.3 times as many, at the same CPU time for each: to be put to sleep
/// and woken costs as much.
std::size_t io_loop::run_next() {
  static const bool alone = processors() == 1;  // whoever sends has to run meanwhile
  if (!alone && spin_.spins()) {
    if (const auto ran = context_.poll_one()) return ran;  // it was there: to sleep would have cost nothing
    const auto end = std::chrono::steady_clock::now() + longest_spin;
    do {
      if (const auto ran = context_.poll_one()) {
        spin_.found();
        return ran;
      }
    } while (std::chrono::steady_clock::now() < end);
    spin_.found_nothing();
  }
  return context_.run_one();
}

/// Runs what the events have posted, and what lies between them, and at once what that posts here: mostly the answers to what the
/// events were. Posts of other threads need not wake the loop meanwhile; its own never do.
void io_loop::answer() {
  {
    const std::lock_guard lock(mutex_);
    drains_soon_ = true;
  }
  bool posted = true;
  for (int rounds = 0; rounds < most_rounds && posted; ++rounds) {
    const bool waited = run_between();
    posted = drain() || waited;
  }
  run_deferred();
  {
    const std::lock_guard lock(mutex_);
    drains_soon_ = false;
    posted = posted || !posted_.empty();
  }
  if (posted) boost::asio::post(context_, [this] { drain(); });  // there may be more: after a look at the events
}

/// True when it has waited for something: that may have led to more.
bool io_loop::run_between() {
  const auto waiting = between_ ? between_() : nullptr;
  if (!waiting) return false;
  run_deferred();
  bool drains_soon, wakes;
  {
    const std::lock_guard lock(mutex_);
    drains_soon = std::exchange(drains_soon_, false);
    wakes = drains_soon && !posted_.empty();
  }
  if (wakes) boost::asio::post(context_, [this] { drain(); });
  waits_ = true;
  stand_in_.wait(waiting);
  waits_ = false;
  {
    const std::lock_guard lock(mutex_);
    drains_soon_ = drains_soon;
  }
  return true;
}

void io_loop::stop() {
  context_.stop();
  if (thread_.joinable()) thread_.join();
  std::vector<std::function<void()>> dropped;
  {
    const std::lock_guard lock(mutex_);
    dropped.swap(posted_);
  }
  dropped.clear();
  dropped.swap(deferred_);
}

void io_loop::post(std::function<void()> f) {
  bool first;
  {
    const std::lock_guard lock(mutex_);
    first = posted_.empty() && !drains_soon_ && loop_of_thread != this;
    posted_.push_back(std::move(f));
  }
  if (first) boost::asio::post(context_, [this] { drain(); });
}

void io_loop::defer(std::function<void()> f) {
  if (deferred_.empty() && waits_) boost::asio::post(context_, [this] { run_deferred(); });
  deferred_.push_back(std::move(f));
}

void io_loop::run(const std::function<void()>& f) {
  std::promise<void> ran;
  post([&] {
    f();
    ran.set_value();
  });
  ran.get_future().wait();
}

bool io_loop::drain() {
  {
    const std::lock_guard lock(mutex_);
    running_.swap(posted_);
  }
  if (running_.empty()) return false;
  run_all(running_, "posted");
  return true;
}

void io_loop::run_deferred() {
  running_deferred_.swap(deferred_);
  run_all(running_deferred_, "deferred");
}

void io_loop::run_all(std::vector<std::function<void()>>& functions, const char* what) {
  for (auto& f : functions) {
    try {
      f();
    } catch (const std::exception& e) {
      spdlog::error("a {} function failed: {}", what, e.what());
    }
    f = nullptr;
  }
  functions.clear();
}

}  // namespace mqlite
