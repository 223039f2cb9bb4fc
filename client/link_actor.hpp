#pragma once

#include <deque>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <unordered_map>
#include <vector>

#include "actors/compat.hpp"
#include "mqlite/client/connection.hpp"
#include "mqlite/client/interfaces.hpp"

/// Inside the library: not installed.
namespace mqlite::client {

/// Takes the outcome of a call; runs in the link's thread.
template <class T>
using completion = std::function<void(result<T>)>;

class link_state;

/// Work for a link, from any thread.
struct link_work {
  std::function<void(link_state&)> run;
};

/// A client's end of the connection: finds the broker, and finds it again.
using link_actor = remote_peer::extend<caf::result<void>(link_work)>;

/// A topic or queue by its names.
struct topic_address {
  std::string name_space;
  std::string topic;
  std::int64_t queue = any_queue;

  auto operator<=>(const topic_address&) const = default;
};

/// One connection to a broker.
///
/// Operation: connect, say hello, and keep the session; what is asked before waits up to options.patience. When the session is down
/// everything that was asked and not answered fails with UNAVAILABLE; then it connects again, each time after a longer pause, and
/// renews the subscriptions.
class link_state {
 public:
  link_state(link_actor::pointer self, connect_options options);
  ~link_state();
  link_actor::behavior_type make_behavior();

  static inline const char* name = "mqlite.link";

  /// Calls that concern no single topic.
  template <class T, class Command>
  void call_session(Command command, completion<T> then);
  /// Calls to a topic or queue.
  template <class T, class Command>
  void call_topic(const topic_address& where, Command command, completion<T> then);
  void find_topic(const topic_address& where, completion<remote_topic> then);
  /// The number names the subscription here, whatever connection carries it.
  void subscribe_actor(topic_address where, subscribe_options options, subscriber_actor subscriber,
                       completion<std::uint64_t> then);
  void end_subscription(std::uint64_t number, completion<done> then);
  void when_connected(completion<done> then);
  bool is_connected() const { return phase_ == phase::connected; }

 private:
  enum class phase { apart, connecting, connected };
  using clock = std::chrono::steady_clock;
  /// Is run with a problem, or with null when there is a session.
  using waiting_function = std::function<void(const failure*)>;
  struct waiting_call {
    clock::time_point until;
    waiting_function run;
  };
  struct running_subscription {
    topic_address where;
    subscribe_options options;
    subscriber_actor subscriber;
    remote_topic topic;        ///< null while there is no session
    std::uint64_t number = 0;  ///< the broker's
  };

  void with_session(waiting_function f);
  template <class T, class Handle, class Command>
  void ask_broker(const Handle& to, Command command, completion<T> then);

  // -- connecting -------------------------------------------------------------------------------------------------------------
  void connect();
  void on_found(std::uint64_t attempt, const caf::strong_actor_ptr& published, const std::set<std::string>& interface);
  void on_welcome(welcome answer);
  void on_failed_attempt(failure why, bool for_good);
  void on_down(const caf::actor_addr& whom);
  void on_lost();
  void expire(clock::time_point now);
  void after(std::chrono::nanoseconds delay, std::function<void(link_state&)> f);

  void renew(std::uint64_t number, completion<std::uint64_t> then);

  link_actor::pointer self_;
  connect_options options_;
  phase phase_ = phase::apart;
  std::uint64_t attempt_ = 0;
  std::uint32_t failures_ = 0;  ///< attempts in a row that led to nothing
  std::minstd_rand random_;
  failure problem_{errc::unavailable, "not connected yet"};
  welcome welcome_;
  std::deque<waiting_call> waiting_;
  std::map<std::uint64_t, std::function<void(const failure&)>> in_flight_;
  std::uint64_t last_call_ = 0;
  std::map<topic_address, remote_topic> topics_;
  std::map<std::uint64_t, running_subscription> subscriptions_;
};

/// About how many bytes a batch has on its way.
std::uint64_t size_of(const publish& batch);

template <class T, class Handle, class Command>
void link_state::ask_broker(const Handle& to, Command command, completion<T> then) {
  const auto n = ++last_call_;
  in_flight_[n] = [then](const failure& why) { then(why); };
  const auto failed = [this, n, then](const caf::error& problem) {
    if (in_flight_.erase(n) > 0) then(failure_of(problem));
  };
  if constexpr (std::is_same_v<T, done>)
    ask(self_, to, std::move(command))
        .then(
            [this, n, then] {
              if (in_flight_.erase(n) > 0) then(done{});
            },
            failed);
  else
    ask(self_, to, std::move(command))
        .then(
            [this, n, then](T& answer) {
              if (in_flight_.erase(n) > 0) then(std::move(answer));
            },
            failed);
}

template <class T, class Command>
void link_state::call_session(Command command, completion<T> then) {
  auto held = std::make_shared<Command>(std::move(command));
  with_session([this, held, then = std::move(then)](const failure* problem) {
    if (problem != nullptr) return then(*problem);
    ask_broker<T>(welcome_.session, std::move(*held), then);
  });
}

template <class T, class Command>
void link_state::call_topic(const topic_address& where, Command command, completion<T> then) {
  auto held = std::make_shared<Command>(std::move(command));
  find_topic(where, [this, held, then = std::move(then)](result<remote_topic> topic) {
    if (!topic) return then(topic.why());
    if constexpr (std::is_same_v<Command, publish>)
      if (const auto size = size_of(*held); size > welcome_.max_request_bytes)
        return then(failure{errc::too_large, "a batch of about " + std::to_string(size) + " bytes; the broker takes " +
                                                 std::to_string(welcome_.max_request_bytes) +
                                                 " (limits.max_request_bytes)"});
    ask_broker<T>(*topic, std::move(*held), then);
  });
}

}  // namespace mqlite::client

/// What stays inside a program.
CAF_BEGIN_TYPE_ID_BLOCK(mqlite_client_local, first_custom_type_id + 1100)
CAF_ADD_TYPE_ID(mqlite_client_local, (mqlite::client::link_work))
CAF_END_TYPE_ID_BLOCK(mqlite_client_local)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(mqlite::client::link_work)
