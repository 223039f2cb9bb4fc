#pragma once

#include <string>

#include "bench/load/workloads.hpp"

namespace mqlite::load {

/// The result as a table for people, or as one line of JSON (times in microseconds), as the plan wants it.
std::string report(const plan& what, const result& measured);

/// What does not add up between what was answered and what the server holds; empty when all is well.
std::string contradiction(const plan& what, const result& measured);

}  // namespace mqlite::load
