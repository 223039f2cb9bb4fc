#include <unistd.h>

#include <utility>

#include "protocols/tcp/session.hpp"

/// The part of a session that finds the loop to be served by.
namespace mqlite::tcp {
namespace {

/// After so many commands that each waited for the answer to the one before, a connection does not pipeline.
constexpr unsigned convincing = 32;
/// After so many it looks again for company.
constexpr unsigned patient = 256;
/// Whoever sends more at once brings enough for an fsync alone.
constexpr std::size_t little = 4 * 1024;
constexpr work_set logged = set_of(work::publish) | set_of(work::settle) | set_of(work::nack);

/// Closes what nobody took.
struct held_descriptor {
  explicit held_descriptor(int number) : fd(number) {}
  held_descriptor(const held_descriptor&) = delete;
  held_descriptor& operator=(const held_descriptor&) = delete;
  ~held_descriptor() {
    if (fd >= 0) ::close(fd);
  }
  int fd;
};

}  // namespace

/// What a read has brought, when there were `owed_before` commands without an answer.
void session::learn(std::size_t owed_before) {
  const auto owed = line_.commands();
  auto* places = shared().places.get();
  if (places == nullptr || closed_ || owed <= owed_before) return;
  const bool single = owed == 1 && input_.size() == 0 && line_.bytes() <= little;
  if (!single || subscribed_ || line_.busy_with(set_of(work::wait))) {
    single_reads_ = 0;
    return count_no_more();
  }
  if (!line_.busy_with(logged)) return;
  ++single_reads_;
  if (!counted_on_) {
    if (single_reads_ >= convincing) count_on(places->enter(dealt_to_));
  } else if (*counted_on_ != dealt_to_) {
    if (places->crowded(*counted_on_)) {
      count_no_more();
      count_on(places->stay(dealt_to_));
    }
  } else if (single_reads_ % patient == 0) {
    count_no_more();
    count_on(places->enter(dealt_to_));
  }
}

void session::count_on(std::size_t loop) {
  counted_on_ = loop;
  destination_ = loop;
}

void session::count_no_more() {
  if (!counted_on_) return;
  shared().places->leave(*std::exchange(counted_on_, std::nullopt));
  destination_ = dealt_to_;
}

bool session::wants_to_move() const noexcept { return destination_ != group_->index && !subscribed_; }

/// Nothing may be under way that knows of the loop: no operation of the socket, no command, no turn, and no timer that has gone off.
bool session::may_move() {
  return wants_to_move() && !reading_ && !writing_ && !scheduled_ && line_.empty() && unsent() == 0 && disarm_timer();
}

/// False when it has gone off, and its handler is yet to run.
bool session::disarm_timer() {
  if (timer_at_ == clock::time_point::max()) return true;
  if (timer_.cancel() == 0) return false;
  timer_at_ = clock::time_point::max();
  return true;
}

/// Whether to read no more until everything is answered, which is soon: else a peer that always has something under way would never
/// let this one go.
bool session::is_about_to_move() const noexcept {
  return wants_to_move() && !line_.empty() && !line_.busy_with(set_of(work::wait));
}

/// Takes what was read along.
void session::move() {
  const auto destination = shared().groups[destination_].lock();
  if (!destination) return close();
  error_type error;
  const auto protocol = socket_.local_endpoint(error).protocol();
  if (error) return close();
  held_descriptor held(socket_.release(error));
  if (error) return close();
  tcp_socket moved(destination->executor());
  moved.assign(protocol, held.fd, error);
  if (error) return close();
  held.fd = -1;
  moved.non_blocking(true, error);
  socket_ = std::move(moved);
  timer_ = loop_timer(destination->executor());
  const auto old = std::exchange(group_, destination);
  try {
    destination->receive(shared_from_this());
  } catch (...) {
    group_ = old;
    close();
    throw;
  }
  old->sessions.remove(this);  // after it is sure to arrive: who waits for the groups to be empty is to find it there
}

void session::arrive() {
  if (closed_) return;
  group_->sessions.add(this);
  if (shared().stopping) return shut_down();
  schedule();
}

}  // namespace mqlite::tcp
