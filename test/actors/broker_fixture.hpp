#pragma once

#include <map>
#include <memory>
#include <set>

#include <caf/init_global_meta_objects.hpp>
#include <caf/scheduler/test_coordinator.hpp>

#include "actors/broker/broker_actor.hpp"
#include "actors/gateway.hpp"
#include "test/actors/fake_log.hpp"
#include "test/actors/log_image.hpp"
#include "test/actors/support.hpp"

namespace mqlite::test {

/// Answers of one request: there must be exactly one.
template <class T>
struct answer {
  std::size_t count = 0;
  std::optional<outcome<T>> value;

  bool came() const { return count > 0; }
  bool ok() const { return count == 1 && value->ok(); }
  T& operator*() { return **value; }
  T* operator->() { return &**value; }
  error_code code() const {
    REQUIRE(count == 1);
    REQUIRE_FALSE(value->ok());
    return value->why().code;
  }
};
template <class T>
using answer_ptr = std::shared_ptr<answer<T>>;

/// Keeps posted functions until the test runs them.
class queued_loop final : public event_loop {
 public:
  void post(std::function<void()> f) override { functions.push_back(std::move(f)); }
  bool run_one() {
    if (functions.empty()) return false;
    auto f = std::move(functions.front());
    functions.pop_front();
    f();
    return true;
  }
  std::deque<std::function<void()>> functions;
};

/// A push consumer that keeps what it gets.
class kept_messages final : public subscriber_sink {
 public:
  void deliver(consumed messages) override {
    for (const auto& d : messages.deliveries) got.push_back(d);
    batches.push_back(std::move(messages));
    if (confirming) confirm();
  }
  void closed(failure) override { ++closes; }
  void confirm() {
    for (auto& b : batches) b.confirm();
    batches.clear();
  }

  bool confirming = true;
  std::vector<delivery> got;
  std::vector<consumed> batches;  ///< not yet confirmed
  int closes = 0;
};

/// A whole broker on one thread, in virtual time, with a log that obeys the test. Jobs run in the order in which they came, or,
/// after random_order(), in a random one.
class broker_fixture {
 public:
  broker_fixture()
      : system_(config_), scheduler_(dynamic_cast<caf::scheduler::test_coordinator&>(system_.scheduler())) {
    time_ = std::make_shared<virtual_clock>(scheduler_.clock());
    env_.clock = time_;
    env_.seed = 1;
  }
  ~broker_fixture() {
    gateway_.reset();
    loop.functions.clear();
    if (broker_) stop(std::exchange(broker_, nullptr));
    env_.log = nullptr;
    order_.reset();
    scheduler_.run();
    loop.functions.clear();
    script->waiting.clear();
    script->to_sync.clear();
    scheduler_.run();
  }

  /// Starts the broker with the namespace "n" and the topic "t" in it.
  void start(std::int64_t queues, topic_settings_patch settings = {}) {
    start_from({});
    auto ns = request<done>([&](auto then) { gateway_->create_namespace("n", then); });
    run();
    create_topic("t", queues, settings);
    REQUIRE(ns->ok());
  }
  void start_from(broker_birth birth) {
    env_.log = spawn_state<persistence_actor, fake_log_state>(system_, script);
    broker_ = start_broker(system_, std::make_shared<environment>(env_), std::move(birth));
    env_.log = nullptr;  // the tree alone holds it
    gateway_ = std::make_shared<gateway>(broker_, loop);
    run();
  }
  void create_topic(const std::string& name, std::int64_t queues, topic_settings_patch settings = {}) {
    auto topic = request<done>([&](auto then) { gateway_->create_topic("n", name, queues, settings, then); });
    run();
    REQUIRE(topic->ok());
  }

  // -- running ----------------------------------------------------------------------------------------------------------------

