// The most that Boost.Beast gives on this machine: a server that answers every request with the same text, shaped like the
// answer to a publish. Threads, loops, keep-alive and parser are those of the broker's front end; timeouts, routing, JSON and the
// broker are missing. Usage: http_baseline [threads [port]]; prints the port, serves until it is stopped.

#include <boost/asio.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using socket_type = asio::basic_stream_socket<asio::ip::tcp, asio::io_context::executor_type>;
using asio::ip::tcp;

constexpr std::string_view answer_body =
    R"({"success":true,"data":{"message_id":"01890a5d-ac96-774b-bcce-b302099a8057","queue_id":0}})";

class connection : public std::enable_shared_from_this<connection> {
 public:
  explicit connection(socket_type socket) : socket_(std::move(socket)) {
    socket_.set_option(tcp::no_delay(true));
    answer_.version(11);
    answer_.result(http::status::ok);
    answer_.set(http::field::content_type, "application/json");
    answer_.body() = answer_body;
    answer_.prepare_payload();
  }

  void read() {
    parser_.emplace();
    http::async_read(socket_, input_, *parser_, [self = shared_from_this()](beast::error_code error, std::size_t) {
      if (!error) self->write();
    });
  }

 private:
  void write() {
    answer_.keep_alive(parser_->get().keep_alive());
    http::async_write(socket_, answer_, [self = shared_from_this()](beast::error_code error, std::size_t) {
      if (!error && self->answer_.keep_alive()) self->read();
    });
  }

  socket_type socket_;
  beast::flat_buffer input_;
  std::optional<http::request_parser<http::string_body>> parser_;
  http::response<http::string_body> answer_;
};

void accept(tcp::acceptor& acceptor, std::vector<std::unique_ptr<asio::io_context>>& loops, std::size_t next) {
  acceptor.async_accept(loops[next]->get_executor(), [&, next](beast::error_code error, socket_type socket) {
    if (!error) {
      auto one = std::make_shared<connection>(std::move(socket));
      asio::post(*loops[next], [one] { one->read(); });
    }
    accept(acceptor, loops, (next + 1) % loops.size());
  });
}

}  // namespace

int main(int count, char** arguments) {
  const int threads = count > 1 ? std::atoi(arguments[1]) : 1;
  const int port = count > 2 ? std::atoi(arguments[2]) : 0;
  if (threads < 1 || port < 0 || port > 65535) return std::fputs("usage: http_baseline [threads [port]]\n", stderr), 2;
  std::vector<std::unique_ptr<asio::io_context>> loops;
  for (int i = 0; i < threads; ++i) loops.push_back(std::make_unique<asio::io_context>(1));
  tcp::acceptor acceptor(*loops.front(), {asio::ip::address_v4::loopback(), static_cast<unsigned short>(port)});
  std::printf("%d\n", acceptor.local_endpoint().port());
  std::fflush(stdout);
  accept(acceptor, loops, 0);
  std::vector<std::thread> others;
  for (int i = 1; i < threads; ++i)
    others.emplace_back([&loop = *loops[static_cast<std::size_t>(i)]] {
      const auto work = asio::make_work_guard(loop);
      loop.run();
    });
  loops.front()->run();
}
