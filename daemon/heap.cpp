#include "daemon/heap.hpp"

#ifdef MQLITE_TCMALLOC

#include <gperftools/malloc_extension.h>
#include <pthread.h>
#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cstddef>

#include "daemon/release_policy.hpp"

namespace mqlite {
namespace {

constexpr std::size_t huge_page = 2U << 20;
// Between two looks at what is free.
constexpr std::chrono::seconds interval{2};

// Rises when the heap grows.
std::atomic<std::uint32_t> growth = 0;

/// Where the allocator takes memory from: where it did before, in whole and aligned huge pages. By itself it asks for 1 MiB at a
/// time, and a huge page of which only half is there at its first use is none.
class huge_page_source final : public SysAllocator {
 public:
  explicit huge_page_source(SysAllocator& usual) : usual_(usual) {}

  // The allocator holds its lock: nothing may be allocated here.
  void* Alloc(std::size_t size, std::size_t* actual_size, std::size_t alignment) override {
    size = (size + huge_page - 1) / huge_page * huge_page;
    void* memory = usual_.Alloc(size, actual_size, std::max(alignment, huge_page));
    if (memory == nullptr) return nullptr;
    madvise(memory, size, MADV_HUGEPAGE);  // a kernel without them: small pages, as ever
    growth.fetch_add(1, std::memory_order_relaxed);
    growth.notify_one();
    return memory;
  }

 private:
  SysAllocator& usual_;
};

std::size_t bytes(const char* what) {
  std::size_t value = 0;
  MallocExtension::instance()->GetNumericProperty(what, &value);
  return value;
}

}  // namespace

void use_huge_pages() {
  auto* allocator = MallocExtension::instance();
  auto* usual = allocator->GetSystemAllocator();
  if (usual == nullptr) return;                         // another allocator is preloaded
  static auto& source = *new huge_page_source(*usual);  // threads may allocate until the very end
  allocator->SetSystemAllocator(&source);
  allocator->SetMemoryReleaseRate(0);
}

heap_release::heap_release() : thread_([this] { run(); }) {}

heap_release::~heap_release() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stop_.notify_one();
  growth.fetch_add(1);
  growth.notify_one();
  thread_.join();
}

void heap_release::run() {
  pthread_setname_np(pthread_self(), "heap");
  release_policy policy;
  while (!stopped_within(interval)) {
    const auto grown = growth.load();
    const auto used = bytes("generic.current_allocated_bytes");
    const auto free = bytes("tcmalloc.pageheap_free_bytes");
    if (const auto idle = policy.look(free, used); idle > 0) MallocExtension::instance()->ReleaseToSystem(idle);
    if (free + used <= release_policy::least) growth.wait(grown);
  }
}

bool heap_release::stopped_within(std::chrono::nanoseconds time) {
  std::unique_lock lock(mutex_);
  return stop_.wait_for(lock, time, [this] { return stopping_; });
}

}  // namespace mqlite

#else

namespace mqlite {
void use_huge_pages() {}
heap_release::heap_release() = default;
heap_release::~heap_release() = default;
}  // namespace mqlite

#endif
