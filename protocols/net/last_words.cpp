#include "protocols/net/last_words.hpp"

#include <array>
#include <atomic>
#include <memory>

namespace mqlite {
namespace {

constexpr auto linger = std::chrono::seconds(2);
/// Refused connections that may linger at a time; those above are closed at once, perhaps before they could read why.
constexpr int most_lingering = 256;

/// Reads what the peer sends until it closes: were its bytes unread, closing would take the answer away from it.
class refused_connection : public std::enable_shared_from_this<refused_connection> {
 public:
  explicit refused_connection(tcp_socket socket) : socket_(std::move(socket)), timer_(socket_.get_executor()) {
    ++lingering;
  }
  ~refused_connection() { --lingering; }

  void start(const std::string& words) {
    boost::system::error_code error;
    socket_.non_blocking(true, error);
    socket_.write_some(asio::buffer(words), error);
    socket_.shutdown(asio::socket_base::shutdown_send, error);
    if (error || lingering > most_lingering) return;
    timer_.expires_after(linger);
    timer_.async_wait([self = shared_from_this()](boost::system::error_code) {
      boost::system::error_code ignored;
      self->socket_.close(ignored);
    });
    read();
  }

 private:
  void read() {
    socket_.async_read_some(asio::buffer(scrap_),
                            [self = shared_from_this()](boost::system::error_code error, std::size_t) {
                              if (error)
                                self->timer_.cancel();
                              else
                                self->read();
                            });
  }

  static inline std::atomic<int> lingering{0};
  tcp_socket socket_;
  loop_timer timer_;
  std::array<char, 1024> scrap_;
};

}  // namespace

void say_and_close(tcp_socket socket, const std::string& words) {
  std::make_shared<refused_connection>(std::move(socket))->start(words);
}

}  // namespace mqlite
