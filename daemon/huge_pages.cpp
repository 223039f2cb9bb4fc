#include "daemon/huge_pages.hpp"

#ifdef MQLITE_TCMALLOC

#include <gperftools/malloc_extension.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstddef>

namespace mqlite {
namespace {

constexpr std::size_t huge_page = 2U << 20;

/// Where the allocator takes memory from: where it did before, in whole and aligned huge pages. By itself it asks for 1 MiB at a time, and
/// of a huge page only half of which is there at its first use nothing comes.
class huge_page_source final : public SysAllocator {
 public:
  explicit huge_page_source(SysAllocator& usual) : usual_(usual) {}

  // The allocator holds its lock: nothing may be allocated here.
  void* Alloc(std::size_t size, std::size_t* actual_size, std::size_t alignment) override {
    size = (size + huge_page - 1) / huge_page * huge_page;
    void* memory = usual_.Alloc(size, actual_size, std::max(alignment, huge_page));
    if (memory != nullptr) madvise(memory, size, MADV_HUGEPAGE);  // a kernel without them: small pages, as ever
    return memory;
  }

 private:
  SysAllocator& usual_;
};

}  // namespace

void use_huge_pages() {
  auto* allocator = MallocExtension::instance();
  auto* usual = allocator->GetSystemAllocator();
  if (usual == nullptr) return;                         // another one is preloaded
  static auto& source = *new huge_page_source(*usual);  // threads may allocate until the very end
  allocator->SetSystemAllocator(&source);
}

}  // namespace mqlite

#else

namespace mqlite {
void use_huge_pages() {}
}  // namespace mqlite

#endif
