#pragma once

#include <grpcpp/support/status.h>

#include "actors/errors.hpp"

namespace mqlite {

/// A refusal as gRPC says it, by the one table of errors.
grpc::Status status_of(const failure& why);

/// What calls are told that the server's stop cuts off.
grpc::Status shutting_down_status();

/// The answer to a call whose client has gone; nobody reads it.
grpc::Status cancelled_status();

}  // namespace mqlite
