#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "actors/interfaces.hpp"
#include "actors/operations.hpp"

namespace mqlite {

/// A foreign event loop (Asio's, gRPC's): runs functions in its own thread.
class event_loop {
 public:
  virtual ~event_loop() = default;
  /// Runs `f` soon in the loop's thread, once. Callable from every thread; a burst of posts wakes the loop once.
  virtual void post(std::function<void()> f) = 0;
};

/// Takes the answer of a request; runs in the event loop's thread, exactly once.
template <class T>
using completion = std::function<void(outcome<T>)>;

/// Receives what a subscription is sent, in the event loop's thread.
class subscriber_sink {
 public:
  virtual ~subscriber_sink() = default;
  /// Messages to be written; confirm them once they are.
  virtual void deliver(consumed messages) = 0;
  /// The queue or the broker is going away: nothing comes after this.
  virtual void closed(failure why) = 0;
};

/// A running subscription; destroying it ends it, and returns what it was sent and did not acknowledge.
class subscription {
 public:
  subscription() = default;
  explicit subscription(subscriber_actor subscriber);
  subscription(subscription&&) = default;
  subscription& operator=(subscription&& other) noexcept;
  ~subscription();

  explicit operator bool() const noexcept { return static_cast<bool>(subscriber_); }
  void end();

 private:
  subscriber_actor subscriber_;
};

/// Asks the actor tree on behalf of one foreign event loop. Not thread safe: it belongs to its loop's thread, where every
/// completion runs as well. Publishes of one turn of the loop go to their topic as one batch.
class gateway : public std::enable_shared_from_this<gateway> {
 public:
  /// The loop outlives the gateway and everything that is asked for here, and runs no completion after it was stopped.
  gateway(broker_actor broker, event_loop& loop);
  /// The same for a loop that comes and goes: whoever may still post to it holds it.
  gateway(broker_actor broker, std::shared_ptr<event_loop> loop);

  // -- namespaces and topics --------------------------------------------------------------------------------------------------

  void create_namespace(std::string name, completion<done> then);
  void delete_namespace(std::string name, completion<done> then);
  /// Sorted names.
  void list_namespaces(completion<std::vector<std::string>> then);
  void create_topic(std::string name_space, std::string name, std::int64_t queue_count, topic_settings_patch settings,
                    completion<done> then);
  void delete_topic(std::string name_space, std::string name, completion<done> then);
  void list_topics(std::string name_space, completion<std::vector<topic_info>> then);
  void get_topic(std::string_view name_space, std::string_view topic, completion<topic_details> then);
  void update_topic(std::string_view name_space, std::string_view topic, topic_settings_patch settings,
                    completion<done> then);
  void resize_topic(std::string_view name_space, std::string_view topic, std::int64_t queue_count,
                    completion<resized> then);
  void rebalance_topic(std::string_view name_space, std::string_view topic, completion<done> then);

  // -- messages ---------------------------------------------------------------------------------------------------------------

  void publish(std::string_view name_space, std::string_view topic, draft message, completion<published> then);
  /// Each message has an outcome of its own, in the same order.
  void publish_batch(std::string_view name_space, std::string_view topic, std::vector<draft> messages,
                     completion<std::vector<outcome<published>>> then);

  /// Names a waiting consume, to be able to cancel it.
  struct consume_token {
    std::string name_space;
    std::string topic;
    queue_number queue = 0;
    std::uint64_t consumer = 0;
  };
  /// `queue` may be any_queue. The answer is empty when nothing came within options.wait.
  consume_token consume(std::string_view name_space, std::string_view topic, queue_number queue,
                        consume_options options, completion<consumed> then);
  /// The asker of a consume has gone: stops its waiting.
  void cancel(const consume_token& token);

  /// `value` is nack's delay or extend's new length; 0 = none, or the topic's ack_timeout.
  void settle(std::string_view name_space, std::string_view topic, queue_number queue, settlement what,
              std::vector<settle_target> targets, std::chrono::nanoseconds value, completion<settled> then);
  void subscribe(std::string_view name_space, std::string_view topic, queue_number queue, bool auto_ack,
                 std::size_t max_in_flight, std::shared_ptr<subscriber_sink> sink, completion<subscription> then);
  void peek(std::string_view name_space, std::string_view topic, queue_number queue, peek_state state, std::size_t most,
            completion<std::vector<peeked>> then);
  /// Answers how many messages went.
  void purge(std::string_view name_space, std::string_view topic, queue_number queue, completion<std::uint64_t> then);

  // -- dead letters -----------------------------------------------------------------------------------------------------------

  void list_dead(std::string_view name_space, std::string_view topic, std::size_t most,
                 completion<std::vector<peeked>> then);
  /// All of them when `ids` is absent. Answers how many went back.
  void redrive_dead(std::string_view name_space, std::string_view topic, std::optional<std::vector<message_id>> ids,
                    completion<std::uint64_t> then);
  void purge_dead(std::string_view name_space, std::string_view topic, completion<std::uint64_t> then);

  // -- the broker -------------------------------------------------------------------------------------------------------------

  void stats(completion<broker_stats> then);
  void log(completion<log_status> then);
  /// Starts a rewrite of the log; answered when it has begun.
  void rewrite(completion<done> then);
  /// Copies the log into a folder that is new or empty; answered when the copy is complete.
  void backup(std::string folder, completion<backed_up> then);

 private:
  // Publishes to one topic that were asked for in one turn of the loop, and who asked.
  struct pending_publish {
    std::size_t count;
    completion<std::vector<outcome<published>>> then;
  };
  struct known_topic {
    topic_link link;
    std::vector<draft> drafts;
    std::vector<pending_publish> pending;
  };
  using topic_function = std::function<void(outcome<topic_link>)>;

  void resolve(std::string_view name_space, std::string_view topic, topic_function then);
  /// Resolves the topic, makes a command with `make(reply)` and sends it.
  template <class T, class Make>
  void request(std::string_view name_space, std::string_view topic, completion<T> then, Make make);
  template <class T, class Make>
  void request_broker(completion<T> then, Make make);
  /// A reply that comes back to the loop.
  template <class T>
  reply<T> back(completion<T> then);

  void add_publish(std::string_view name_space, std::string_view topic, std::vector<draft> messages,
                   completion<std::vector<outcome<published>>> then);
  void flush_publishes();
  known_topic* find_known(std::string_view name_space, std::string_view topic);
  std::uint64_t next_consumer();

  broker_actor broker_;
  std::shared_ptr<event_loop> loop_;
  std::unordered_map<std::string, known_topic> known_;
  std::unordered_map<std::string, std::vector<topic_function>>
      resolving_;                      ///< who waits for topics that were asked for
  std::string key_;                    ///< scratch
  std::vector<std::string> to_flush_;  ///< keys of topics with pending publishes
};

}  // namespace mqlite
