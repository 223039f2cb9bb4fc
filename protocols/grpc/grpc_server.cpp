#include "protocols/grpc/grpc_server.hpp"

#include <absl/synchronization/mutex.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>

#include <algorithm>
#include <future>
#include <limits>

#include "protocols/grpc/door.hpp"
#include "protocols/grpc/grpc_log.hpp"
#include "protocols/grpc/hangup_watch.hpp"
#include "protocols/grpc/service.hpp"
#include "protocols/net/listener.hpp"
#include "protocols/translate/stats_answers.hpp"

namespace mqlite {
namespace {

constexpr int handshake_timeout_ms = 10'000;  // of a connection that says nothing
constexpr int keepalive_ms = 60'000;          // after which a quiet peer is asked whether it is there
constexpr int keepalive_timeout_ms = 20'000;
constexpr int least_client_ping_ms = 5'000;  // clients may ask no more often
constexpr int most_calls_of_a_connection = 10'000;
constexpr auto last_writes = std::chrono::milliseconds(500);  // for answers that were given when the server stops

using fd_source = grpc::ServerBuilder::experimental_type::ExternalConnectionType;

/// `limit` as gRPC takes it.
int message_limit(std::uint64_t limit) {
  return static_cast<int>(std::min<std::uint64_t>(limit, std::numeric_limits<int>::max()));
}

/// Reflection is no service of the callback kind: one thread of its own, which sleeps.
void configure(grpc::ServerBuilder& builder, const limit_settings& limits) {
  using option = grpc::ServerBuilder::SyncServerOption;
  builder.SetSyncServerOption(option::NUM_CQS, 1);
  builder.SetSyncServerOption(option::MIN_POLLERS, 1);
  builder.SetSyncServerOption(option::MAX_POLLERS, 2);
  builder.SetMaxReceiveMessageSize(message_limit(limits.max_request_bytes));
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, handshake_timeout_ms);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, keepalive_ms);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, keepalive_timeout_ms);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, least_client_ping_ms);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, most_calls_of_a_connection);
  builder.AddChannelArgument(GRPC_ARG_ENABLE_CHANNELZ, 0);
}

}  // namespace

/// Connections are accepted here, under the limit that all front ends share, and handed to gRPC.
class grpc_server::implementation {
 public:
  implementation(grpc_options options, broker_actor broker);
  ~implementation() { stop(std::chrono::milliseconds(0)); }

  outcome<std::uint16_t> start();
  void stop(std::chrono::milliseconds patience);

 private:
  bool build();
  void on_accepted(tcp_socket socket);
  void wait_for_calls(std::chrono::milliseconds patience);
  std::string stats_text(const broker_stats& stats, stats_detail detail) const;

  grpc_options options_;
  server_facts facts_;
  std::shared_ptr<offenders> log_ = std::make_shared<offenders>();
  grpc_door door_;
  grpc_service service_;
  hangup_watch connections_;
  std::shared_ptr<listener> listener_;
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> to_grpc_;
  std::unique_ptr<grpc::Server> server_;
};

namespace {

grpc_options completed(grpc_options options) {
  if (!options.connections) options.connections = std::make_shared<connection_counter>(options.limits.max_connections);
  if (!options.publish_times) options.publish_times = std::make_shared<latency_histogram>();
  return options;
}

}  // namespace

grpc_server::implementation::implementation(grpc_options options, broker_actor broker)
    : options_(completed(std::move(options))),
      facts_{options_.version, options_.limits.max_memory, options_.connections},
      door_(std::move(broker), options_.limits, options_.publish_times, options_.between_events),
      service_(door_, [this](const broker_stats& stats, stats_detail detail) { return stats_text(stats, detail); }),
      connections_(door_.loop().context(), [counter = options_.connections] { counter->leave(protocol::grpc); }) {}

std::string grpc_server::implementation::stats_text(const broker_stats& stats, stats_detail detail) const {
  std::string text;
  append_stats(text, facts_, stats, detail);
  return text;
}

outcome<std::uint16_t> grpc_server::implementation::start() {
  listener_options how;
  how.name = "grpc";
  how.counted_as = protocol::grpc;
  how.where = options_.listen;
  how.counter = options_.connections;
  how.log = log_;
  how.accepted = [this](std::size_t, tcp_socket socket) { on_accepted(std::move(socket)); };
  how.refused = [](tcp_socket) {};  // closes it
  listener_ = std::make_shared<listener>(std::vector<io_loop*>{&door_.loop()}, std::move(how));
  if (auto problem = listener_->bind()) return failure{error_code::unavailable, std::move(*problem)};
  redirect_grpc_log();
  // Debian's Abseil looks for deadlocks at each lock of gRPC's mutexes, in a graph that all threads share.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  if (!build()) return failure{error_code::internal, "grpc: the server cannot be started"};
  door_.health().report_to(server_->GetHealthCheckService());
  door_.loop().start("grpc-0");
  door_.loop().post([this] { door_.health().look(); });
  listener_->accept();
  return listener_->port();
}

bool grpc_server::implementation::build() {
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  configure(builder, options_.limits);
  to_grpc_ =
      builder.experimental().AddExternalConnectionAcceptor(fd_source::FROM_FD, grpc::InsecureServerCredentials());
  builder.RegisterService(&service_);
  server_ = builder.BuildAndStart();
  return server_ != nullptr;
}

void grpc_server::implementation::on_accepted(tcp_socket socket) {
  boost::system::error_code error;
  socket.set_option(asio::ip::tcp::no_delay(true), error);
  socket.native_non_blocking(true, error);  // gRPC takes that for granted
  if (!connections_.add(socket.native_handle())) {
    options_.connections->leave(protocol::grpc);
    return;
  }
  grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters connection;
  connection.fd = socket.release(error);
  to_grpc_->HandleNewConnection(&connection);
}

void grpc_server::implementation::stop(std::chrono::milliseconds patience) {
  if (!server_) return;
  server_->GetHealthCheckService()->Shutdown();
  wait_for_calls(patience);
  server_->Shutdown(std::chrono::system_clock::now() + std::min(patience, last_writes));
  door_.loop().stop();
  for (auto left = connections_.size(); left > 0; --left) options_.connections->leave(protocol::grpc);
  server_.reset();
}

void grpc_server::implementation::wait_for_calls(std::chrono::milliseconds patience) {
  const auto ended = std::make_shared<std::promise<void>>();
  auto end = ended->get_future();
  door_.loop().run([&] {
    listener_->close();
    door_.health().report_to(nullptr);
    door_.shut_down([ended] { ended->set_value(); });
  });
  if (end.wait_for(patience) != std::future_status::ready) door_.loop().run([&] { door_.abandon(); });
}

grpc_server::grpc_server(grpc_options options, broker_actor broker)
    : implementation_(std::make_unique<implementation>(std::move(options), std::move(broker))) {}

grpc_server::~grpc_server() = default;

outcome<std::uint16_t> grpc_server::start() { return implementation_->start(); }

void grpc_server::stop(std::chrono::milliseconds patience) { implementation_->stop(patience); }

}  // namespace mqlite
