#include "daemon/prepared_blocks.hpp"

#include <sys/mman.h>

#include <utility>

namespace mqlite {
namespace {

constexpr std::size_t small_page = 4096;
// Address space that is asked for at once.
constexpr std::size_t region = 32 * prepared_blocks::size;

}  // namespace

void* prepared_blocks::take() noexcept {
  void* block = nullptr;
  for (auto& one : ready_)
    if (block = one.exchange(nullptr, std::memory_order_acquire); block != nullptr) break;
  tell();
  return block;
}

void prepared_blocks::tell() noexcept {
  asked_.fetch_add(1);
  asked_.notify_one();
}

void prepared_blocks::end() noexcept {
  ended_ = true;
  tell();
}

void prepared_blocks::run() {
  using clock = std::chrono::steady_clock;
  auto seen = asked_.load();
  for (auto last = clock::now() - row; !ended_;) {
    asked_.wait(seen);
    seen = asked_.load();
    const auto now = clock::now();
    if (now - std::exchange(last, now) < row && !ended_) fill();
  }
  ended_ = false;
}

void prepared_blocks::fill() {
  for (auto& one : ready_)
    if (one.load(std::memory_order_relaxed) == nullptr) one.store(prepare(), std::memory_order_release);
}

/// Null when the system has no more, which whoever takes elsewhere will find out as well.
void* prepared_blocks::prepare() noexcept {
  if (left_ == 0) {
    auto* memory =
        mmap(nullptr, region + size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) return nullptr;
    auto* begin = static_cast<std::byte*>(memory);
    const auto before = (size - reinterpret_cast<std::uintptr_t>(begin) % size) % size;
    if (before > 0) munmap(begin, before);
    munmap(begin + before + region, size - before);
    next_ = begin + before;
    left_ = region;
    madvise(next_, region, MADV_HUGEPAGE);  // a kernel without them: small pages
  }
  auto* block = std::exchange(next_, next_ + size);
  left_ -= size;
  for (std::size_t at = 0; at < size; at += small_page) static_cast<volatile std::byte&>(block[at]) = std::byte{};
  return block;
}

}  // namespace mqlite
