#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "actors/compat.hpp"
#include "actors/environment.hpp"
#include "actors/log/log_appender.hpp"
#include "actors/part_count.hpp"
#include "actors/queue/consumers.hpp"
#include "actors/queue/queue_actor.hpp"
#include "actors/topic/dead_letters.hpp"
#include "actors/topic/depth_board.hpp"
#include "actors/topic/moves.hpp"
#include "actors/topic/outbox.hpp"
#include "persistence/published_record.hpp"

namespace mqlite {

/// What a topic is born with: new from a command, or as the log remembers it.
struct topic_birth {
  std::uint64_t id = 0;
  std::string name_space;
  std::string name;
  std::int32_t queue_count = 1;
  std::uint64_t version = 1;
  topic_settings settings;
  std::vector<std::shared_ptr<queue_core>>
      cores;                           ///< empty, or one a queue; those from queue_count on were being drained
  std::shared_ptr<dead_letters> dead;  ///< null = none
  message_id newest;                   ///< ids go on behind it
  std::uint32_t had_queues = 0;        ///< the most there were, where there were more
};

/// One topic: gives published messages their ids and their queues, records them, and hands them out once they are stored; brings
/// starving queues together with busy ones; keeps the dead letters.
///
/// A publish is recorded here rather than in its queues, so that a batch for many queues is one record and one answer.
class topic_state {
 public:
  topic_state(topic_actor::pointer self, environment_ptr env, topic_birth birth);
  ~topic_state();
  topic_actor::behavior_type make_behavior();

  static inline const char* name = "mqlite.topic";

 private:
  // -- publishing (topic_publishing.cpp) --------------------------------------------------------------------------------------
  void on_publish(command::publish& command);
  /// Where a message goes, or why it cannot.
  outcome<queue_number> route(const draft& message);
  queue_number next_in_turn();
  /// Why the topic cannot take a message, if it cannot; otherwise it is counted.
  std::optional<failure> admit(const message& m);
  struct publish_progress;
  struct routed_arrival {
    event::arrival arrival;
    queue_number queue;
    std::uint32_t position = 0;  ///< in its command
  };
  using routed_arrivals = std::vector<routed_arrival>;
  void store(published_record record, routed_arrivals arrivals, const std::shared_ptr<publish_progress>& progress);
  /// Stored messages go to their queues.
  void distribute(routed_arrivals arrivals);
  /// Sends a queue what waits for it; as a refill even if it is nothing.
  void send_waiting(queue_number queue, bool refill);
  void on_supply_changed(const event::supply_changed& event);
  void on_released(const event::released& event);

  // -- overflow (topic_overflow.cpp) ------------------------------------------------------------------------------------------
  struct overflow_search;
  std::int64_t surplus_messages() const;
  std::int64_t surplus_bytes() const;
  void drop_overflow();
  void drop_found(const std::shared_ptr<overflow_search>& search);
  /// At once, or behind what is being dropped.
  void when_dropped(std::function<void()> then);
  void end_search(overflow_search& search);

  // -- consuming (topic_consuming.cpp) ----------------------------------------------------------------------------------------
  struct sweep;
  void on_consume(command::consume& command);
  void start_sweep(command::consume command);
  void go_on(std::shared_ptr<sweep> s);
  void finish(const std::shared_ptr<sweep>& s);
  void park(const std::shared_ptr<sweep>& s);
  void unpark(const std::shared_ptr<sweep>& s);
  void on_cancel(const command::cancel& command);
  /// So many messages came: as many of those who wait for any queue look again.
  void sweep_again(std::uint64_t messages);
  void on_settle(command::settle& command);
  void on_unheld(event::unheld& event);
  void search_again(command::settle rest);
  void on_subscribe(command::subscribe& command);
  void attach(std::vector<reported> reports);
  void on_tick(const event::tick& tick);
  void arm();

  // -- dead letters (topic_dead.cpp) ------------------------------------------------------------------------------------------
  void on_buried(event::buried& event);
  void on_redrive(command::redrive_dead& command);
  void redrive(const std::vector<message_id>& ids, std::shared_ptr<part_count> redriven);
  void on_purge_dead(command::purge_dead& command);

  // -- stealing (topic_stealing.cpp) ------------------------------------------------------------------------------------------
  caf::result<rebalanced> on_rebalance(const rebalance& request);
  struct search;
  void steal_for(std::shared_ptr<search> s);
  void ask_to_give(std::shared_ptr<search> s, queue_number victim, std::uint64_t at_least);
  void refuse_steal(search& s, bool may_ask_again);
  /// A queue has answered a `give`.
  void moved(moves::number move, queue_number from, queue_number to, const given& answer);
  void move_ends(moves::number move);
  void wake_starving(std::uint64_t most, queue_number except = any_queue);
  void on_sated(const event::sated& event);
  void on_replenished(const event::replenished& event);
  void on_rebalance_topic(command::rebalance_topic& command);
  void level(std::vector<std::uint64_t> depths, reply<done> answer);

