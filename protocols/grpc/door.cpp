#include "protocols/grpc/door.hpp"

#include <chrono>

namespace mqlite {

grpc_door::grpc_door(broker_actor broker, limit_settings limits, std::shared_ptr<latency_histogram> publish_times,
                     interlude between_events)
    : loop_(std::move(between_events)),
      broker_(std::make_shared<gateway>(std::move(broker), loop_.as_event_loop())),
      limits_(limits),
      publish_times_(std::move(publish_times)),
      health_(loop_, *broker_) {}

publish_terms grpc_door::terms() const {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return {std::chrono::duration_cast<std::chrono::nanoseconds>(now).count(), limits_.max_message_bytes};
}

void grpc_door::closed(open_call& call) {
  if (call.is_linked()) call.unlink();
  if (when_empty_ && calls_.empty()) std::exchange(when_empty_, nullptr)();
}

void grpc_door::shut_down(std::function<void()> when_empty) {
  stopping_ = true;
  health_.stop();
  for (auto i = calls_.begin(); i != calls_.end();) (i++)->shut_down();
  if (calls_.empty()) return when_empty();
  when_empty_ = std::move(when_empty);
}

void grpc_door::abandon() {
  when_empty_ = nullptr;
  for (auto i = calls_.begin(); i != calls_.end();) (i++)->abandon();
}

}  // namespace mqlite
