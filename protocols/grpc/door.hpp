#pragma once

#include <atomic>
#include <boost/intrusive/list.hpp>
#include <functional>
#include <memory>
#include <string>

#include "actors/gateway.hpp"
#include "config/settings.hpp"
#include "protocols/grpc/log_health.hpp"
#include "protocols/net/io_loop.hpp"
#include "protocols/net/latency_histogram.hpp"
#include "protocols/translate/publish_requests.hpp"

namespace mqlite {

/// A call that the broker was asked for and that is not answered yet, or a stream that goes on. Member of grpc_door's list.
class open_call : public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  /// The server is stopping: ends a stream, and cuts a wait short. In the loop's thread.
  virtual void shut_down() = 0;
  /// The server's patience is over: answers without the broker. In the loop's thread.
  virtual void abandon() = 0;

 protected:
  ~open_call() = default;
};

/// What all calls share: the loop, its gateway, and the list of calls. gRPC's threads translate requests and post to the loop,
/// the only thread that asks the broker; its completions answer the calls.
class grpc_door {
 public:
  /// `between_events` is for the loop: see io_loop.
  grpc_door(broker_actor broker, limit_settings limits, std::shared_ptr<latency_histogram> publish_times,
            interlude between_events);

  io_loop& loop() noexcept { return loop_; }
  gateway& broker() noexcept { return *broker_; }
  latency_histogram& publish_times() noexcept { return *publish_times_; }
  log_health& health() noexcept { return health_; }

  /// What holds for a publish that was read now. Callable from every thread.
  publish_terms terms() const;

  // -- in the loop's thread ---------------------------------------------------------------------------------------------------

  bool stopping() const noexcept { return stopping_; }
  void opened(open_call& call) { calls_.push_back(call); }
  /// Of a call that may have been closed before.
  void closed(open_call& call);

  /// Begins to stop; `when_empty` runs once all calls are closed.
  void shut_down(std::function<void()> when_empty);
  /// Ends the calls that are still open, and what is asked for from now on.
  void abandon();

 private:
  io_loop loop_;
  std::shared_ptr<gateway> broker_;
  limit_settings limits_;
  std::shared_ptr<latency_histogram> publish_times_;
  log_health health_;
  boost::intrusive::list<open_call, boost::intrusive::constant_time_size<false>> calls_;
  std::function<void()> when_empty_;
  bool stopping_ = false;
};

}  // namespace mqlite
