#include "protocols/net/offenders.hpp"

#include <spdlog/spdlog.h>

namespace mqlite {
namespace {

constexpr auto quiet_time = std::chrono::minutes(1);
constexpr std::size_t most_known = 4096;

}  // namespace

void offenders::report(const std::string& address, std::string_view what) {
  const auto now = clock::now();
  std::size_t silent = 0;
  {
    const std::lock_guard lock(mutex_);
    if (known_.size() >= most_known)
      std::erase_if(known_, [&](const auto& entry) { return now - entry.second.logged >= quiet_time; });
    if (known_.size() >= most_known) return;
    const auto [at, fresh] = known_.try_emplace(address, record{now, 0});
    if (!fresh) {
      if (now - at->second.logged < quiet_time) {
        ++at->second.silent;
        return;
      }
      silent = at->second.silent;
      at->second = {now, 0};
    }
  }
  if (silent == 0)
    spdlog::warn("{}: {}", address, what);
  else
    spdlog::warn("{}: {} ({} more since the last line about it)", address, what, silent);
}

}  // namespace mqlite
