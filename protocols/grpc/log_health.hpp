#pragma once

#include "protocols/net/io_loop.hpp"
#include "protocols/net/sockets.hpp"

namespace grpc {
class HealthCheckServiceInterface;
}

namespace mqlite {

class gateway;

/// Tells grpc.health.v1 whether the log can be written. Belongs to its loop's thread.
///
/// Operation: a publish that is refused as UNAVAILABLE makes it ask; while the log is not healthy it asks again every second, so
/// that an idle broker has nothing to do.
class log_health {
 public:
  log_health(io_loop& loop, gateway& broker);

  /// From now on `service` is told, first that all is well; null ends that. The service outlives this or is taken away before
  /// it ends.
  void report_to(grpc::HealthCheckServiceInterface* service);
  /// Asks the log, unless it is being asked.
  void look();
  /// Asks no more.
  void stop();

 private:
  void tell(bool healthy);

  gateway& broker_;
  loop_timer timer_;
  grpc::HealthCheckServiceInterface* service_ = nullptr;
  bool looking_ = false;
  bool stopped_ = false;
};

}  // namespace mqlite
