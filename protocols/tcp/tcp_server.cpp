#include "protocols/tcp/tcp_server.hpp"

#include <google/protobuf/stubs/logging.h>

#include "protocols/net/last_words.hpp"
#include "protocols/net/session_server.hpp"
#include "protocols/tcp/answer.hpp"
#include "protocols/tcp/session.hpp"

namespace mqlite {

class tcp_server::implementation {
 public:
  implementation(tcp_options options, const broker_actor& broker);
  ~implementation() { stop(std::chrono::milliseconds(0)); }

  outcome<std::uint16_t> start();
  void stop(std::chrono::milliseconds patience) { server_.stop(patience, environment_.stopping); }

 private:
  void refuse(tcp_socket socket) const;

  listener_settings listen_;
  tcp::environment environment_;
  session_server<tcp::session_group> server_;
};

tcp_server::implementation::implementation(tcp_options options, const broker_actor& broker)
    : listen_(std::move(options.listen)),
      server_(
          options.loops,
          [&](io_loop& loop) { return std::make_shared<tcp::session_group>(environment_, broker, loop); },
          options.between_events) {
  if (!options.connections) options.connections = std::make_shared<connection_counter>(options.limits.max_connections);
  if (!options.publish_times) options.publish_times = std::make_shared<latency_histogram>();
  environment_.limits = options.limits;
  environment_.facts.version = std::move(options.version);
  environment_.facts.max_memory = options.limits.max_memory;
  environment_.facts.connections = std::move(options.connections);
  environment_.timeouts = options.timeouts;
  environment_.publish_times = std::move(options.publish_times);
  environment_.log = std::make_shared<offenders>();
}

outcome<std::uint16_t> tcp_server::implementation::start() {
  // The library writes a line for each malformed text of each peer.
  google::protobuf::SetLogHandler(nullptr);
  listener_options how;
  how.name = "tcp";
  how.counted_as = protocol::tcp;
  how.where = listen_;
  how.counter = environment_.facts.connections;
  how.log = environment_.log;
  how.refused = [this](tcp_socket socket) { refuse(std::move(socket)); };
  return server_.start(std::move(how), [](tcp_socket socket, const std::shared_ptr<tcp::session_group>& group) {
    std::make_shared<tcp::session>(std::move(socket), group)->start();
  });
}

/// What the peer reads is not known yet: JSON, by the usual count.
void tcp_server::implementation::refuse(tcp_socket socket) const {
  const failure why{error_code::resource_exhausted,
                    "there are " + std::to_string(environment_.limits.max_connections) +
                        " connections already (limits.max_connections)",
                    false};
  std::string words;
  tcp::write_failure(words, {}, tcp::length_count::payload, why);
  say_and_close(std::move(socket), words);
}

tcp_server::tcp_server(tcp_options options, const broker_actor& broker)
    : implementation_(std::make_unique<implementation>(std::move(options), broker)) {}

tcp_server::~tcp_server() = default;

outcome<std::uint16_t> tcp_server::start() { return implementation_->start(); }

void tcp_server::stop(std::chrono::milliseconds patience) { implementation_->stop(patience); }

}  // namespace mqlite
