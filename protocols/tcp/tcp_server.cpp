#include "protocols/tcp/tcp_server.hpp"

#include <google/protobuf/stubs/logging.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "protocols/net/last_words.hpp"
#include "protocols/net/listener.hpp"
#include "protocols/tcp/answer.hpp"
#include "protocols/tcp/session.hpp"

namespace mqlite {

class tcp_server::implementation {
 public:
  implementation(tcp_options options, broker_actor broker);
  ~implementation() { stop(std::chrono::milliseconds(0)); }

  outcome<std::uint16_t> start();
  void stop(std::chrono::milliseconds patience);

 private:
  /// One thread with its connections.
  struct worker {
    io_loop loop;
    std::shared_ptr<tcp::session_group> sessions;
  };

  void refuse(tcp_socket socket) const;
  void wait_for_sessions(std::chrono::steady_clock::time_point deadline);

  listener_settings listen_;
  tcp::environment environment_;
  std::vector<std::unique_ptr<worker>> workers_;
  std::shared_ptr<listener> listener_;
  bool running_ = false;
};

tcp_server::implementation::implementation(tcp_options options, broker_actor broker)
    : listen_(std::move(options.listen)) {
  if (!options.connections) options.connections = std::make_shared<connection_counter>(options.limits.max_connections);
  if (!options.publish_times) options.publish_times = std::make_shared<latency_histogram>();
  environment_.limits = options.limits;
  environment_.facts.version = std::move(options.version);
  environment_.facts.max_memory = options.limits.max_memory;
  environment_.facts.connections = std::move(options.connections);
  environment_.timeouts = options.timeouts;
  environment_.publish_times = std::move(options.publish_times);
  environment_.log = std::make_shared<offenders>();
  for (std::size_t i = 0; i < std::max<std::size_t>(options.loops, 1); ++i) {
    auto one = std::make_unique<worker>();
    one->sessions = std::make_shared<tcp::session_group>(environment_, broker, one->loop);
    workers_.push_back(std::move(one));
  }
}

outcome<std::uint16_t> tcp_server::implementation::start() {
  // The library writes a line for each malformed text of each peer.
  google::protobuf::SetLogHandler(nullptr);
  std::vector<io_loop*> loops;
  for (auto& one : workers_) loops.push_back(&one->loop);
  listener_options how;
  how.name = "tcp";
  how.counted_as = protocol::tcp;
  how.where = listen_;
  how.counter = environment_.facts.connections;
  how.log = environment_.log;
  how.accepted = [this](std::size_t worker, tcp_socket socket) {
    std::make_shared<tcp::session>(std::move(socket), workers_[worker]->sessions)->start();
  };
  how.refused = [this](tcp_socket socket) { refuse(std::move(socket)); };
  listener_ = std::make_shared<listener>(std::move(loops), std::move(how));
  if (auto problem = listener_->bind()) return failure{error_code::unavailable, std::move(*problem)};
  for (std::size_t i = 0; i < workers_.size(); ++i) workers_[i]->loop.start("tcp-" + std::to_string(i));
  running_ = true;
  listener_->accept();
  return listener_->port();
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

void tcp_server::implementation::stop(std::chrono::milliseconds patience) {
  if (!running_) return;
  running_ = false;
  const auto deadline = std::chrono::steady_clock::now() + patience;
  environment_.stopping = true;
  workers_.front()->loop.run([this] { listener_->close(); });
  for (auto& one : workers_)
    one->loop.run([&one] {
      for (auto& session : one->sessions->all()) session->shut_down();
    });
  wait_for_sessions(deadline);
  for (auto& one : workers_)
    one->loop.run([&one] {
      for (auto& session : one->sessions->all()) session->close();
    });
  for (auto& one : workers_) one->loop.stop();
}

/// The last session of each loop says that it was the last.
void tcp_server::implementation::wait_for_sessions(std::chrono::steady_clock::time_point deadline) {
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
  for (auto& one : workers_) one->loop.run([&] { one->sessions->forget_empty(); });
}

tcp_server::tcp_server(tcp_options options, broker_actor broker)
    : implementation_(std::make_unique<implementation>(std::move(options), std::move(broker))) {}

tcp_server::~tcp_server() = default;

outcome<std::uint16_t> tcp_server::start() { return implementation_->start(); }

void tcp_server::stop(std::chrono::milliseconds patience) { implementation_->stop(patience); }

}  // namespace mqlite
