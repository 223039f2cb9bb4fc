#include "bench/load/caf_door.hpp"

#include <algorithm>
#include <caf/init_global_meta_objects.hpp>
#include <utility>

#include "bench/load/caf_node.hpp"
#include "bench/load/sockets.hpp"

namespace mqlite::load {
namespace {

constexpr std::size_t most_connections = 256;
/// Bytes of requests that may be under way: CAF holds a copy of each until it is sent.
constexpr double most_under_way = 4e9;

/// The value of a call; the client's reason as that of the run.
template <class T>
T value_of(client::result<T> how) {
  if (how) return std::move(*how);
  throw run_error((how.why().code == client::errc::unavailable ? "" : "the broker refuses: ") + how.why().text);
}

/// Whether something was made; existing is no failure where it may exist.
bool made(client::result<client::done> how, bool may_exist) {
  if (!how && may_exist && how.why().code == client::errc::already_exists) return false;
  value_of(std::move(how));
  return true;
}

class caf_door final : public door {
 public:
  explicit caf_door(const plan& what) : plan_(what) {}
  ~caf_door() override { close(); }

  void open(std::size_t publishers, std::size_t consumers) override;
  std::size_t publishing_lanes() const override { return publishers_; }
  std::size_t lane_depth() const override {
    return plan_.what == workload::drain ? std::size_t{filling_calls} : plan_.outstanding;
  }

  void publish(std::size_t lane, std::size_t requests) override { to(lane).publishes += requests; }
  void publish_stamped(std::size_t lane, std::string_view stamp) override { to(lane).stamps.emplace_back(stamp); }
  void fetch(std::size_t lane, std::size_t most, bool wait) override;
  void settle(std::size_t lane, const token_list& tokens) override;
  bool subscribe(std::size_t lane, std::size_t window) override;
  void poll(listener& to, clock::time_point until) override;
  std::optional<std::uint64_t> stored() override;
  void close() noexcept override;

 private:
  caf_requests& to(std::size_t lane) {
    if (!std::exchange(nodes_[lane]->marked, true)) marked_.push_back(lane);
    return nodes_[lane]->requests;
  }
  void flush();
  client::connection& control() { return nodes_.front()->client; }
  place from(std::size_t lane) const { return place_of(plan_, lane - publishers_); }
  caf_lane_options lane_options(std::size_t number);
  void set_up();
  void tear_down();

  plan plan_;
  caf_inbox inbox_;
  std::size_t publishers_ = 0;
  std::vector<std::unique_ptr<caf_node>> nodes_;
  std::vector<std::size_t> marked_;
  bool made_namespace_ = false;
  std::size_t made_topics_ = 0;
};

/// A client connection would wait for a broker to come: that there is one is tried first.
void caf_door::open(std::size_t publishers, std::size_t consumers) {
  tcp_connection(plan_.host, plan_.port);
  client::init_types();
  caf::init_global_meta_objects<caf::id_block::mqlite_load>();
  publishers_ = publishers;
  for (std::size_t i = 0; i < publishers + consumers; ++i) nodes_.push_back(std::make_unique<caf_node>(plan_));
  set_up();
  for (std::size_t i = 0; i < nodes_.size(); ++i) nodes_[i]->start_lane(lane_options(i), inbox_);
}

caf_lane_options caf_door::lane_options(std::size_t number) {
  caf_lane_options result;
  result.number = number;
  result.stamps = plan_.what == workload::end_to_end;
  const auto add = [&](const std::string& topic) {
    result.topics.push_back(value_of(nodes_[number]->client.topic(plan_.name_space, topic).handle()));
  };
  if (number >= publishers_) {
    add(from(number).topic);
    return result;
  }
  for (std::size_t i = 0; i < layout_of(plan_).topics; ++i) add(topic_name(plan_, i));
  result.batch.messages.resize(plan_.what == workload::drain ? 1 : plan_.batch);
  for (auto& one : result.batch.messages) one.payload = payload_of(plan_);
  return result;
}

// -- requests -------------------------------------------------------------------------------------------------------------------

void caf_door::fetch(std::size_t lane, std::size_t most, bool wait) {
  client::consume command;
  command.options.batch_size = static_cast<std::int64_t>(most);
  command.options.queue = from(lane).queue;
  if (wait) command.options.wait = std::chrono::seconds(10);
  to(lane).consumes.push_back(command);
}

void caf_door::settle(std::size_t lane, const token_list& tokens) {
  client::ack command;
  command.queue = std::max(0, from(lane).queue);
  for (std::size_t i = 0; i < tokens.size(); ++i) command.ids.emplace_back(tokens[i]);
  to(lane).acks.push_back(std::move(command));
}

bool caf_door::subscribe(std::size_t lane, std::size_t window) {
  client::subscribe_options options;
  options.max_in_flight = static_cast<std::int64_t>(window);
  options.queue = from(lane).queue;
  to(lane).subscriptions.push_back(options);
  return true;
}

void caf_door::flush() {
  for (const auto lane : marked_) {
    nodes_[lane]->marked = false;
    nodes_[lane]->send();
  }
  marked_.clear();
}

void caf_door::poll(listener& to, clock::time_point until) {
  flush();
  inbox_.hand_over(to, until);
  flush();
}

// -- the topic ------------------------------------------------------------------------------------------------------------------

void caf_door::set_up() {
  made_namespace_ = made(control().create_namespace(plan_.name_space), true);
  const auto layout = layout_of(plan_);
  for (; made_topics_ < layout.topics; ++made_topics_)
    made(control().create_topic(plan_.name_space, topic_name(plan_, made_topics_),
                                static_cast<std::int64_t>(layout.queues_each)),
         plan_.keep);
}

void caf_door::tear_down() {
  if (plan_.keep) return;
  for (std::size_t i = 0; i < made_topics_; ++i)
    value_of(control().delete_topic(plan_.name_space, topic_name(plan_, i)));
  if (made_namespace_ && value_of(control().list_topics(plan_.name_space)).empty())
    value_of(control().delete_namespace(plan_.name_space));
}

std::optional<std::uint64_t> caf_door::stored() {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < layout_of(plan_).topics; ++i)
    for (const auto& queue : value_of(control().topic(plan_.name_space, topic_name(plan_, i)).details()).queues)
      sum += queue.ready + queue.leased + queue.delayed;
  return sum;
}

/// A broker that is gone is not waited for, and keeps what it has.
void caf_door::close() noexcept {
  if (nodes_.empty()) return;
  for (auto& one : nodes_) one->stop_lane();
  try {
    tcp_connection(plan_.host, plan_.port);
    tear_down();
  } catch (const std::exception&) {
  }
  nodes_.clear();
}

}  // namespace

std::unique_ptr<door> make_caf_door(const plan& what) {
  if (what.connections > most_connections)
    throw usage_error("--connections is at most " + std::to_string(most_connections) +
                      " over CAF, where each has threads of its own");
  if (static_cast<double>(what.connections * what.outstanding) * static_cast<double>(what.batch * what.payload_size) >
      most_under_way)
    throw usage_error("--outstanding: over CAF that would be more than 4 GB of requests under way");
  return std::make_unique<caf_door>(what);
}

}  // namespace mqlite::load
