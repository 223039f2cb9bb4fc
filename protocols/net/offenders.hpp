#pragma once

#include <chrono>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace mqlite {

/// Keeps the log readable when a peer misbehaves a thousand times: one line per address and a minute. Callable from every thread.
class offenders {
 public:
  /// Logs `what` `address` did, unless a line about it was written within the last minute.
  void report(const std::string& address, std::string_view what);

 private:
  using clock = std::chrono::steady_clock;

  /// Of an address that was reported: when, and how often it was passed over since.
  struct record {
    clock::time_point logged;
    std::size_t silent = 0;
  };

  std::mutex mutex_;
  std::unordered_map<std::string, record> known_;
};

}  // namespace mqlite
