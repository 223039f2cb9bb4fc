#include "mqlite/client/connection.hpp"

#include <caf/init_global_meta_objects.hpp>
#include <caf/io/middleman.hpp>
#include <type_traits>

#include "client/link_actor.hpp"

namespace mqlite::client {
namespace {

/// Waits for a call's outcome on behalf of a thread; a call that is dropped unanswered has failed.
template <class T>
class awaited {
 public:
  awaited() = default;
  awaited(const awaited&) = delete;
  awaited& operator=(const awaited&) = delete;
  ~awaited() { set(failure{errc::unavailable, "the connection was closed"}); }

  std::future<result<T>> future() { return promise_.get_future(); }
  void set(result<T> outcome) {
    if (!std::exchange(is_set_, true)) promise_.set_value(std::move(outcome));
  }

 private:
  std::promise<result<T>> promise_;
  bool is_set_ = false;
};

template <class T>
result<T> wait_for(std::future<result<T>> outcome, std::chrono::nanoseconds patience) {
  if (outcome.wait_for(patience) == std::future_status::ready) return outcome.get();
  return failure{errc::unavailable, "no answer in time: whether this happened is not known"};
}

/// The part of an answer that the caller wants.
template <class T, class Answer, class Member>
result<T> part(result<Answer> answer, Member member) {
  if (!answer) return answer.why();
  return std::move((*answer).*member);
}

/// A system for programs that have none: few threads that sleep when there is nothing to do.
class system_config : public caf::actor_system_config {
 public:
  system_config() {
    set("caf.scheduler.policy", "sharing");
    set("caf.scheduler.max-threads", std::size_t{2});
    set("caf.logger.console.verbosity", "quiet");
    configure(*this);
  }
};

struct own_system {
  system_config config;
  caf::actor_system system{config};
};

}  // namespace

void init_types() {
  caf::core::init_global_meta_objects();
  caf::io::middleman::init_global_meta_objects();
  caf::init_global_meta_objects<caf::id_block::mqlite_client>();
  caf::init_global_meta_objects<caf::id_block::mqlite_client_local>();
}

void configure(caf::actor_system_config& config) {
  config.load<caf::io::middleman>();
  config.set("caf.middleman.app-identifiers", std::vector<std::string>{"mqlite"});
}

// -- connection -----------------------------------------------------------------------------------------------------------------

class connection::implementation {
 public:
  explicit implementation(connect_options options) : options_(std::move(options)) {
    init_types();
    own_ = std::make_unique<own_system>();
    link_ = spawn_state<link_actor, link_state>(own_->system, options_);
  }
  implementation(caf::actor_system& system, connect_options options) : options_(std::move(options)) {
    link_ = spawn_state<link_actor, link_state>(system, options_);
  }
  implementation(const implementation&) = delete;
  implementation& operator=(const implementation&) = delete;
  ~implementation() {
    stop(link_);
    link_ = nullptr;
  }

  /// Runs `start(link, completion)` in the link's thread.
  template <class T, class Start>
  std::future<result<T>> begin(Start start) const {
    auto slot = std::make_shared<awaited<T>>();
    auto outcome = slot->future();
    auto shared = std::make_shared<Start>(std::move(start));
    tell(link_, link_work{[slot = std::move(slot), shared](link_state& link) {
           (*shared)(link, completion<T>([slot](result<T> how) { slot->set(std::move(how)); }));
         }});
    return outcome;
  }

  template <class T, class Start>
  result<T> run(Start start, std::chrono::nanoseconds besides = {}) const {
    return wait_for(begin<T>(std::move(start)), options_.patience + options_.timeout + besides);
  }

  template <class T, class Command>
  auto session_call(Command command) const {
    return run<T>([command = std::move(command)](link_state& link, completion<T> then) mutable {
      link.call_session<T>(std::move(command), std::move(then));
    });
  }
  template <class T, class Command>
  auto topic_call(topic_address where, Command command, std::chrono::nanoseconds besides = {}) const {
    return run<T>(
        [where = std::move(where), command = std::move(command)](link_state& link, completion<T> then) mutable {
          link.call_topic<T>(where, std::move(command), std::move(then));
        },
        besides);
  }

