#include <boost/asio/post.hpp>
#include <limits>

#include "protocols/http/session.hpp"

/// The half of a session that writes.
namespace mqlite {

void session::send(int status, std::string_view content_type, std::string_view fields) {
  if (!pending_) return;
  pending_ = false;
  hurry_ = nullptr;
  if (closed_) return output_.messages.clear();
  response_head head{status, content_type, fields, request_.keep_alive && !stopping_, request_.http_1_0};
  append_head(output_.text, head, body_.size());
  if (request_.method != http_method::head) output_.text += body_;
  if (body_.capacity() > http_request::kept_capacity) std::string().swap(body_);
  body_.clear();
  parser_.reset();
  last_answer_ = !head.keep_alive;
  advance();
}

void session::confirm_when_written(consumed messages) {
  if (!closed_) output_.messages.push_back(std::move(messages));
}

/// Writes what the socket takes now; true when that was everything. Else the rest follows, and with it advance().
bool session::flush() {
  if (output_.text.empty()) return true;
  std::swap(being_sent_, output_);
  error_type error;
  const auto size = socket_.write_some(asio::buffer(being_sent_.text), error);
  if (error && error != asio::error::would_block && error != asio::error::try_again) {
    close();
    return false;
  }
  sent_ = error ? 0 : size;
  if (sent_ == being_sent_.text.size()) {
    all_written();
    return true;
  }
  writing_ = true;
  write_rest();
  return false;
}

void session::write_rest() {
  expect_by(clock::now() + environment().timeouts.write);
  socket_.async_write_some(asio::buffer(being_sent_.text) + sent_,
                           [self = self()](error_type error, std::size_t size) { self->on_written(error, size); });
}

void session::on_written(error_type error, std::size_t size) {
  if (closed_) return;
  if (error) return close();
  sent_ += size;
  if (sent_ < being_sent_.text.size()) return write_rest();
  writing_ = false;
  deadline_ = clock::time_point::max();
  all_written();
  if (stream_)
    advance_stream();
  else
    advance();
}

void session::all_written() {
  if (being_sent_.text.capacity() > http_request::kept_capacity) std::string().swap(being_sent_.text);
  being_sent_.text.clear();
  for (auto& messages : being_sent_.messages) messages.confirm();
  being_sent_.messages.clear();
}

// -- streams --------------------------------------------------------------------------------------------------------------------

void session::stream(std::shared_ptr<stream_source> source) {
  hurry_ = nullptr;
  stream_ = std::move(source);
  if (closed_) return end_stream();
  append_stream_head(output_.text, event_content);
  if (stopping_) stream_->shut_down();
  watch();
  wake_stream();
}

void session::wake_stream() {
  if (waking_ || closed_) return;
  waking_ = true;
  asio::post(socket_.get_executor(), [self = self()] {
    self->waking_ = false;
    self->advance_stream();
  });
}

void session::advance_stream() {
  if (closed_ || writing_ || finishing_ || !stream_) return;
  for (;;) {
    const bool more = stream_->fill(output_.text, output_.messages);
    if (output_.text.empty()) break;
    if (!flush()) return;
    if (!more) return finish();
  }
  expect_by(clock::now() + environment().timeouts.comment);
}

void session::end_stream() {
  if (const auto source = std::exchange(stream_, nullptr)) source->disconnected();
}

// -- the end --------------------------------------------------------------------------------------------------------------------

/// Closes our side and waits for the peer to close its own: were the socket closed while bytes of the peer are unread, the peer's
/// system would throw our last answer away.
void session::finish() {
  if (closed_) return;
  finishing_ = true;
  error_type error;
  socket_.shutdown(asio::socket_base::shutdown_send, error);
  if (error || gone_) return close();
  end_stream();
  expect_by(clock::now() + environment().timeouts.linger);
  discard_input();
}

void session::discard_input() {
  input_.consume(input_.size());
  reading_ = true;
  socket_.async_read_some(input_.prepare(read_size_),
                          [self = self()](error_type error, std::size_t size) { self->on_read(error, size); });
}

}  // namespace mqlite