  // -- snapshots (topic_snapshot.cpp) -----------------------------------------------------------------------------------------
  caf::result<topic_snapshot> on_begin_snapshot();
  using snapshot_promise = caf::typed_response_promise<topic_snapshot>;
  void pass_barrier(std::uint64_t number, snapshot_promise promise);
  void ask_queues(std::uint64_t number, snapshot_promise promise);
  void refuse_snapshot(std::uint64_t number, snapshot_promise promise, failure why);
  dead_slice on_next_slice();
  void end_snapshot();
  bool holding_moves() const noexcept { return snapshot_ == snapshot_stage::beginning; }
  void release_moves();

  // -- administration (topic_admin.cpp) ---------------------------------------------------------------------------------------
  /// Asks every queue how it is.
  void ask_all(std::function<void(std::vector<reported>)> then);
  void on_get(command::get_topic& command);
  void on_update(command::update_topic& command);
  void on_resize(command::resize_topic& command);
  void end_drain();
  /// Asks this queue, and then those behind it, to give what they have to those that stay.
  void surrender_from(queue_number queue, surrender request);
  void on_drained(const event::drained& event);
  /// Drops the queues that were to be drained, if all of them are empty.
  void drop_drained();
  void add_queue(std::shared_ptr<queue_core> core);
  void change(std::function<void()> begin);
  void begin_change();
  void change_done();
  bool begin_resize(std::int64_t count, const reply<resized>& answer);
  void resize_to(std::int32_t active);
  std::string record_of(std::int32_t active, std::size_t queues, const topic_settings& settings,
                        std::uint64_t version) const;

  bool exists(std::int64_t queue) const noexcept {
    return queue >= 0 && queue < static_cast<std::int64_t>(queues_.size());
  }
  failure no_queue(std::int64_t queue) const;
  /// A queue that is to be told or asked something: what was published before has been sent to it.
  const queue_actor& up_to_date(queue_number number) {
    if (!outbox_.empty(number)) send_waiting(number, false);
    return queues_[static_cast<std::size_t>(number)];
  }
  topic_info info() const { return {name_, active_, version_}; }
  /// Passes a command for one queue on to it, or refuses it.
  template <class Command>
  void pass_on(Command& command) {
    if (!exists(command.queue)) return command.answer(no_queue(command.queue));
    tell(up_to_date(command.queue), std::move(command));
  }

  topic_actor::pointer self_;
  environment_ptr env_;
  std::uint64_t id_;
  std::string name_space_;
  std::string name_;
  topic_settings settings_;
  std::uint64_t version_;
  std::int32_t active_;              ///< queues that publishes are routed to; those behind are being drained
  std::vector<queue_actor> queues_;  ///< mostly asked for by up_to_date()
  outbox outbox_;
  std::int64_t had_queues_ = 0;  ///< the most there were
  depth_board board_;
  std::shared_ptr<dead_letters> dead_;
  log_appender log_;
  id_source ids_;

  std::uint32_t turn_ = 0;  ///< round robin
  std::int64_t held_ = 0;   ///< messages in the topic, and their bytes; while there are no limits a little late
  std::int64_t held_bytes_ = 0;
  bool dropping_ = false;  ///< queues are asked for their oldest, or told to bury them
  std::vector<std::function<void()>> after_dropping_;
  std::vector<command::subscribe> attaching_;  ///< to any queue, while the queues say how many consumers they have

  // Consumers that wait for any queue: all of them by consumer, and those that are parked by age and by the ends of their waits.
  std::unordered_map<std::uint64_t, std::shared_ptr<sweep>> sweeps_;
  std::map<std::uint64_t, std::shared_ptr<sweep>> parked_;
  timer_heap<std::shared_ptr<sweep>> sweep_timers_;
  std::uint64_t last_sweep_ = 0;
  std::uint64_t news_ = 0;  ///< times that something came which a sweep under way may have missed
  std::int64_t armed_ = timer_heap<int>::never;
  std::int64_t steal_retry_ = timer_heap<int>::never;  ///< when those that starve are woken, come what may
  std::chrono::nanoseconds steal_pause_{0};
  std::int64_t drain_until_ = timer_heap<int>::never;
  /// Of the queues that are being dropped: those that are empty, and what they have counted.
  std::map<queue_number, topic_totals> drained_;
  bool surrendering_ = false;  ///< the queues that go are being asked for what they have
  moves moves_;
  std::vector<command::settle> after_moves_;  ///< look for messages that may be on their way
  enum class snapshot_stage {
    none,
    beginning,  ///< nothing may move until every queue has begun its own
    listing,    ///< the rewriter asks for slices; no queue may be dropped
  };
  snapshot_stage snapshot_ = snapshot_stage::none;
  std::uint64_t snapshots_ = 0;  ///< number of the last one
  std::function<void()> when_moves_are_over_;
  std::vector<std::function<void()>> held_moves_;  ///< wait until the snapshot has begun
  std::deque<std::function<void()>> changes_;      ///< of settings and queue count; the first one is under way
  topic_totals totals_;
};

}  // namespace mqlite
