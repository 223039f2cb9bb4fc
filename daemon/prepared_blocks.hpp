#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace mqlite {

/// Memory that the kernel has cleared before anybody asks for it. The first touch of a page waits until the kernel has found and cleared
/// it, and on a virtual machine until the host has done so too; that can be done by another thread.
///
/// Operation: whoever takes blocks in a row finds the next ones ready, as far as the thread in run() keeps up. Blocks that are taken now
/// and then are not prepared: memory that may not be needed soon is left alone.
class prepared_blocks {
 public:
  /// Bytes of a block, and what its address is a multiple of: a huge page of the kernel.
  static constexpr std::size_t size = std::size_t{2} << 20;
  /// How many are ready at most.
  static constexpr std::size_t most = 2;
  /// Takes that are further apart are not in a row.
  static constexpr std::chrono::seconds row{1};

  /// A block for good; null when none is ready, and then the caller gets its memory elsewhere. For one thread at a time; takes no lock
  /// and allocates nothing.
  void* take() noexcept;

  /// Prepares blocks until end(), in the calling thread: one at a time. May be called again afterwards.
  void run();
  void end() noexcept;

 private:
  void tell() noexcept;
  void fill();
  void* prepare() noexcept;

  std::array<std::atomic<void*>, most> ready_{};
  std::atomic<std::uint32_t> asked_ = 0;  ///< rises with each take, and at the end
  std::atomic<bool> ended_ = false;
  std::byte* next_ = nullptr;  ///< of the thread that prepares: what is left of the kernel's last answer
  std::size_t left_ = 0;
};

}  // namespace mqlite
