#pragma once

#include <algorithm>
#include <memory>
#include <unordered_map>

#include "actors/environment.hpp"
#include "actors/log/log_appender.hpp"
#include "actors/log/records.hpp"
#include "actors/queue/consumers.hpp"
#include "actors/queue/queue_core.hpp"

namespace mqlite {

/// What a queue is born with.
struct queue_birth {
  std::uint64_t topic_id = 0;
  queue_number number = 0;
  bool alone = false;  ///< until it hears of siblings
  topic_actor topic;
  topic_settings settings;
  std::shared_ptr<queue_core> core;  ///< what the log held; null = empty
};

/// One queue: a queue_core, the consumers that wait for it, and the records of what it does.
///
/// **Records before hand-offs.** A lease is written before its message goes out, a move before its messages do, and an
/// acknowledgement is answered when it is as durable as promised: no later record, from whichever actor, can overtake it.
///
/// **When the log fails**, acknowledgements, purges and moves are refused. Deliveries go on: a lease that is not recorded makes a
/// redelivery after a restart possible, no more.
class queue_state {
 public:
  queue_state(queue_actor::pointer self, environment_ptr env, queue_birth birth);
  ~queue_state();
  queue_actor::behavior_type make_behavior();

  static inline const char* name = "mqlite.queue";

 private:
  using then = log_appender::continuation;
  using hand_out_to = std::function<void(outcome<consumed>)>;
  // Ids in one record: enough to be quick, little enough to bound the record.
  // Messages that a snapshot takes at once: some hundred microseconds of the queue's time.
  static constexpr std::size_t slice_size = 2'000;

  // -- handlers ---------------------------------------------------------------------------------------------------------------
  void on_arrived(event::arrived& event);
  void on_stolen(event::stolen& event);
  void on_adopted(event::adopted& event);
  caf::result<given> on_give(const give& request);
  caf::result<collected> on_collect(const collect& request);
  caf::result<surrendered> on_surrender(const surrender& request);
  void on_wake();
  void on_consume(command::consume& command);
  void on_handed(const event::handed& event);
  void on_settle(command::settle& command);
  void on_subscribe(command::subscribe& command);
  void on_unsubscribe(const event::unsubscribe& event);
  void on_peek(command::peek& command);
  void on_purge(command::purge& command);
  oldest_found on_find_oldest(const find_oldest& request);
  caf::result<oldest_dropped> on_drop_oldest(const event::drop_oldest& event);
  void on_settings(const event::settings_changed& event);
  void on_dropped();
  caf::result<queue_snapshot_begun> on_begin_snapshot();
  queue_slice on_next_slice();
  reported on_report();

  // -- delivering (queue_delivery.cpp) ----------------------------------------------------------------------------------------
  /// Does what time has made due.
  void catch_up();
  /// Gives waiting messages to waiting consumers, asks for more where that leaves somebody hungry, and sets the timer.
  void serve();
  void serve_subscribers();
  /// The record of its end could not be written: the message is what it was, as far as its consumer is still there.
  void restore(queue_core::settled_from before);
  void forget(entry_handle h);
  /// Leases `taken` to whoever `to` passes them to, once the record of it is written.
  void hand_out(const std::vector<entry_handle>& taken, std::uint64_t batch, bool auto_ack,
                std::chrono::nanoseconds lease, std::uint64_t subscription, hand_out_to to);
  void hand_out(const consume_options& options, hand_out_to to);
  hand_over make_hand_over(event::handed report);
  /// They never reached their consumer.
  void put_back(const std::vector<entry_handle>& entries, bool auto_ack);
  void acknowledge_handed(const std::vector<entry_handle>& entries);
  void answer_empty(const reply<consumed>& answer);
  void arm();

  /// How arrivals come.
  enum class supply {
    direct,     ///< each as soon as it is stored
    by_batch,   ///< there is plenty to give out
    exhausted,  ///< there was; the topic has been told to send what waits with it
  };
  /// Tells the topic when it may send arrivals by the batch, and when not any more.
  void tell_supply();

