#pragma once

#include <map>
#include <string>

#include "persistence/log_survey.hpp"
#include "tools/check/live_state.hpp"

namespace mqlite::check {

/// The lines of damage: none for a sound log.
std::string damage_text(const log_survey& survey);

/// What is in a folder, for people.
std::string report_text(const log_survey& survey, const std::map<std::string, std::uint64_t>& kinds,
                        std::uint64_t messages, const live_counts& live);

}  // namespace mqlite::check
