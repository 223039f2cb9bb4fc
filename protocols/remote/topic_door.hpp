#pragma once

#include <map>
#include <memory>
#include <unordered_map>
#include <vector>

#include "protocols/remote/actor_loop.hpp"
#include "protocols/remote/context.hpp"
#include "protocols/remote/feed.hpp"
#include "protocols/translate/operation_requests.hpp"

namespace mqlite::remote {

/// A topic, or one of its queues, as one client has it: turns what the client's actors ask into commands of the actor tree. It ends
/// with the client's session; waiting consumes, subscriptions and what was not handed over end with it.
///
/// A consume's messages count as handed over when the client's peer answers a ping that was sent behind them: by then they are in
/// the client's process.
class topic_door_state {
 public:
  /// `where.queue` is any_queue for a whole topic.
  topic_door_state(topic_door_actor::pointer self, std::shared_ptr<context> shared, wire::remote_peer peer,
                   request::queue_address where);
  ~topic_door_state();
  topic_door_actor::behavior_type make_behavior();

  static inline const char* name = "mqlite.topic_door";

 private:
  caf::result<wire::publish_results> on_publish(const wire::publish& command);
  caf::result<wire::message_batch> on_consume(const wire::consume& command);
  caf::result<wire::settled> on_settle(std::vector<std::string> ids, settlement what, std::int64_t queue,
                                       outcome<std::chrono::nanoseconds> value);
  caf::result<wire::subscribed> on_subscribe(const wire::subscribe& command);
  caf::result<void> on_unsubscribe(const wire::unsubscribe& command);
  caf::result<wire::peeked_batch> on_peek(const wire::peek& command);
  caf::result<wire::counted> on_purge(const wire::purge& command);
  caf::result<wire::peeked_batch> on_list_dead(const wire::list_dead& command);
  caf::result<wire::counted> on_redrive_dead(wire::redrive_dead& command);
  caf::result<wire::counted> on_purge_dead();
  caf::result<wire::topic_details> on_get_topic();
  caf::result<void> on_update_topic(const wire::update_topic& command);
  caf::result<wire::resized> on_resize_topic(const wire::resize_topic& command);
  caf::result<void> on_rebalance_topic();
  void on_finish();

  template <class Answer>
  auto promise() {
    return self_->make_response_promise<Answer>();
  }
  bool is_foreign(const wire::subscriber_actor& subscriber) const;
  /// The queue for consumers where the client names none.
  queue_number usual_queue() const noexcept { return where_.queue == any_queue ? 0 : where_.queue; }

  template <class Promise>
  void on_consumed(Promise promise, std::uint64_t wait, outcome<consumed> messages);
  void confirm_later(consumed messages);
  void send_ping();
  void end_feeds();
  void remove_feed(std::uint64_t number);

  topic_door_actor::pointer self_;
  std::shared_ptr<context> shared_;
  std::shared_ptr<void> counted_;
  wire::remote_peer peer_;
  request::queue_address where_;
  std::shared_ptr<gateway> broker_;
  std::uint64_t unanswered_bytes_ = 0;  ///< of publishes
  std::uint64_t last_number_ = 0;
  std::unordered_map<std::uint64_t, gateway::consume_token> waits_;
  bool waits_cancelled_ = false;
  std::map<std::uint64_t, std::shared_ptr<feed>> feeds_;
  // Messages that were answered: behind the ping that is under way, and before the next.
  std::vector<consumed> behind_ping_;
  std::vector<consumed> to_confirm_;
  std::uint64_t unconfirmed_bytes_ = 0;
  std::uint64_t behind_ping_bytes_ = 0;
  bool pinging_ = false;
};

}  // namespace mqlite::remote
