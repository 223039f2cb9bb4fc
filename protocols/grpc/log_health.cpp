#include "protocols/grpc/log_health.hpp"

#include <grpcpp/health_check_service_interface.h>

#include "actors/gateway.hpp"
#include "proto/mqlite.grpc.pb.h"

namespace mqlite {
namespace {

constexpr auto pause = std::chrono::seconds(1);

}  // namespace

log_health::log_health(io_loop& loop, gateway& broker) : broker_(broker), timer_(loop.context().get_executor()) {}

void log_health::report_to(grpc::HealthCheckServiceInterface* service) {
  service_ = service;
  tell(true);
}

void log_health::look() {
  if (looking_ || stopped_) return;
  looking_ = true;
  broker_.log([this](const outcome<log_status>& log) {
    looking_ = false;
    if (!stopped_) tell(log && log->healthy);
  });
}

void log_health::stop() {
  stopped_ = true;
  timer_.cancel();
}

void log_health::tell(bool healthy) {
  if (service_ == nullptr) return;
  service_->SetServingStatus(healthy);
  service_->SetServingStatus(v1::MQLiteService::service_full_name(), healthy);
  if (healthy) return;
  timer_.expires_after(pause);
  timer_.async_wait([this](boost::system::error_code cancelled) {
    if (!cancelled) look();
  });
}

}  // namespace mqlite
