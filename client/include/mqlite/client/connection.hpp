#pragma once

#include <chrono>
#include <cstdint>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

#include "mqlite/client/interfaces.hpp"

/// The client library: a broker's CAF port for ordinary programs, and handles for programs that are made of actors.
namespace mqlite::client {

/// Where the broker is, and how patient calls are.
struct connect_options {
  std::string host = "127.0.0.1";
  std::uint16_t port = 6060;
  /// How long a call waits for the broker to be there (again) before it fails with UNAVAILABLE.
  std::chrono::nanoseconds patience = std::chrono::seconds(10);
  /// How long it waits for the answer, a consume besides its own wait.
  std::chrono::nanoseconds timeout = std::chrono::seconds(60);
  /// How long one attempt to connect may take.
  std::chrono::nanoseconds connect_timeout = std::chrono::seconds(5);
  /// Pauses between attempts double from the first to the longest, give or take half.
  std::chrono::nanoseconds first_pause = std::chrono::milliseconds(50);
  std::chrono::nanoseconds longest_pause = std::chrono::seconds(3);
};

/// Makes the types of the messages known to CAF; before the program's first actor system, as often as one likes.
void init_types();
/// What an actor system needs to reach a broker: CAF's network, and the name of the protocol.
void configure(caf::actor_system_config& config);

class topic;
class subscription;

/// A connection to a broker. It is made in the background, and made again when it breaks: what was asked and not answered by then
/// fails with UNAVAILABLE, and may or may not have happened (a publish may be stored); later calls work again; subscriptions are
/// renewed.
///
/// Thread-safe: any thread may call anything at any time. Calls block; never make them in an actor (use handles there). Topics and
/// subscriptions keep the connection alive.
class connection {
 public:
  /// Brings an actor system of its own.
  explicit connection(connect_options options = {});
  /// For programs that have one (see init_types and configure); it outlives the connection and all that came from it.
  connection(caf::actor_system& system, connect_options options = {});

  /// Waits until the broker was reached, up to options.patience. (Calls do so by themselves.)
  result<done> wait_until_connected();
  /// Whether calls go to the broker at once. One that has just gone may not have been missed yet.
  bool is_connected();

  result<done> create_namespace(std::string name);
  result<done> delete_namespace(std::string name);
  /// Sorted.
  result<std::vector<std::string>> list_namespaces();
  result<done> create_topic(std::string name_space, std::string name, std::int64_t queue_count = 1,
                            topic_settings settings = {});
  result<done> delete_topic(std::string name_space, std::string name);
  result<std::vector<topic_info>> list_topics(std::string name_space);
  /// The broker's statistics as JSON.
  result<std::string> stats();

  /// A topic (any_queue) or one of its queues; asks nothing yet.
  client::topic topic(std::string name_space, std::string name, std::int64_t queue = any_queue);

  class implementation;

 private:
  std::shared_ptr<implementation> implementation_;
};

/// A topic or queue of a broker. Cheap to copy; thread-safe like its connection.
class topic {
 public:
  result<published> publish(draft message);
  /// With nothing but a payload.
  result<published> publish(std::string payload);
  /// Up to most_batch messages; each has a result of its own, in the same order.
  result<std::vector<published>> publish(std::vector<draft> messages);
  /// The same without waiting, to have several under way.
  std::future<result<std::vector<published>>> begin_publish(std::vector<draft> messages);

  /// Empty when nothing came within options.wait.
  result<std::vector<message>> consume(consume_options options = {});
  /// `ids` are receipts (or ids); `queue` is where they are looked for first.
  result<settled> ack(std::vector<std::string> ids, std::int64_t queue = usual_queue);
  result<settled> ack(const message& one) { return ack({one.receipt()}, one.queue); }
  result<settled> nack(std::vector<std::string> ids, milliseconds delay = {}, std::int64_t queue = usual_queue);
  result<settled> extend(std::vector<std::string> ids, std::optional<milliseconds> lease = {},
                         std::int64_t queue = usual_queue);

  /// Pushes to an actor of this program until the subscription, the actor or the topic ends. Each `delivered` that its handler has
  /// returned from counts as taken; max_in_flight bounds what is not acknowledged.
  result<subscription> subscribe(subscriber_actor subscriber, subscribe_options options = {});

  result<std::vector<peeked>> peek(std::int64_t limit = 10, std::string state = "ready",
                                   std::int64_t queue = usual_queue);
  /// How many messages went.
  result<std::uint64_t> purge(std::int64_t queue = usual_queue);
  result<std::vector<peeked>> list_dead(std::int64_t limit = 10);
  /// All of them without ids. How many went back.
  result<std::uint64_t> redrive_dead(std::optional<std::vector<std::string>> ids = std::nullopt);
  result<std::uint64_t> purge_dead();
  result<topic_details> details();
  result<done> update(topic_settings settings);
  result<resized> resize(std::int64_t queue_count);
  result<done> rebalance();

  /// For actors: the broker's own handle. It is down when the connection breaks; ask again then.
  result<remote_topic> handle();

 private:
  friend class connection;
  topic(std::shared_ptr<connection::implementation> implementation, std::string name_space, std::string name,
        std::int64_t queue);

  std::shared_ptr<connection::implementation> implementation_;
  std::string name_space_;
  std::string name_;
  std::int64_t queue_;
};

/// A running subscription; ends with this object: what was pushed and not acknowledged goes back.
class subscription {
 public:
  subscription() = default;
  subscription(subscription&&) noexcept = default;
  subscription& operator=(subscription&& other) noexcept;
  ~subscription();

  /// Ends it, and waits for the broker's word.
  result<done> end();

 private:
  friend class topic;
  subscription(std::shared_ptr<connection::implementation> implementation, std::uint64_t number)
      : implementation_(std::move(implementation)), number_(number) {}

  std::shared_ptr<connection::implementation> implementation_;
  std::uint64_t number_ = 0;
};

/// For actors: what an error says that a handle answered with; errors of CAF itself mean that the broker cannot be reached.
failure failure_of(const caf::error& problem);

}  // namespace mqlite::client
