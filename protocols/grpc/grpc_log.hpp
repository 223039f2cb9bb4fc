#pragma once

namespace mqlite {

/// From now on gRPC's own log lines go to the broker's log.
void redirect_grpc_log();

}  // namespace mqlite