 private:
  connect_options options_;
  std::unique_ptr<own_system> own_;
  link_actor link_;
};

connection::connection(connect_options options)
    : implementation_(std::make_shared<implementation>(std::move(options))) {}
connection::connection(caf::actor_system& system, connect_options options)
    : implementation_(std::make_shared<implementation>(system, std::move(options))) {}

bool connection::is_connected() {
  const auto answer =
      implementation_->run<bool>([](link_state& link, completion<bool> then) { then(link.is_connected()); });
  return answer && *answer;
}

result<done> connection::wait_until_connected() {
  return implementation_->run<done>(
      [](link_state& link, completion<done> then) { link.when_connected(std::move(then)); });
}

result<done> connection::create_namespace(std::string name) {
  return implementation_->session_call<done>(client::create_namespace{std::move(name)});
}
result<done> connection::delete_namespace(std::string name) {
  return implementation_->session_call<done>(client::delete_namespace{std::move(name)});
}
result<std::vector<std::string>> connection::list_namespaces() {
  return part<std::vector<std::string>>(implementation_->session_call<name_list>(client::list_namespaces{}),
                                        &name_list::names);
}
result<done> connection::create_topic(std::string name_space, std::string name, std::int64_t queue_count,
                                      topic_settings settings) {
  return implementation_->session_call<done>(
      client::create_topic{std::move(name_space), std::move(name), queue_count, std::move(settings)});
}
result<done> connection::delete_topic(std::string name_space, std::string name) {
  return implementation_->session_call<done>(client::delete_topic{std::move(name_space), std::move(name)});
}
result<std::vector<topic_info>> connection::list_topics(std::string name_space) {
  return part<std::vector<topic_info>>(
      implementation_->session_call<topic_list>(client::list_topics{std::move(name_space)}), &topic_list::topics);
}
result<std::string> connection::stats() {
  return part<std::string>(implementation_->session_call<client::stats>(get_stats{}), &client::stats::json);
}

client::topic connection::topic(std::string name_space, std::string name, std::int64_t queue) {
  return client::topic(implementation_, std::move(name_space), std::move(name), queue);
}

// -- topic ----------------------------------------------------------------------------------------------------------------------

topic::topic(std::shared_ptr<connection::implementation> implementation, std::string name_space, std::string name,
             std::int64_t queue)
    : implementation_(std::move(implementation)),
      name_space_(std::move(name_space)),
      name_(std::move(name)),
      queue_(queue) {}

result<published> topic::publish(draft message) {
  std::vector<draft> one;
  one.push_back(std::move(message));
  auto outcome = publish(std::move(one));
  if (!outcome) return outcome.why();
  auto& first = outcome->front();
  if (!first.ok()) return failure{first.code, std::move(first.text)};
  return std::move(first);
}

result<published> topic::publish(std::string payload) {
  draft one;
  one.payload = std::move(payload);
  return publish(std::move(one));
}

result<std::vector<published>> topic::publish(std::vector<draft> messages) {
  auto answer =
      implementation_->topic_call<publish_results>({name_space_, name_, queue_}, client::publish{std::move(messages)});
  return part<std::vector<published>>(std::move(answer), &publish_results::messages);
}

std::future<result<std::vector<published>>> topic::begin_publish(std::vector<draft> messages) {
  return implementation_->begin<std::vector<published>>(
      [where = topic_address{name_space_, name_, queue_}, command = client::publish{std::move(messages)}](
          link_state& link, completion<std::vector<published>> then) mutable {
        link.call_topic<publish_results>(
            where, std::move(command), [then = std::move(then)](result<publish_results> answer) {
              then(part<std::vector<published>>(std::move(answer), &publish_results::messages));
            });
      });
}

result<std::vector<message>> topic::consume(consume_options options) {
  const auto wait = std::clamp<milliseconds>(options.wait, milliseconds(0), std::chrono::minutes(1));
  auto answer =
      implementation_->topic_call<message_batch>({name_space_, name_, queue_}, client::consume{options}, wait);
  return part<std::vector<message>>(std::move(answer), &message_batch::messages);
}

result<settled> topic::ack(std::vector<std::string> ids, std::int64_t queue) {
  return implementation_->topic_call<settled>({name_space_, name_, queue_}, client::ack{std::move(ids), queue});
}
result<settled> topic::nack(std::vector<std::string> ids, milliseconds delay, std::int64_t queue) {
  return implementation_->topic_call<settled>({name_space_, name_, queue_}, client::nack{std::move(ids), delay, queue});
}
result<settled> topic::extend(std::vector<std::string> ids, std::optional<milliseconds> lease, std::int64_t queue) {
  return implementation_->topic_call<settled>({name_space_, name_, queue_},
                                              client::extend{std::move(ids), lease, queue});
}

result<subscription> topic::subscribe(subscriber_actor subscriber, subscribe_options options) {
  auto number = implementation_->run<std::uint64_t>([where = topic_address{name_space_, name_, queue_},
                                                     subscriber = std::move(subscriber),
                                                     options](link_state& link, completion<std::uint64_t> then) {
    link.subscribe_actor(where, options, subscriber, std::move(then));
  });
  if (!number) return number.why();
  return subscription(implementation_, *number);
}

result<std::vector<peeked>> topic::peek(std::int64_t limit, std::string state, std::int64_t queue) {
  auto answer = implementation_->topic_call<peeked_batch>({name_space_, name_, queue_},
                                                          client::peek{std::move(state), limit, queue});
  return part<std::vector<peeked>>(std::move(answer), &peeked_batch::messages);
}
result<std::uint64_t> topic::purge(std::int64_t queue) {
  return part<std::uint64_t>(implementation_->topic_call<counted>({name_space_, name_, queue_}, client::purge{queue}),
                             &counted::count);
}
result<std::vector<peeked>> topic::list_dead(std::int64_t limit) {
  auto answer = implementation_->topic_call<peeked_batch>({name_space_, name_, queue_}, client::list_dead{limit});
  return part<std::vector<peeked>>(std::move(answer), &peeked_batch::messages);
}
result<std::uint64_t> topic::redrive_dead(std::optional<std::vector<std::string>> ids) {
  return part<std::uint64_t>(
      implementation_->topic_call<counted>({name_space_, name_, queue_}, client::redrive_dead{std::move(ids)}),
      &counted::count);
}
result<std::uint64_t> topic::purge_dead() {
  return part<std::uint64_t>(implementation_->topic_call<counted>({name_space_, name_, queue_}, client::purge_dead{}),
                             &counted::count);
}

result<topic_details> topic::details() {
  return implementation_->topic_call<topic_details>({name_space_, name_, queue_}, get_topic{});
}
result<done> topic::update(topic_settings settings) {
  return implementation_->topic_call<done>({name_space_, name_, queue_}, update_topic{std::move(settings)});
}
result<resized> topic::resize(std::int64_t queue_count) {
  return implementation_->topic_call<resized>({name_space_, name_, queue_}, resize_topic{queue_count});
}
result<done> topic::rebalance() {
  return implementation_->topic_call<done>({name_space_, name_, queue_}, rebalance_topic{});
}

result<remote_topic> topic::handle() {
  return implementation_->run<remote_topic>(
      [where = topic_address{name_space_, name_, queue_}](link_state& link, completion<remote_topic> then) {
        link.find_topic(where, std::move(then));
      });
}

// -- subscription ---------------------------------------------------------------------------------------------------------------

subscription& subscription::operator=(subscription&& other) noexcept {
  if (this == &other) return *this;
  if (implementation_) (void)end();
  implementation_ = std::move(other.implementation_);
  number_ = other.number_;
  return *this;
}

subscription::~subscription() {
  if (implementation_) (void)end();
}

result<done> subscription::end() {
  const auto held = std::exchange(implementation_, nullptr);
  if (!held) return done{};
  return held->run<done>(
      [number = number_](link_state& link, completion<done> then) { link.end_subscription(number, std::move(then)); });
}

}  // namespace mqlite::client
