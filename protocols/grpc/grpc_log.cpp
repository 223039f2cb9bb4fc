#include "protocols/grpc/grpc_log.hpp"

#include <grpc/support/log.h>
#include <spdlog/spdlog.h>

namespace mqlite {
namespace {

// What gRPC calls an error is a peer that misbehaves, as a rule: an error of the broker it is not.
void write_line(gpr_log_func_args* line) {
  spdlog::log(line->severity == GPR_LOG_SEVERITY_ERROR ? spdlog::level::warn : spdlog::level::debug, "grpc: {}",
              line->message);
}

}  // namespace

void redirect_grpc_log() { gpr_set_log_function(write_line); }

}  // namespace mqlite
