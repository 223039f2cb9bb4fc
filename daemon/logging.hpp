#pragma once

#include "config/settings.hpp"

namespace mqlite {

/// Sets up spdlog's default logger: to stderr, as lines for people or as JSON objects.
void set_up_logging(const log_settings& settings);

}  // namespace mqlite
