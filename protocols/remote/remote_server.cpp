#include "protocols/remote/remote_server.hpp"

#include <caf/byte_buffer.hpp>
#include <caf/init_global_meta_objects.hpp>
#include <caf/io/basp_broker.hpp>
#include <caf/io/middleman.hpp>

#include "protocols/net/listener.hpp"
#include "protocols/remote/entrance.hpp"
#include "protocols/remote/greeter.hpp"

namespace mqlite {
namespace remote {
namespace {

/// What a message has besides its content, in bytes.
constexpr std::uint64_t envelope = 64 * 1024;
/// How long peers may take to read what they are owed, once everything was answered.
constexpr auto reading_time = std::chrono::seconds(2);

/// The types of a message, as they stand in it.
template <class... Ts>
std::vector<std::uint16_t> types() {
  return {static_cast<std::uint16_t>(caf::type_id_v<Ts>)...};
}

gate_rules make_rules(const limit_settings& limits, caf::actor_system& system) {
  gate_rules rules;
  caf::byte_buffer name;
  auto sink = serializer_into(name, system);
  if (sink.apply(system.node()))
    for (const auto byte : name) rules.own_name.push_back(static_cast<unsigned char>(byte));
  rules.most_payload = limits.max_request_bytes + envelope;
  rules.first_type = static_cast<std::uint16_t>(caf::id_block::mqlite_client::begin);
  rules.end_type = static_cast<std::uint16_t>(caf::id_block::mqlite_client::end);
  rules.others = {{}, types<caf::unit_t>(), types<caf::error>()};
  // What CAF's nodes ask and answer each other when they meet.
  rules.to_spawn_server = {types<caf::sys_atom, caf::get_atom, std::string>()};
  rules.others.push_back(types<caf::ok_atom, std::string, caf::strong_actor_ptr, std::string>());
  return rules;
}

}  // namespace
}  // namespace remote

class remote_server::implementation {
 public:
  implementation(remote_options options, caf::actor_system& system, broker_actor broker);
  ~implementation() { stop(std::chrono::milliseconds(0)); }

  outcome<std::uint16_t> start();
  void stop(std::chrono::milliseconds patience);

 private:
  void publish(std::uint16_t port);
  void close_connections();

  caf::actor_system& system_;
  listener_settings listen_;
  std::chrono::steady_clock::duration greeting_;
  std::shared_ptr<remote::context> shared_;
  std::shared_ptr<remote::connection_list> connections_;
  remote::greeter_actor greeter_;
  io_loop loop_;  // outlives what has timers and sockets on it
  std::shared_ptr<remote::entrance> entrance_;
  std::shared_ptr<listener> listener_;
  std::uint16_t port_ = 0;
  bool running_ = false;
};

remote_server::implementation::implementation(remote_options options, caf::actor_system& system, broker_actor broker)
    : system_(system),
      listen_(std::move(options.listen)),
      greeting_(options.greeting),
      shared_(std::make_shared<remote::context>()) {
  if (!options.connections) options.connections = std::make_shared<connection_counter>(options.limits.max_connections);
  if (!options.publish_times) options.publish_times = std::make_shared<latency_histogram>();
  shared_->broker = std::move(broker);
  shared_->limits = options.limits;
  shared_->facts.version = std::move(options.version);
  shared_->facts.max_memory = options.limits.max_memory;
  shared_->facts.connections = std::move(options.connections);
  shared_->publish_times = std::move(options.publish_times);
  shared_->log = std::make_shared<offenders>();
  connections_ = std::make_shared<remote::connection_list>(remote::make_rules(shared_->limits, system),
                                                           shared_->facts.connections, shared_->log);
}

outcome<std::uint16_t> remote_server::implementation::start() {
  listener_options how;
  how.name = "caf";
  how.counted_as = protocol::caf;
  how.where = listen_;
  how.counter = shared_->facts.connections;
  how.log = shared_->log;
  how.accepted = [this](std::size_t, tcp_socket socket) { entrance_->arrived(std::move(socket)); };
  // There is no way to say why: CAF's protocol knows no refusals.
  how.refused = [](const tcp_socket&) {};
  listener_ = std::make_shared<listener>(std::vector<io_loop*>{&loop_}, std::move(how));
  if (auto problem = listener_->bind()) return failure{error_code::unavailable, std::move(*problem), false};
  port_ = listener_->port();
  publish(port_);
  loop_.start("caf-door");
  running_ = true;
  listener_->accept();
  return port_;
}

void remote_server::implementation::publish(std::uint16_t port) {
  auto& network = static_cast<caf::io::network::default_multiplexer&>(system_.middleman().backend());
  const auto keeper = caf::make_counted<remote::doorkeeper>(network, listen_.address, port, connections_);
  greeter_ = spawn_state<remote::greeter_actor, remote::greeter_state>(system_, shared_);
  const auto basp = system_.middleman().named_broker<caf::io::basp_broker>("BASP");
  tell(basp, caf::publish_atom_v, caf::io::doorman_ptr(keeper), port, caf::actor_cast<caf::strong_actor_ptr>(greeter_),
       system_.message_types<client::remote_broker>());
  entrance_ = std::make_shared<remote::entrance>(keeper, connections_, shared_->facts.connections, greeting_);
}

void remote_server::implementation::stop(std::chrono::milliseconds patience) {
  if (!running_) return;
  running_ = false;
  const auto deadline = std::chrono::steady_clock::now() + patience;
  shared_->stopping = true;
  loop_.run([this] {
    listener_->close();
    entrance_->close();
  });
  tell(greeter_, remote::finish{});
  shared_->unanswered->wait_for_none(deadline);
  close_connections();
  mqlite::stop(greeter_);
  greeter_ = nullptr;
  shared_->actors->wait_for_none(std::chrono::steady_clock::now() + remote::reading_time);
  loop_.stop();
}

/// Closing the port goes through the mailbox that answers went through: behind it they are all on their way to the sockets.
void remote_server::implementation::close_connections() {
  (void)system_.middleman().close(port_);
  system_.middleman().backend().post([list = connections_] {
    for (const auto& one : list->all()) one->graceful_shutdown();
  });
  if (connections_->wait_for_none(std::chrono::steady_clock::now() + remote::reading_time)) return;
  connections_->cut();
}

void remote_server::configure(caf::actor_system_config& config) {
  config.load<caf::io::middleman>();
  // Programs that set no name of their own are called so.
  config.set("caf.middleman.app-identifiers", std::vector<std::string>{"mqlite", "generic-caf-app"});
  config.set("caf.middleman.attach-utility-actors", true);
}

void remote_server::init_types() {
  caf::io::middleman::init_global_meta_objects();
  caf::init_global_meta_objects<caf::id_block::mqlite_client>();
  caf::init_global_meta_objects<caf::id_block::mqlite_remote>();
}

remote_server::remote_server(remote_options options, caf::actor_system& system, broker_actor broker)
    : implementation_(std::make_unique<implementation>(std::move(options), system, std::move(broker))) {}

remote_server::~remote_server() = default;

outcome<std::uint16_t> remote_server::start() { return implementation_->start(); }

void remote_server::stop(std::chrono::milliseconds patience) { implementation_->stop(patience); }

}  // namespace mqlite