  /// Until nothing is left to do at this moment.
  void run() {
    for (std::size_t steps = 0; step(); ++steps) REQUIRE(steps < 2'000'000);  // else somebody goes round in circles
  }
  /// One job or one posted function; false when there is none.
  bool step() {
    auto& jobs = scheduler_.jobs;
    if (order_ && !jobs.empty()) {
      std::iter_swap(jobs.begin(), jobs.begin() + static_cast<std::ptrdiff_t>(order_->below(jobs.size())));
      if (!loop.functions.empty() && order_->percent(20)) return loop.run_one();
    }
    if (!jobs.empty()) note_next();
    return scheduler_.try_run_once() || loop.run_one();
  }
  void random_order(std::uint64_t seed) { order_ = std::make_unique<chance>(seed); }

  /// Time passes, in steps small enough for every timer.
  void pass(std::chrono::nanoseconds time) {
    const auto end = now() + time.count();
    run();
    while (now() < end) {
      const auto& schedule = scheduler_.clock().schedule;
      auto next = end;
      if (!schedule.empty()) next = std::min(next, schedule.begin()->first.time_since_epoch().count() + beginning);
      scheduler_.advance_time(std::chrono::nanoseconds(std::max<std::int64_t>(next - now(), 0)));
      run();
    }
  }
  std::int64_t now() const { return time_->now(); }
  /// Timers that are set, those of requests that were answered left out.
  std::size_t timers() const {
    const auto& schedule = scheduler_.clock().schedule;
    return static_cast<std::size_t>(
        std::count_if(schedule.begin(), schedule.end(), [](const auto& s) { return !s.second.f.disposed(); }));
  }

  // -- asking -----------------------------------------------------------------------------------------------------------------

  /// Sends a request with `send(completion)`.
  template <class T, class Send>
  answer_ptr<T> request(Send send) {
    auto a = std::make_shared<answer<T>>();
    send([a](outcome<T> how) {
      ++a->count;
      a->value.emplace(std::move(how));
    });
    return a;
  }
  static draft draft_of(std::string_view payload, queue_number queue = any_queue, std::int64_t not_before = 0) {
    draft d;
    d.message = message::make(payload);
    d.queue = queue;
    d.not_before = not_before;
    return d;
  }
  answer_ptr<published> publish(std::string_view payload, queue_number queue = 0, std::int64_t not_before = 0) {
    return request<published>(
        [&](auto then) { gateway_->publish("n", "t", draft_of(payload, queue, not_before), then); });
  }
  /// Publishes "1" to "count" to a queue and runs.
  void publish_many(int count, queue_number queue = 0) {
    std::vector<draft> drafts;
    for (int i = 1; i <= count; ++i) drafts.push_back(draft_of(std::to_string(i), queue));
    auto a = request<std::vector<outcome<published>>>(
        [&](auto then) { gateway_->publish_batch("n", "t", std::move(drafts), then); });
    run();
    REQUIRE(a->ok());
  }
  answer_ptr<consumed> consume(queue_number queue, std::size_t most = 1, std::chrono::nanoseconds wait = {},
                               bool auto_ack = false) {
    return request<consumed>([&](auto then) {
      last_token = gateway_->consume("n", "t", queue, {most, auto_ack, wait, {}}, then);
    });
  }
  answer_ptr<settled> settle(settlement what, queue_number queue, std::vector<receipt> which,
                             std::chrono::nanoseconds value = {}) {
    std::vector<settle_target> targets;
    for (const auto& r : which) targets.push_back({r, static_cast<std::uint32_t>(targets.size())});
    return request<settled>([&](auto then) { gateway_->settle("n", "t", queue, what, targets, value, then); });
  }
  topic_details details() {
    auto a = request<topic_details>([&](auto then) { gateway_->get_topic("n", "t", then); });
    run();
    REQUIRE(a->ok());
    return **a;
  }
  std::vector<std::string> peek(queue_number queue, peek_state state = peek_state::ready) {
    auto a = request<std::vector<peeked>>([&](auto then) { gateway_->peek("n", "t", queue, state, 1000, then); });
    run();
    REQUIRE(a->ok());
    std::vector<std::string> result;
    for (const auto& p : **a) result.emplace_back(p.message->payload());
    return result;
  }
  std::vector<peeked> dead() {
    auto a = request<std::vector<peeked>>([&](auto then) { gateway_->list_dead("n", "t", 1000, then); });
    run();
    REQUIRE(a->ok());
    return **a;
  }
  struct subscribed {
    std::shared_ptr<kept_messages> sink = std::make_shared<kept_messages>();
    answer_ptr<subscription> line;
  };
  subscribed subscribe(queue_number queue, std::size_t window = 256, bool auto_ack = false) {
    subscribed s;
    s.line =
        request<subscription>([&](auto then) { gateway_->subscribe("n", "t", queue, auto_ack, window, s.sink, then); });
    return s;
  }

