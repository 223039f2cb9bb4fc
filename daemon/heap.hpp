#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

/// What the broker asks of gperftools' allocator. In a build without it, nothing.
namespace mqlite {

/// From now on memory comes by 2 MiB that the kernel may back with one huge page each, where its setting `transparent_hugepage` is
/// `madvise` or `always`: what waits in queues takes a page fault for thousands of messages rather than for fourteen (where a fault takes
/// 11 us, as on some virtual machines: 2.1 times the publishes a second, at 0.36 of the CPU). To be called before there are
/// threads.
void use_huge_pages();

/// As long as it exists, a heap that grows finds its next huge pages cleared: by a thread of its own, see prepared_blocks. (Where that
/// takes 3 ms a page, as on some virtual machines, half of the time of a loop that takes publishes: 1.2 to 1.3 times as many.)
class heap_growth {
 public:
  heap_growth();
  ~heap_growth();
  heap_growth(const heap_growth&) = delete;
  heap_growth& operator=(const heap_growth&) = delete;

 private:
  std::thread thread_;
};

/// As long as it exists, memory that the heap has not used for some seconds goes back to the system. By itself the allocator
/// gives back next to nothing.
class heap_release {
 public:
  heap_release();
  ~heap_release();
  heap_release(const heap_release&) = delete;
  heap_release& operator=(const heap_release&) = delete;

 private:
  void run();
  bool stopped_within(std::chrono::nanoseconds time);

  std::mutex mutex_;
  std::condition_variable stop_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace mqlite
