#pragma once

namespace mqlite {

/// From now on the allocator gets its memory by 2 MiB that the kernel may back with one huge page each, where its setting
/// `transparent_hugepage` is `madvise` or `always`: what waits in queues takes a page fault for thousands of messages rather than for
/// fourteen. Nothing, in a build without gperftools' allocator. To be called before there are threads.
void use_huge_pages();

}  // namespace mqlite
