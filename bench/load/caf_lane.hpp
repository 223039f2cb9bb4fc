#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <vector>

#include "actors/compat.hpp"
#include "bench/load/conversation.hpp"
#include "mqlite/client.hpp"

namespace mqlite::load {

/// What lanes' actors tell the one thread of the door: gathered until it asks, so that a burst wakes it once. Thread-safe.
class caf_inbox {
 public:
  void add(std::size_t lane, heard what);
  /// The run cannot go on; the first reason counts.
  void fail(const std::string& why);
  /// Waits until there is something or `until` is past, and hands over all of it. Throws run_error where the run cannot go on.
  void hand_over(listener& to, clock::time_point until);

 private:
  struct entry {
    std::size_t lane;
    heard what;
  };
  void wake();
  void wait(std::unique_lock<std::mutex>& held, clock::time_point until);

  std::mutex guard_;
  std::condition_variable woken_;
  bool waiting_ = false;
  std::vector<entry> entries_;
  std::string failure_;
  std::vector<entry> taken_;  // of the door's thread
};

/// What the door wants of a lane, gathered between two polls.
struct caf_requests {
  std::size_t publishes = 0;
  std::vector<std::string> stamps;  ///< of messages to publish one by one
  std::vector<client::ack> acks;
  std::vector<client::consume> consumes;
  std::vector<client::subscribe_options> subscriptions;
};

/// Asks the broker on behalf of a lane, and is pushed its messages.
using caf_lane = client::subscriber_actor::extend<caf::result<void>(caf_requests)>;

/// What a lane is for.
struct caf_lane_options {
  std::size_t number = 0;
  std::vector<client::remote_topic> topics;  ///< batches go to each in turn; all else concerns the first
  client::publish batch;
  bool stamps = false;  ///< whether the stamps of messages are wanted
};

class caf_lane_state {
 public:
  /// The inbox outlives the actor.
  caf_lane_state(caf_lane::pointer self, caf_lane_options options, caf_inbox* inbox);
  caf_lane::behavior_type make_behavior();

  static inline const char* name = "mqlite.load.lane";

 private:
  void perform(caf_requests& what);
  void publish(const client::remote_topic& to, client::publish batch);
  void consume(client::consume command);
  void settle(client::ack command);
  void subscribe(const client::subscribe_options& options);
  void take(const std::vector<client::message>& messages, std::size_t fetches);

  template <class Answer, class Command, class Function>
  void ask_broker(const client::remote_topic& to, Command command, Function then);
  void lost();
  void refused(const client::failure& why);

  caf_lane::pointer self_;
  caf_lane_options options_;
  caf_inbox* inbox_;
  std::size_t next_ = 0;
};

}  // namespace mqlite::load

/// What stays inside the program.
CAF_BEGIN_TYPE_ID_BLOCK(mqlite_load, first_custom_type_id + 1200)
CAF_ADD_TYPE_ID(mqlite_load, (mqlite::load::caf_requests))
CAF_END_TYPE_ID_BLOCK(mqlite_load)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(mqlite::load::caf_requests)
