#include <algorithm>

#include "protocols/tcp/answer.hpp"
#include "protocols/tcp/push_stream.hpp"
#include "protocols/tcp/session.hpp"

/// The half of a session that writes, and its deadlines.
namespace mqlite::tcp {
namespace {

/// Pushed messages that one write gathers, in bytes.
constexpr std::size_t gathered = 128 * 1024;
/// What a quiet connection keeps of its memory.
constexpr std::size_t kept_capacity = 256 * 1024;
/// A large frame has to arrive at this many bytes a second, else its sender counts as gone.
constexpr std::int64_t least_rate = 16 * 1024;

}  // namespace

void session::schedule() {
  if (scheduled_ || closed_) return;
  scheduled_ = true;
  group_->schedule(shared_from_this());
}

void session::push_from(std::shared_ptr<push_stream> stream) {
  if (closed_) return;
  if (std::find(pushing_.begin(), pushing_.end(), stream) == pushing_.end()) pushing_.push_back(std::move(stream));
  schedule();
}

void session::on_turn() {
  scheduled_ = false;
  if (closed_ || finishing_) return;
  line_up();
  fill_from_streams();
  if (!writing_) {
    while (flush() && !pushing_.empty() && !closed_) fill_from_streams();
  }
  advance();
  end_if_done();
}

/// Moves the answers that are next to the output.
void session::line_up() {
  while (auto* owed = line_.front()) {
    if (owed->run) {
      for (const auto& place : owed->run->places) {
        const auto& results = owed->run->batches[place.batch].results;
        write_published(output_.text, place.to, count(), results[place.position]);
      }
    } else if (output_.text.empty()) {
      output_.text.swap(owed->text);
    } else {
      output_.text += owed->text;
    }
    for (auto& messages : owed->messages) output_.messages.push_back(std::move(messages));
    const auto opens = std::move(owed->opens);
    line_.pop();
    if (opens) opens->open();
  }
}

void session::fill_from_streams() {
  while (!pushing_.empty() && output_.text.size() < gathered) {
    const auto stream = pushing_.front();
    if (stream->fill(output_.text, gathered, count(), output_.messages)) return;
    std::erase(pushing_, stream);
    if (stream->over()) remove_stream(stream);
  }
}

/// Writes what the socket takes now; true when that was everything.
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
  write_by_ = clock::now() + shared().timeouts.write;
  if (write_by_ < timer_at_) arm_timer();
  socket_.async_write_some(
      asio::buffer(being_sent_.text) + sent_,
      [self = shared_from_this()](error_type error, std::size_t size) { self->on_written(error, size); });
}

void session::on_written(error_type error, std::size_t size) {
  if (closed_) return;
  if (error) return close();
  sent_ += size;
  if (sent_ < being_sent_.text.size()) return write_rest();
  writing_ = false;
  write_by_ = clock::time_point::max();
  all_written();
  schedule();
}

void session::all_written() {
  if (being_sent_.text.capacity() > kept_capacity) std::string().swap(being_sent_.text);
  being_sent_.text.clear();
  for (auto& messages : being_sent_.messages) messages.confirm();
  being_sent_.messages.clear();
}

// -- the end --------------------------------------------------------------------------------------------------------------------

/// Ends the connection when nothing more is to be said.
void session::end_if_done() {
  if (closed_ || finishing_ || !(peer_ended_ || last_frame_ || stopping_)) return;
  if (!line_.empty() || unsent() > 0 || scheduled_) return;
  if (last_frame_ && !peer_ended_)
    finish();
  else
    close();
}

/// Closes our side and waits for the peer to close its own: were the socket closed while bytes of the peer are unread, the peer's
/// system would throw our last answer away.
void session::finish() {
  finishing_ = true;
  end_streams();
  error_type error;
  socket_.shutdown(asio::socket_base::shutdown_send, error);
  if (error) return close();
  read_by_ = clock::now() + shared().timeouts.linger;
  if (read_by_ < timer_at_) arm_timer();
  if (!reading_) discard_input();
}

void session::discard_input() {
  input_.consume(input_.size());
  reading_ = true;
  const auto [room, size] = input_.prepare(read_size_);
  socket_.async_read_some(asio::buffer(room, size), [self = shared_from_this()](error_type error, std::size_t got) {
    self->on_read(error, got);
  });
}

// -- deadlines ------------------------------------------------------------------------------------------------------------------

/// A frame that has begun must go on arriving.
void session::expect_frame() {
  const auto now = clock::now();
  if (!frame_begun_) frame_begun_ = now;
  const auto earned = std::chrono::milliseconds(static_cast<std::int64_t>(input_.size()) * 1000 / least_rate);
  read_by_ = ambiguous_ ? now + shared().timeouts.settle : *frame_begun_ + shared().timeouts.frame + earned;
  if (read_by_ < timer_at_) arm_timer();
}

/// The timer is set anew only for an earlier deadline. For a later one it goes off, looks, and sleeps on.
void session::arm_timer() {
  timer_at_ = std::min(read_by_, write_by_);
  timer_.expires_at(timer_at_);
  timer_.async_wait([self = shared_from_this()](error_type error) {
    if (!error) self->on_timer();
  });
}

void session::on_timer() {
  timer_at_ = clock::time_point::max();
  const auto deadline = std::min(read_by_, write_by_);
  if (closed_ || deadline == clock::time_point::max()) return;
  if (clock::now() < deadline) return arm_timer();
  if (deadline == write_by_) {
    report("what it is sent is not read");
  } else if (ambiguous_ && !finishing_) {
    frames_.settle();
    read_by_ = clock::time_point::max();
    return advance();
  } else if (!finishing_) {
    report("a frame arrived too slowly");
  }
  close();
}

/// Names the peer in the log, once.
void session::report(std::string_view what) {
  if (std::exchange(reported_, true)) return;
  error_type error;
  const auto peer = socket_.remote_endpoint(error);
  shared().log->report("tcp " + (error ? "peer" : peer.address().to_string()), what);
}

}  // namespace mqlite::tcp
