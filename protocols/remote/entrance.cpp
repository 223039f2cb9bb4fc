#include "protocols/remote/entrance.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <array>

namespace mqlite::remote {
namespace {

constexpr std::int64_t doorkeeper_name = std::int64_t{1} << 32;

/// The socket is readable when so many bytes have come, or the stream has ended.
void set_least_readable(int socket, int bytes) { setsockopt(socket, SOL_SOCKET, SO_RCVLOWAT, &bytes, sizeof bytes); }

}  // namespace

// -- doorkeeper -----------------------------------------------------------------------------------------------------------------

doorkeeper::doorkeeper(caf::io::network::default_multiplexer& network, std::string address, std::uint16_t port,
                       std::shared_ptr<connection_list> list)
    : doorman(caf::io::accept_handle::from_int(doorkeeper_name)),
      network_(network),
      address_(std::move(address)),
      port_(port),
      list_(std::move(list)) {}

void doorkeeper::admit(int socket) {
  network_.post([me = caf::intrusive_ptr<doorkeeper>(this), socket] {
    const auto one = caf::make_counted<connection>(me->network_, socket, me->list_);
    if (me->detached()) return;
    const auto name = one->hdl();
    me->parent()->add_scribe(one);
    me->doorman::new_connection(&me->network_, name);
  });
}

void doorkeeper::graceful_shutdown() { detach(&network_, false); }

// -- entrance -------------------------------------------------------------------------------------------------------------------

class entrance::arrival : public std::enable_shared_from_this<arrival> {
 public:
  arrival(tcp_socket socket, std::shared_ptr<entrance> to)
      : socket_(std::move(socket)), deadline_(socket_.get_executor()), to_(std::move(to)) {}

  void wait() {
    boost::system::error_code error;
    const auto peer = socket_.remote_endpoint(error);
    address_ = error ? "peer" : peer.address().to_string();
    set_least_readable(socket_.native_handle(), gate::header_size);
    deadline_.expires_after(to_->patience_);
    deadline_.async_wait([me = shared_from_this()](boost::system::error_code cancelled) {
      if (!cancelled) me->refuse("does not greet");
    });
    socket_.async_wait(tcp_socket::wait_read, [me = shared_from_this()](boost::system::error_code failed) {
      failed ? me->leave() : me->look();
    });
  }

  void leave() {
    if (!socket_.is_open()) return;
    boost::system::error_code ignored;
    deadline_.cancel();
    socket_.close(ignored);
    to_->counter_->leave(protocol::caf);
    to_->waiting_.erase(shared_from_this());
  }

 private:
  void look() {
    if (!socket_.is_open()) return;
    std::array<unsigned char, gate::header_size> bytes;
    const auto size = recv(socket_.native_handle(), bytes.data(), bytes.size(), MSG_PEEK | MSG_DONTWAIT);
    if (size <= 0) return leave();
    if (const auto problem = gate::check_greeting({bytes.data(), static_cast<std::size_t>(size)}))
      return refuse(*problem);
    set_least_readable(socket_.native_handle(), 1);
    deadline_.cancel();
    boost::system::error_code error;
    const int socket = socket_.release(error);
    if (error) return leave();
    to_->keeper_->admit(socket);
    to_->waiting_.erase(shared_from_this());
  }

  void refuse(std::string_view problem) {
    if (!socket_.is_open()) return;
    to_->list_->report(address_, problem);
    leave();
  }

  tcp_socket socket_;
  loop_timer deadline_;
  std::shared_ptr<entrance> to_;
  std::string address_;
};

void entrance::arrived(tcp_socket socket) {
  if (closed_) {
    counter_->leave(protocol::caf);
    return;
  }
  const auto one = std::make_shared<arrival>(std::move(socket), shared_from_this());
  waiting_.insert(one);
  one->wait();
}

void entrance::close() {
  closed_ = true;
  const auto waiting = waiting_;
  for (const auto& one : waiting) one->leave();
}

}  // namespace mqlite::remote
