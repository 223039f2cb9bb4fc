#pragma once

#include <boost/asio/basic_socket_acceptor.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/settings.hpp"
#include "protocols/net/connection_counter.hpp"
#include "protocols/net/io_loop.hpp"
#include "protocols/net/offenders.hpp"
#include "protocols/net/sockets.hpp"

namespace mqlite {

/// What a listener does with connections.
struct listener_options {
  std::string name;  ///< begins log lines and errors, as in "http"
  protocol counted_as = protocol::http;
  listener_settings where;
  std::shared_ptr<connection_counter> counter;
  std::shared_ptr<offenders> log;
  /// A connection that counts; runs in the thread of the loop with this index. Whoever takes it calls counter->leave() once
  /// it is closed.
  std::function<void(std::size_t loop, tcp_socket socket)> accepted;
  /// A connection over the limit, which does not count; runs in the thread of its loop as well.
  std::function<void(tcp_socket socket)> refused;
};

/// Accepts connections on the first of some loops and deals them to all in turn. When the process runs out of descriptors or
/// memory it rests and tries again.
class listener : public std::enable_shared_from_this<listener> {
 public:
  listener(std::vector<io_loop*> loops, listener_options options);

  /// Binds and listens: nothing, or why not, as in "http: address 127.0.0.1:8080 is in use". Accepting begins with accept().
  std::optional<std::string> bind();
  /// The port in use; after bind().
  std::uint16_t port() const noexcept { return port_; }

  /// Begins to accept; the loops are running.
  void accept();
  /// Accepts no more. Runs in the first loop's thread.
  void close();

 private:
  void accept_next();
  void on_accepted(boost::system::error_code error, tcp_socket socket, std::size_t loop);
  void hand_on(std::size_t loop, tcp_socket socket, bool within_limit);
  void rest(boost::system::error_code error);

  std::vector<io_loop*> loops_;
  listener_options options_;
  asio::basic_socket_acceptor<asio::ip::tcp, asio::io_context::executor_type> acceptor_;
  loop_timer pause_;
  std::uint16_t port_ = 0;
  std::size_t next_loop_ = 0;
};

}  // namespace mqlite