  static std::vector<std::string> payloads(const std::vector<delivery>& deliveries) {
    std::vector<std::string> result;
    for (const auto& d : deliveries) result.emplace_back(d.message->payload());
    return result;
  }
  static std::vector<std::string> payloads(const answer_ptr<consumed>& a) {
    REQUIRE(a->ok());
    return payloads((*a)->deliveries);
  }
  static std::vector<receipt> receipts(const answer_ptr<consumed>& a) {
    REQUIRE(a->ok());
    std::vector<receipt> result;
    for (const auto& d : (*a)->deliveries) result.push_back({d.message->id(), d.deliveries});
    return result;
  }
  static std::vector<std::string> texts(int from, int through) {
    std::vector<std::string> result;
    for (int i = from; i <= through; ++i) result.push_back(std::to_string(i));
    return result;
  }

  // -- looking ----------------------------------------------------------------------------------------------------------------

  /// How many messages of a type were received since count_anew().
  template <class Message>
  std::uint64_t received() const {
    const auto found = received_.find(caf::type_id_v<Message>);
    return found == received_.end() ? 0 : found->second;
  }
  void count_anew() { received_.clear(); }

  gateway& front() { return *gateway_; }
  caf::scheduler::test_coordinator& scheduler() { return scheduler_; }
  caf::actor_system& system() { return system_; }
  broker_actor broker() const { return broker_; }
  environment& env() { return env_; }

  std::shared_ptr<log_script> script = std::make_shared<log_script>();
  queued_loop loop;
  gateway::consume_token last_token;

 private:
  class virtual_clock final : public clock {
   public:
    explicit virtual_clock(const caf::detail::test_actor_clock& time) : time_(&time) {}
    std::int64_t now() const noexcept override { return beginning + time_->current_time.time_since_epoch().count(); }

   private:
    const caf::detail::test_actor_clock* time_;
  };

  void note_next() {
    auto* next = dynamic_cast<caf::scheduled_actor*>(scheduler_.jobs.front());
    if (next == nullptr) return;
    const auto* element = next->mailbox().peek();
    if (element != nullptr && element->payload.size() == 1) ++received_[element->payload.types()[0]];
  }

  struct testing_config : caf::actor_system_config {
    testing_config() { set("caf.scheduler.policy", "testing"); }
  };
  struct meta_objects {
    meta_objects() {
      static const bool once = [] {
        caf::core::init_global_meta_objects();
        caf::init_global_meta_objects<caf::id_block::mqlite>();
        return true;
      }();
      (void)once;
    }
  };

  meta_objects types_;
  testing_config config_;
  caf::actor_system system_;
  caf::scheduler::test_coordinator& scheduler_;
  std::shared_ptr<virtual_clock> time_;
  environment env_;
  broker_actor broker_;
  std::shared_ptr<gateway> gateway_;
  std::unique_ptr<chance> order_;
  std::map<caf::type_id_t, std::uint64_t> received_;
};

}  // namespace mqlite::test
