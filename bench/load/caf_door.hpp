#pragma once

#include <memory>

#include "bench/load/door.hpp"

namespace mqlite::load {

/// CAF, through the client library: each connection is an actor system of its own, because one system has one connection to a node.
/// That is some threads for each, so there are at most 256.
std::unique_ptr<door> make_caf_door(const plan& what);

}  // namespace mqlite::load
