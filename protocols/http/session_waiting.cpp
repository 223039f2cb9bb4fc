#include "protocols/http/session.hpp"

/// The half of a session that waits: for the end of a client that is owed an answer, and for its own deadlines.
namespace mqlite {
namespace {

/// Pipelined bytes that are taken in while an answer is awaited; with more, the end of the client is noticed later.
constexpr std::size_t most_ahead = 64 * 1024;

}  // namespace

void session::on_hurry(std::function<void()> f) {
  if (!pending_) return;
  if (closed_ || stopping_) return f();
  hurry_ = std::move(f);
  watch();
}

/// Waits until there is something to read, or the end.
void session::watch() {
  if (watching_ || closed_) return;
  watching_ = true;
  socket_.async_wait(tcp_socket::wait_read, [self = self()](error_type error) {
    self->watching_ = false;
    if (!error) self->on_readable();
  });
}

void session::on_readable() {
  const bool streaming = stream_ != nullptr;
  if (closed_ || finishing_ || (!hurry_ && !streaming)) return;
  if (streaming) input_.consume(input_.size());
  if (input_.size() >= most_ahead) return;
  error_type error;
  const auto size = socket_.read_some(input_.prepare(read_size_), error);
  if (!error) input_.commit(size);
  if (!error || error == asio::error::would_block || error == asio::error::try_again) return watch();
  if (streaming || error != asio::error::eof) return close();
  // Perhaps only the client's sending side was closed: it gets an answer, but no messages.
  gone_ = true;
  hurry();
}

// -- deadlines ------------------------------------------------------------------------------------------------------------------

/// The timer is set anew only for an earlier deadline. For a later one it goes off, looks, and sleeps on.
void session::expect_by(clock::time_point deadline) {
  deadline_ = deadline;
  if (deadline_ < timer_at_) arm_timer();
}

void session::arm_timer() {
  timer_at_ = deadline_;
  timer_.expires_at(deadline_);
  timer_.async_wait([self = self()](error_type error) {
    if (!error) self->on_timer();
  });
}

void session::on_timer() {
  timer_at_ = clock::time_point::max();
  if (closed_ || deadline_ == clock::time_point::max()) return;
  if (clock::now() < deadline_) return arm_timer();
  if (stream_ && !writing_ && !finishing_) {
    output_.text += ": still here\n\n";
    if (flush()) expect_by(clock::now() + environment().timeouts.comment);
    return;
  }
  if (parser_ && !writing_ && !finishing_)
    report("a request arrived too slowly");
  else if (writing_)
    report("an answer was not read");
  close();
}

void session::report(std::string_view what) {
  error_type error;
  const auto peer = socket_.remote_endpoint(error);
  environment().log->report("http " + (error ? "peer" : peer.address().to_string()), what);
}

}  // namespace mqlite
