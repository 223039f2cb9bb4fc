#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "actors/operations.hpp"
#include "protocols/net/connection_counter.hpp"

namespace mqlite {

/// What statistics say about the process besides what the actors know.
struct server_facts {
  std::string version;
  std::uint64_t max_memory = 0;  ///< bytes, 0 = no limit
  std::shared_ptr<connection_counter> connections;
  std::chrono::steady_clock::time_point started = std::chrono::steady_clock::now();
};

/// How much statistics say.
enum class stats_detail {
  totals,  ///< the broker as a whole
  topics,  ///< also each topic, under `topics`
};

/// The broker's statistics as a JSON object: the same on every protocol.
void append_stats(std::string& out, const server_facts& facts, const broker_stats& stats,
                  stats_detail detail = stats_detail::totals);

}  // namespace mqlite
