#pragma once

#include <memory>
#include <string>
#include <unordered_set>

#include <caf/io/doorman.hpp>

#include "protocols/net/io_loop.hpp"
#include "protocols/net/sockets.hpp"
#include "protocols/remote/connection.hpp"

namespace mqlite::remote {

/// What CAF's network knows as the listening socket. The real one is a listener of ours; this only lets connections in.
class doorkeeper final : public caf::io::doorman {
 public:
  doorkeeper(caf::io::network::default_multiplexer& network, std::string address, std::uint16_t port,
             std::shared_ptr<connection_list> list);

  /// Gives a connected socket to CAF, and closes it when CAF takes none any more. Callable from every thread.
  void admit(int socket);

  bool new_connection() override { return false; }
  void launch() override {}
  void graceful_shutdown() override;
  void add_to_loop() override {}
  void remove_from_loop() override {}
  std::string addr() const override { return address_; }
  std::uint16_t port() const override { return port_; }

 private:
  caf::io::network::default_multiplexer& network_;
  std::string address_;
  std::uint16_t port_;
  std::shared_ptr<connection_list> list_;
};

/// Connections that have not greeted yet: a client of CAF does at once. Those who say something else, or nothing for a while, never
/// reach CAF. Lives on a loop.
class entrance : public std::enable_shared_from_this<entrance> {
 public:
  entrance(caf::intrusive_ptr<doorkeeper> keeper, std::shared_ptr<connection_list> list,
           std::shared_ptr<connection_counter> counter, std::chrono::steady_clock::duration patience)
      : keeper_(std::move(keeper)), list_(std::move(list)), counter_(std::move(counter)), patience_(patience) {}

  /// A counted connection.
  void arrived(tcp_socket socket);
  /// Closes those who wait, and admits no more.
  void close();

 private:
  class arrival;

  caf::intrusive_ptr<doorkeeper> keeper_;
  std::shared_ptr<connection_list> list_;
  std::shared_ptr<connection_counter> counter_;
  std::chrono::steady_clock::duration patience_;
  std::unordered_set<std::shared_ptr<arrival> > waiting_;
  bool closed_ = false;
};

}  // namespace mqlite::remote
