#include "protocols/http/http_server.hpp"

#include <algorithm>
#include <condition_variable>

#include "actors/gateway.hpp"
#include "protocols/http/handlers/handlers.hpp"
#include "protocols/http/refusal.hpp"
#include "protocols/http/session.hpp"
#include "protocols/net/listener.hpp"

namespace mqlite {

class http_server::implementation {
 public:
  implementation(http_options options, broker_actor broker);
  ~implementation();

  outcome<std::uint16_t> start();
  void stop(std::chrono::milliseconds patience);

 private:
  /// One thread with its connections.
  struct worker {
    io_loop loop;
    std::shared_ptr<session_group> sessions;
  };

  void on_accepted(std::size_t worker, tcp_socket socket);
  void wait_for_sessions(std::chrono::steady_clock::time_point deadline);
  static void shut_down(session_group& sessions);
  static void close(session_group& sessions);

  http_options options_;
  broker_actor broker_;
  http_environment environment_;
  std::vector<std::unique_ptr<worker>> workers_;
  std::shared_ptr<listener> listener_;
  bool running_ = false;
};

http_server::implementation::implementation(http_options options, broker_actor broker)
    : options_(std::move(options)), broker_(std::move(broker)), environment_(all_routes()) {
  if (!options_.connections)
    options_.connections = std::make_shared<connection_counter>(options_.limits.max_connections);
  if (!options_.publish_times) options_.publish_times = std::make_shared<latency_histogram>();
  environment_.limits = options_.limits;
  environment_.version = options_.version;
  environment_.timeouts = options_.timeouts;
  environment_.connections = options_.connections;
  environment_.publish_times = options_.publish_times;
  environment_.log = std::make_shared<offenders>();
  for (std::size_t i = 0; i < std::max<std::size_t>(options_.loops, 1); ++i) {
    auto one = std::make_unique<worker>();
    one->sessions = std::make_shared<session_group>(
        session_group{environment_, std::make_shared<gateway>(broker_, one->loop.as_event_loop()), {}, {}});
    workers_.push_back(std::move(one));
  }
}

http_server::implementation::~implementation() { stop(std::chrono::milliseconds(0)); }

outcome<std::uint16_t> http_server::implementation::start() {
  std::vector<io_loop*> loops;
  for (auto& one : workers_) loops.push_back(&one->loop);
  listener_options how;
  how.name = "http";
  how.counted_as = protocol::http;
  how.where = options_.listen;
  how.counter = environment_.connections;
  how.log = environment_.log;
  how.accepted = [this](std::size_t worker, tcp_socket socket) { on_accepted(worker, std::move(socket)); };
  how.refused = [this](tcp_socket socket) {
    refuse_connection(std::move(socket), environment_.limits.max_connections);
  };
  listener_ = std::make_shared<listener>(std::move(loops), std::move(how));
  if (auto problem = listener_->bind()) return failure{error_code::unavailable, std::move(*problem)};
  for (std::size_t i = 0; i < workers_.size(); ++i) workers_[i]->loop.start("http-" + std::to_string(i));
  running_ = true;
  listener_->accept();
  return listener_->port();
}

void http_server::implementation::on_accepted(std::size_t worker, tcp_socket socket) {
  const auto connection = std::make_shared<session>(std::move(socket), workers_[worker]->sessions);
  connection->start();
}

void http_server::implementation::stop(std::chrono::milliseconds patience) {
  if (!running_) return;
  running_ = false;
  const auto deadline = std::chrono::steady_clock::now() + patience;
  environment_.stopping = true;
  workers_.front()->loop.run([this] { listener_->close(); });
  for (auto& one : workers_) one->loop.run([&one] { shut_down(*one->sessions); });
  wait_for_sessions(deadline);
  for (auto& one : workers_) one->loop.run([&one] { close(*one->sessions); });
  for (auto& one : workers_) one->loop.stop();
}

/// The last session of each loop says that it was the last.
void http_server::implementation::wait_for_sessions(std::chrono::steady_clock::time_point deadline) {
  struct {
    std::mutex mutex;
    std::condition_variable changed;
    std::size_t empty = 0;
  } ended;
  for (auto& one : workers_)
    one->loop.run([&] {
      one->sessions->when_empty([&ended] {
        const std::lock_guard lock(ended.mutex);
        ++ended.empty;
        ended.changed.notify_one();
      });
    });
  {
    std::unique_lock lock(ended.mutex);
    ended.changed.wait_until(lock, deadline, [&] { return ended.empty == workers_.size(); });
  }
  for (auto& one : workers_) one->loop.run([&] { one->sessions->on_empty = nullptr; });
}

/// Sessions leave the group as they end: a copy is walked over.
void http_server::implementation::shut_down(session_group& sessions) {
  for (auto& one : sessions.all()) one->shut_down();
}

void http_server::implementation::close(session_group& sessions) {
  for (auto& one : sessions.all()) one->close();
}

http_server::http_server(http_options options, broker_actor broker)
    : implementation_(std::make_unique<implementation>(std::move(options), std::move(broker))) {}

http_server::~http_server() = default;

outcome<std::uint16_t> http_server::start() { return implementation_->start(); }

void http_server::stop(std::chrono::milliseconds patience) { implementation_->stop(patience); }

}  // namespace mqlite
