#include "protocols/net/listener.hpp"

#include <spdlog/spdlog.h>

#include <boost/asio/ip/address.hpp>

namespace mqlite {
namespace {

constexpr auto pause_without_resources = std::chrono::milliseconds(200);

std::string name_of(const listener_settings& where) {
  const bool v6 = where.address.find(':') != std::string::npos;
  return (v6 ? "[" + where.address + "]" : where.address) + ":" + std::to_string(where.port);
}

std::string reason_text(boost::system::error_code error) {
  if (error == asio::error::address_in_use) return "is in use";
  if (error == asio::error::access_denied) return "needs more rights";
  return "cannot be used: " + error.message();
}

}  // namespace

listener::listener(std::vector<io_loop*> loops, listener_options options)
    : loops_(std::move(loops)),
      options_(std::move(options)),
      acceptor_(loops_.front()->context().get_executor()),
      pause_(loops_.front()->context().get_executor()) {}

std::optional<std::string> listener::bind() {
  boost::system::error_code error;
  const auto address = asio::ip::make_address(options_.where.address, error);
  if (!error) {
    const asio::ip::tcp::endpoint endpoint(address, options_.where.port);
    acceptor_.open(endpoint.protocol(), error);
    if (!error) acceptor_.set_option(asio::socket_base::reuse_address(true), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
    if (!error) port_ = acceptor_.local_endpoint(error).port();
  }
  if (!error) return std::nullopt;
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  return options_.name + ": address " + name_of(options_.where) + " " + reason_text(error);
}

void listener::accept() {
  loops_.front()->post([self = shared_from_this()] { self->accept_next(); });
}

void listener::close() {
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  pause_.cancel();
}

void listener::accept_next() {
  if (!acceptor_.is_open()) return;
  const auto loop = next_loop_;
  next_loop_ = (next_loop_ + 1) % loops_.size();
  acceptor_.async_accept(loops_[loop]->context().get_executor(),
                         [self = shared_from_this(), loop](boost::system::error_code error, tcp_socket socket) {
                           self->on_accepted(error, std::move(socket), loop);
                         });
}

void listener::on_accepted(boost::system::error_code error, tcp_socket socket, std::size_t loop) {
  if (!acceptor_.is_open()) return;
  if (error == asio::error::connection_aborted) return accept_next();
  if (error) return rest(error);
  const bool within_limit = options_.counter->enter(options_.counted_as);
  if (!within_limit)
    options_.log->report(options_.name, "connections are refused: there are " +
                                            std::to_string(options_.counter->most()) + " (limits.max_connections)");
  hand_on(loop, std::move(socket), within_limit);
  accept_next();
}

void listener::hand_on(std::size_t loop, tcp_socket socket, bool within_limit) {
  // std::function wants to be copyable, a socket is not.
  auto shared = std::make_shared<tcp_socket>(std::move(socket));
  loops_[loop]->post([self = shared_from_this(), loop, shared, within_limit] {
    if (within_limit)
      self->options_.accepted(loop, std::move(*shared));
    else
      self->options_.refused(std::move(*shared));
  });
}

/// Without descriptors the connection stays in the backlog, and accepting at once would only fail again.
void listener::rest(boost::system::error_code error) {
  options_.log->report(options_.name, "a connection cannot be accepted: " + error.message());
  pause_.expires_after(pause_without_resources);
  pause_.async_wait([self = shared_from_this()](boost::system::error_code cancelled) {
    if (!cancelled) self->accept_next();
  });
}

}  // namespace mqlite
