#pragma once

#include <memory>
#include <string>

#include "actors/broker/broker_actor.hpp"
#include "actors/clock.hpp"
#include "config/settings.hpp"
#include "persistence/log_writer.hpp"
#include "persistence/posix_file_system.hpp"

namespace mqlite {

/// The log as it was found at the start, ready to be appended to, and what it held.
struct opened_storage {
  std::shared_ptr<log_writer> writer;
  broker_birth birth;
};

/// Locks the log's folder and replays what is in it; reports what was found and how long it took. Throws std::runtime_error with
/// one line that says what is in the way and what to do.
opened_storage open_storage(file_system& files, const aof_settings& settings, const clock& time);

}  // namespace mqlite