  // -- settling (queue_settling.cpp) ------------------------------------------------------------------------------------------
  /// The targets that are here; the others end up in `rest`, or among the stale and unknown of `command.so_far`.
  std::vector<entry_handle> held(command::settle& command, std::vector<settle_target>& rest) const;
  /// They are gone once the record of it is as durable as promised; when it fails, nothing has changed.
  void let_go(const std::vector<entry_handle>& entries, then and_then);
  void take_back(const std::vector<entry_handle>& entries, std::int64_t not_before, settled& so_far, then and_then);
  void extend(const std::vector<entry_handle>& entries, std::int64_t until, then and_then);
  void bury(const std::vector<burial>& burials);
  void bury(std::vector<entry_handle> entries, dead_reason reason);
  void tell_released(std::int64_t messages, std::int64_t bytes);
  /// More is waiting than `before`, and the topic did not send it.
  void tell_replenished(std::size_t before);

  // -- stealing (queue_stealing.cpp) ------------------------------------------------------------------------------------------
  enum class hunger {
    none,      ///< nobody waits in vain
    asking,    ///< the topic was asked, and has not answered
    starving,  ///< there was nothing to take; the topic will wake this queue
  };
  bool hungry() { return core_->ready() == 0 && (!waiters_.empty() || subscribers_.hungry()); }
  bool may_steal() const { return core_->settings().steal == steal_policy::half && !draining_ && !alone_; }
  void ask_to_rebalance();
  void rebalanced_by(std::uint64_t moved);
  void answer_impatient();
  void fed_by_topic();

  std::int64_t now() const { return env_->clock->now(); }
  std::chrono::nanoseconds lease_of(std::chrono::nanoseconds asked) const {
    return asked.count() > 0 ? asked : core_->settings().ack_timeout;
  }
  queue_actor me() const;
  failure gone() const;
  /// Appends what `make` makes of the ids, in as many records as keep each of them small; goes on when all are stored, or one was not.
  template <class Make>
  void append_parts(const std::vector<message_id>& ids, durability level, Make make, then and_then) {
    using records::most_ids;
    for (std::size_t i = 0; i < ids.size() || i == 0; i += most_ids) {
      records::id_list part;
      for (std::size_t j = i; j < std::min(i + most_ids, ids.size()); ++j) part.add(ids[j]);
      const bool last = i + most_ids >= ids.size();
      log_.append(part.empty() ? std::string() : make(part), level,
                  last ? std::move(and_then) : then([](const failure*) {}));
    }
  }

  queue_actor::pointer self_;
  environment_ptr env_;
  std::uint64_t topic_id_;
  queue_number number_;
  bool alone_;  ///< there is nobody to steal from
  topic_actor topic_;
  std::shared_ptr<queue_core> core_;
  log_appender log_;
  waiter_list waiters_;
  subscriber_ring subscribers_;
  hunger hunger_ = hunger::none;
  supply supply_ = supply::direct;
  bool ask_again_ = false;  ///< somebody came who must not be answered from the question that is under way
  bool draining_ = false;
  std::uint64_t last_batch_ = 0;
  event::released released_;  ///< not yet told to the topic
  /// Hand-overs whose outcome came while the record of the message's end was being written; needed only if that fails.
  std::unordered_map<entry_handle, bool> handed_while_settling_;
  std::uint64_t snapshots_ = 0;  ///< number of the last one; rises once more when it is given up
  std::int64_t armed_ = timer_heap<int>::never;
  std::uint64_t received_ = 0;        ///< messages that the topic knows to have come here
  std::uint64_t unwritten_acks_ = 0;  ///< records of auto_ack that nobody waits for, and that are not stored yet
  std::int64_t push_not_before_ = 0;  ///< subscribers wait, because the log has refused
  topic_totals totals_;
};

}  // namespace mqlite
