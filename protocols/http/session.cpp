#include "protocols/http/session.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/beast/http/error.hpp>
#include <limits>

#include "protocols/http/respond.hpp"

namespace mqlite {
namespace {

namespace http = boost::beast::http;

constexpr std::size_t least_read = 4 * 1024;
constexpr std::size_t most_read = 64 * 1024;
/// What the parser may leave in the input because more is needed to understand it.
constexpr std::size_t most_unparsed = 32 * 1024;
/// Answers of pipelined requests gather up to this size.
constexpr std::size_t gathered_output = 64 * 1024;

failure parse_failure(boost::system::error_code error, const limit_settings& limits) {
  if (error == http::error::body_limit || error == http::error::buffer_overflow)
    return {error_code::too_large, "the body is larger than " + std::to_string(limits.max_request_bytes) +
                                       " bytes (limits.max_request_bytes)"};
  if (error == http::error::header_limit)
    return {error_code::invalid_argument, "the header is larger than 16384 bytes"};
  return {error_code::invalid_argument, "malformed HTTP: " + error.message()};
}

}  // namespace

session::session(tcp_socket socket, std::shared_ptr<session_group> group)
    : group_(std::move(group)), socket_(std::move(socket)), timer_(socket_.get_executor()), read_size_(least_read) {
  group_->sessions.add(this);
}

session::~session() { close(); }

void session::start() {
  error_type error;
  socket_.set_option(asio::ip::tcp::no_delay(true), error);
  socket_.non_blocking(true, error);
  if (error) return close();
  if (environment().stopping) return close();
  advance();
}

void session::shut_down() {
  stopping_ = true;
  if (closed_ || finishing_) return;
  if (stream_) {
    stream_->shut_down();
    wake_stream();
  } else if (pending_) {
    hurry();
  } else if (writing_) {
    last_answer_ = true;
  } else if (!parser_ || !parser_->is_header_done()) {
    close();  // no request, or one that nobody has accepted
  }
}

void session::close() {
  if (closed_) return;
  closed_ = true;
  error_type ignored;
  socket_.close(ignored);
  timer_.cancel();
  output_.messages.clear();
  being_sent_.messages.clear();
  end_stream();
  group_->sessions.remove(this);
  environment().connections->leave(protocol::http);
  gone_ = true;
  hurry();
}

void session::hurry() {
  if (const auto f = std::exchange(hurry_, nullptr)) f();
}

void session::advance() {
  if (advancing_) return;
  advancing_ = true;
  try {
    advance_requests();
  } catch (const std::exception& e) {
    spdlog::error("http: a connection failed: {}", e.what());
    close();
  }
  advancing_ = false;
}

void session::advance_requests() {
  while (!closed_ && !pending_ && !writing_ && !reading_ && !finishing_) {
    if (last_answer_) {
      if (flush()) finish();
      return;
    }
    if (output_.text.size() >= gathered_output && !flush()) return;
    if (parse())
      dispatch();
    else if (!last_answer_ && flush())
      read_soon();
  }
  // Answers do not wait for the request behind them.
  if (!closed_ && pending_ && !stream_ && !writing_) flush();
}

/// Whether the input held the end of a request, which is then in request_.
bool session::parse() {
  if (input_.size() == 0) return false;
  if (!parser_) {
    parser_.emplace(request_, environment().limits.max_request_bytes);
    request_begun_ = clock::now();
    request_bytes_ = 0;
    continued_ = false;
  }
  error_type error;
  const auto used = parser_->put(input_.data(), error);
  input_.consume(used);
  request_bytes_ += used;
  if (error && error != http::error::need_more) {
    parse_failed(error);
    return false;
  }
  if (parser_->is_done()) return true;
  if (input_.size() > most_unparsed) {
    parse_failed(http::error::header_limit);
    return false;
  }
  if (parser_->is_header_done() && request_.expects_continue && !continued_) {
    continued_ = true;
    output_.text += "HTTP/1.1 100 Continue\r\n\r\n";
  }
  return false;
}

void session::parse_failed(error_type error) {
  const auto why = parse_failure(error, environment().limits);
  report(why.text);
  request_.keep_alive = false;
  pending_ = true;
  refuse(*this, why);
}

void session::dispatch() {
  pending_ = true;
  deadline_ = clock::time_point::max();
  try {
    answer_request(*this, environment().routes, request_);
  } catch (const std::exception& e) {
    spdlog::error("http: {} {} failed: {}", request_.method_text, request_.path(), e.what());
    if (pending_) refuse(*this, {error_code::internal, "the request failed inside the server"});
  }
}

/// A read looks for more at once, which is mostly too early: what others have asked is answered first.
void session::read_soon() {
  reading_ = true;
  deadline_ = clock::time_point::max();
  group_->loop.defer([self = self()] {
    if (self->closed_) return;
    try {
      self->read();
    } catch (const std::exception& e) {
      spdlog::error("http: a connection failed: {}", e.what());
      self->close();
    }
  });
}

void session::read() {
  const auto now = clock::now();
  if (parser_) {
    const auto earned = std::chrono::milliseconds(static_cast<std::int64_t>(request_bytes_) * 1000 / least_body_rate);
    expect_by(request_begun_ + environment().timeouts.request + earned);
  } else {
    if (stopping_) return close();
    if (input_.capacity() > http_request::kept_capacity) input_.shrink_to_fit();
    expect_by(now + environment().timeouts.idle);
  }
  socket_.async_read_some(input_.prepare(read_size_),
                          [self = self()](error_type error, std::size_t size) { self->on_read(error, size); });
}

void session::on_read(error_type error, std::size_t size) {
  reading_ = false;
  if (closed_) return;
  if (error) return close();
  input_.commit(size);
  if (finishing_) return discard_input();
  group_->loop.heard(this, size);
  read_size_ =
      size == read_size_ ? std::min(read_size_ * 2, most_read) : std::max(least_read, std::min(read_size_, size * 2));
  advance();
}

}  // namespace mqlite
