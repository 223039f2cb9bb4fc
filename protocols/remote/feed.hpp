#pragma once

#include <functional>
#include <map>
#include <memory>

#include "actors/gateway.hpp"
#include "protocols/remote/actor_loop.hpp"
#include "protocols/remote/wire_answers.hpp"

namespace mqlite::remote {

/// One subscription of a client's actor; runs in the topic door that holds it. What the actor did not acknowledge returns to its
/// queue when this ends. What was sent and not confirmed by then counts as delivered, so that a message that ends its consumers
/// becomes a dead letter some day; only under auto_ack, where that would lose it, it counts as not delivered.
class feed final : public subscriber_sink, public std::enable_shared_from_this<feed> {
 public:
  /// `over` is called when the queue has ended the subscription, or the actor does not take what it is sent.
  feed(topic_door_actor::pointer self, std::uint64_t number, wire::subscriber_actor to, bool auto_ack,
       std::function<void(std::uint64_t)> over)
      : self_(self), number_(number), to_(std::move(to)), auto_ack_(auto_ack), over_(std::move(over)) {}

  const wire::subscriber_actor& to() const noexcept { return to_; }

  void hold(subscription running);
  /// Ends the subscription. The subscription holds this as its sink: nothing else would destroy it.
  void end();
  bool ended() const noexcept { return ended_; }

  // -- subscriber_sink --------------------------------------------------------------------------------------------------------

  void deliver(consumed messages) override;
  void closed(failure why) override;

 private:
  void send(consumed messages);
  void on_taken(std::uint64_t batch);

  topic_door_actor::pointer self_;
  std::uint64_t number_;
  wire::subscriber_actor to_;
  bool auto_ack_;
  std::function<void(std::uint64_t)> over_;
  subscription subscription_;
  std::map<std::uint64_t, consumed> under_way_;  ///< sent, not confirmed
  std::uint64_t last_batch_ = 0;
  std::vector<consumed> early_;  ///< came before the client knows the subscription's number
  bool ended_ = false;
};

}  // namespace mqlite::remote
