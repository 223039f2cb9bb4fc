#include <unistd.h>

#include <utility>

#include "protocols/tcp/session.hpp"

/// The part of a session that finds the loop to be served by.
namespace mqlite::tcp {
namespace {

/// After so many commands that each waited for the answer to the one before, a connection does not pipeline.
constexpr unsigned convincing = 32;

}  // namespace

/// What a read has brought, when there were `owed_before` commands without an answer.
void session::learn(std::size_t owed_before) {
  const auto owed = line_.commands();
  if (shared().places == nullptr || closed_ || owed <= owed_before) return;
  const bool single = owed == 1 && input_.size() == 0 && !subscribed_ && !line_.busy_with(set_of(work::wait));
  if (!single) {
    single_reads_ = 0;
    count_no_more();
  } else if (!counted_on_) {
    if (++single_reads_ >= convincing) count_on(shared().places->enter(group_->index));
  } else if (*counted_on_ != dealt_to_ && shared().places->crowded(*counted_on_)) {
    count_no_more();
    shared().places->count_on(dealt_to_);
    count_on(dealt_to_);
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

/// Nothing may be under way that knows of the loop: no operation of the socket or the timer, no command, no turn.
bool session::may_move() const noexcept {
  return destination_ != group_->index && !subscribed_ && !reading_ && !writing_ && !scheduled_ && line_.empty() &&
         unsent() == 0 && timer_at_ == clock::time_point::max();
}

/// Takes what was read along.
void session::move() {
  const auto old = group_;
  const auto destination = shared().groups[destination_].lock();
  if (!destination) return close();
  error_type error;
  const auto protocol = socket_.local_endpoint(error).protocol();
  if (error) return close();
  const auto handle = socket_.release(error);
  if (error) return close();
  socket_ = tcp_socket(destination->executor());
  socket_.assign(protocol, handle, error);
  if (error) {
    ::close(handle);
    return close();
  }
  socket_.non_blocking(true, error);
  timer_ = loop_timer(destination->executor());
  group_ = destination;
  destination->receive(shared_from_this());
  old->sessions.remove(this);  // after it is sure to arrive: who waits for the groups to be empty is to find it there
}

void session::arrive() {
  group_->sessions.add(this);
  if (shared().stopping) return shut_down();
  schedule();
}

}  // namespace mqlite::tcp
