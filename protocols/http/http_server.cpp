#include "protocols/http/http_server.hpp"

#include "actors/gateway.hpp"
#include "protocols/http/handlers/handlers.hpp"
#include "protocols/http/refusal.hpp"
#include "protocols/http/session.hpp"
#include "protocols/net/session_server.hpp"

namespace mqlite {

class http_server::implementation {
 public:
  implementation(http_options options, const broker_actor& broker);
  ~implementation() { stop(std::chrono::milliseconds(0)); }

  outcome<std::uint16_t> start();
  void stop(std::chrono::milliseconds patience) { server_.stop(patience, environment_.stopping); }

 private:
  static http_options complete(http_options options);

  http_options options_;
  http_environment environment_;
  session_server<session_group> server_;
};

http_options http_server::implementation::complete(http_options options) {
  if (!options.connections) options.connections = std::make_shared<connection_counter>(options.limits.max_connections);
  if (!options.publish_times) options.publish_times = std::make_shared<latency_histogram>();
  return options;
}

http_server::implementation::implementation(http_options options, const broker_actor& broker)
    : options_(complete(std::move(options))),
      environment_(all_routes()),
      server_(
          options_.loops,
          [&](io_loop& loop) {
            return std::make_shared<session_group>(
                session_group{environment_, loop, std::make_shared<gateway>(broker, loop.as_event_loop()), {}});
          },
          options_.between_events) {
  environment_.limits = options_.limits;
  environment_.version = options_.version;
  environment_.timeouts = options_.timeouts;
  environment_.connections = options_.connections;
  environment_.publish_times = options_.publish_times;
  environment_.log = std::make_shared<offenders>();
}

outcome<std::uint16_t> http_server::implementation::start() {
  listener_options how;
  how.name = "http";
  how.counted_as = protocol::http;
  how.where = options_.listen;
  how.counter = environment_.connections;
  how.log = environment_.log;
  how.refused = [this](tcp_socket socket) {
    refuse_connection(std::move(socket), environment_.limits.max_connections);
  };
  return server_.start(std::move(how), [](tcp_socket socket, const std::shared_ptr<session_group>& group) {
    std::make_shared<session>(std::move(socket), group)->start();
  });
}

http_server::http_server(http_options options, const broker_actor& broker)
    : implementation_(std::make_unique<implementation>(std::move(options), broker)) {}

http_server::~http_server() = default;

outcome<std::uint16_t> http_server::start() { return implementation_->start(); }

void http_server::stop(std::chrono::milliseconds patience) { implementation_->stop(patience); }

}  // namespace mqlite
