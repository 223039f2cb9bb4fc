#pragma once

#include <boost/beast/core/flat_buffer.hpp>
#include <optional>

#include "protocols/http/environment.hpp"
#include "protocols/http/exchange.hpp"
#include "protocols/http/request_parser.hpp"
#include "protocols/net/io_loop.hpp"
#include "protocols/net/open_sessions.hpp"
#include "protocols/net/sockets.hpp"

namespace mqlite {

class session;

/// What the sessions of one loop share; of that loop's thread.
struct session_group {
  http_environment& environment;
  io_loop& loop;
  std::shared_ptr<gateway> broker;
  open_sessions<session> sessions;
};

/// One HTTP/1.1 connection.
///
/// Operation: advance() does what can be done at once (parse a request from what was read, hand it to its handler, write answers)
/// until something has to be waited for: bytes, the handler's answer, or room in the socket's send buffer. One request is handled
/// at a time; those behind it wait in the input buffer, and the answers of those that were handled at once go out together.
///
/// Concurrency: everything happens in the thread of the group's loop. An operation of the socket or the timer holds the session,
/// and so does a handler that owes an answer.
class session final : public exchange {
 public:
  session(tcp_socket socket, std::shared_ptr<session_group> group);
  ~session() override;

  /// Begins to read; the connection was counted before.
  void start();
  /// Ends the connection in order: what was begun is answered, streams are told.
  void shut_down();
  /// Ends the connection now.
  void close();

  // -- exchange ---------------------------------------------------------------------------------------------------------------

  const http_request& request() const noexcept override { return request_; }
  gateway& broker() noexcept override { return *group_->broker; }
  http_environment& environment() noexcept override { return group_->environment; }
  std::string& body() noexcept override { return body_; }
  void send(int status, std::string_view content_type, std::string_view fields) override;
  void confirm_when_written(consumed messages) override;
  void on_hurry(std::function<void()> f) override;
  bool gone() const noexcept override { return gone_; }
  void stream(std::shared_ptr<stream_source> source) override;
  void wake_stream() override;

  std::shared_ptr<session> self() { return std::static_pointer_cast<session>(shared_from_this()); }

 private:
  using clock = std::chrono::steady_clock;
  using error_type = boost::system::error_code;

  // -- requests (session.cpp) -------------------------------------------------------------------------------------------------

  void advance();
  void advance_requests();
  bool parse();
  void parse_failed(error_type error);
  void dispatch();
  void read_soon();
  void read();
  void on_read(error_type error, std::size_t size);
  void hurry();

  // -- answers (session_output.cpp) -------------------------------------------------------------------------------------------

  bool flush();
  void write_rest();
  void on_written(error_type error, std::size_t size);
  void all_written();
  void advance_stream();
  void end_stream();
  void finish();
  void discard_input();

  // -- waiting (session_waiting.cpp) ------------------------------------------------------------------------------------------

  void watch();
  void on_readable();
  void expect_by(clock::time_point deadline);
  void arm_timer();
  void on_timer();
  void report(std::string_view what);

  std::shared_ptr<session_group> group_;
  tcp_socket socket_;
  loop_timer timer_;
  clock::time_point deadline_ = clock::time_point::max();  // what is awaited must have come by then
  clock::time_point timer_at_ = clock::time_point::max();  // when the timer goes off; max = it is not armed

  boost::beast::flat_buffer input_;
  std::size_t read_size_;
  http_request request_;
  std::optional<request_parser> parser_;  // of a request that has begun to arrive
  clock::time_point request_begun_;
  std::uint64_t request_bytes_ = 0;

  /// Bytes for the peer, and what is to be confirmed when they were written.
  struct outgoing {
    std::string text;
    std::vector<consumed> messages;
  };

  std::string body_;
  outgoing output_;       // gathers
  outgoing being_sent_;   // not touched while writing_
  std::size_t sent_ = 0;  // of being_sent_
  std::function<void()> hurry_;
  std::shared_ptr<stream_source> stream_;

  bool advancing_ = false;    // advance() is running
  bool pending_ = false;      // a handler owes an answer
  bool reading_ = false;      // a read is under way, or will soon be
  bool writing_ = false;      // a write is under way
  bool watching_ = false;     // readability is awaited
  bool waking_ = false;       // advance_stream() was posted
  bool last_answer_ = false;  // the connection ends when output_ was sent
  bool stopping_ = false;     // the server is
  bool finishing_ = false;    // everything was said; the peer is given time to read it
  bool continued_ = false;    // 100 Continue was sent
  bool gone_ = false;
  bool closed_ = false;
};

}  // namespace mqlite
