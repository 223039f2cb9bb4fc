#pragma once

#include <memory>
#include <string>

#include "config/settings.hpp"

namespace mqlite {

/// Runs the broker until SIGTERM or SIGINT, then ends it in order. Throws std::runtime_error with one line when it cannot start.
/// Signals must be blocked in the calling thread, and no other thread started yet.
void run_broker(const settings& config, const std::string& version);

}  // namespace mqlite
