#pragma once

#include <memory>

#include "bench/load/door.hpp"

namespace mqlite::load {

/// gRPC: unary calls, or publishes through one PublishStream for each connection.
std::unique_ptr<door> make_grpc_door(const plan& what);

}  // namespace mqlite::load
