#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

#include "actors/clock.hpp"
#include "actors/interfaces.hpp"

namespace mqlite {

/// What every actor of the tree is given by its parent: the seams to the world, and settings of the whole broker.
struct environment {
  std::shared_ptr<const mqlite::clock> clock;
  persistence_actor log;         ///< null when nothing is kept on disk
  std::uint64_t seed = 0;        ///< for ids
  topic_settings defaults;       ///< of new topics
  std::uint64_t max_memory = 0;  ///< bytes of messages above which publishes are refused; 0 = no limit
  std::chrono::nanoseconds drain_timeout = std::chrono::seconds(30);
  std::size_t plenty = 16;         ///< messages ready in a queue that let its topic send it others by the batch
  std::size_t arrival_batch = 64;  ///< messages in such a batch
};
using environment_ptr = std::shared_ptr<const environment>;

}  // namespace mqlite
