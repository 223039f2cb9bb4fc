#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace mqlite {

/// Who counts connections.
enum class protocol { http, grpc, tcp, caf };
inline constexpr std::array<std::string_view, 4> protocol_names = {"http", "grpc", "tcp", "caf"};

/// Open connections of all protocols, under one limit. Every front end shares it; callable from every thread.
class connection_counter {
 public:
  explicit connection_counter(std::uint64_t most) noexcept : most_(most) {}

  /// Counts a connection, or says no: the limit is reached.
  bool enter(protocol which) noexcept {
    if (all_.fetch_add(1, std::memory_order_relaxed) >= most_) {
      all_.fetch_sub(1, std::memory_order_relaxed);
      return false;
    }
    open_[static_cast<std::size_t>(which)].fetch_add(1, std::memory_order_relaxed);
    return true;
  }

  /// A counted connection was closed.
  void leave(protocol which) noexcept {
    open_[static_cast<std::size_t>(which)].fetch_sub(1, std::memory_order_relaxed);
    all_.fetch_sub(1, std::memory_order_relaxed);
  }

  std::uint64_t open(protocol which) const noexcept {
    return open_[static_cast<std::size_t>(which)].load(std::memory_order_relaxed);
  }
  std::uint64_t most() const noexcept { return most_; }

 private:
  std::uint64_t most_;
  std::atomic<std::uint64_t> all_{0};
  std::array<std::atomic<std::uint64_t>, protocol_names.size()> open_{};
};

}  // namespace mqlite
