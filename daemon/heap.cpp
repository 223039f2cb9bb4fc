#include "daemon/heap.hpp"

#ifdef MQLITE_TCMALLOC

#include <gperftools/malloc_extension.h>
#include <pthread.h>
#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <utility>

#include "daemon/prepared_blocks.hpp"
#include "daemon/release_policy.hpp"

namespace mqlite {
namespace {

constexpr std::size_t huge_page = prepared_blocks::size;
// Between two looks at what is free.
constexpr std::chrono::seconds shortest_pause{2};
constexpr std::chrono::seconds longest_pause{64};
// Bytes that are given back at once.
constexpr std::size_t slice = std::size_t{32} << 20;

// Rises when the heap grows.
std::atomic<std::uint32_t> growth = 0;
prepared_blocks prepared;

/// Where the allocator takes memory from: where it did before, in whole and aligned huge pages. By itself it asks for 1 MiB at a
/// time, and a huge page of which only half is there at its first use is none.
class huge_page_source final : public SysAllocator {
 public:
  explicit huge_page_source(SysAllocator& usual) : usual_(usual) {}

  // The allocator holds its lock: nothing may be allocated here.
  void* Alloc(std::size_t size, std::size_t* actual_size, std::size_t alignment) override {
    const auto rounded = (size + huge_page - 1) / huge_page * huge_page;
    void* memory = rounded == huge_page && alignment <= huge_page ? prepared.take() : nullptr;
    if (memory != nullptr) {
      *actual_size = huge_page;
      return grown(memory);
    }
    if (rounded >= size) memory = usual_.Alloc(rounded, actual_size, std::max(alignment, huge_page));
    if (memory != nullptr)
      madvise(memory, rounded, MADV_HUGEPAGE);  // a kernel without them: small pages, as ever
    else
      memory = usual_.Alloc(size, actual_size, alignment);  // there may be room for that
    return grown(memory);
  }

 private:
  static void* grown(void* memory) noexcept {
    growth.fetch_add(1, std::memory_order_relaxed);
    growth.notify_one();
    return memory;
  }

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
  if (usual == nullptr) return;                         // under valgrind, which brings its own
  static auto& source = *new huge_page_source(*usual);  // threads may allocate until the very end
  allocator->SetSystemAllocator(&source);
  if (std::getenv("TCMALLOC_RELEASE_RATE") == nullptr) allocator->SetMemoryReleaseRate(0);
}

heap_growth::heap_growth()
    : thread_([] {
        pthread_setname_np(pthread_self(), "heap-growth");
        prepared.run();
      }) {}

heap_growth::~heap_growth() {
  prepared.end();
  thread_.join();
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

// A broker whose heap stays as it is looks more and more rarely, and one whose heap is small waits until it grows.
void heap_release::run() {
  pthread_setname_np(pthread_self(), "heap");
  release_policy policy;
  std::size_t free_before = 0;
  std::size_t used_before = 0;
  for (auto pause = shortest_pause;;) {
    const auto grown = growth.load();  // before it is seen that there is no stop yet: a stop lets it grow
    if (stopped_within(pause)) return;
    const auto used = bytes("generic.current_allocated_bytes");
    const auto free = bytes("tcmalloc.pageheap_free_bytes");
    const bool same = std::exchange(free_before, free) == free && std::exchange(used_before, used) == used;
    auto idle = policy.look(free, used);
    pause = same && idle == 0 ? std::min(2 * pause, longest_pause) : shortest_pause;
    // Others who need memory wait meanwhile.
    for (; idle > 0; idle -= std::min(idle, slice)) MallocExtension::instance()->ReleaseToSystem(std::min(idle, slice));
    if (free + used > release_policy::least) continue;
    growth.wait(grown);
    pause = shortest_pause;
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
heap_growth::heap_growth() = default;
heap_growth::~heap_growth() = default;
heap_release::heap_release() = default;
heap_release::~heap_release() = default;
}  // namespace mqlite

#endif
