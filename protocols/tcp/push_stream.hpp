#pragma once

#include <deque>
#include <memory>
#include <optional>

#include "actors/gateway.hpp"
#include "protocols/tcp/answer.hpp"

namespace mqlite::tcp {

class session;

/// One subscription of a connection. What waits here is bounded by the subscription's window, and returns to its queue when the
/// subscription or the connection ends.
class push_stream final : public subscriber_sink, public std::enable_shared_from_this<push_stream> {
 public:
  push_stream(std::weak_ptr<session> connection, encoding as, request::queue_address from)
      : connection_(std::move(connection)), as_(as), from_(std::move(from)) {}

  const request::queue_address& from() const noexcept { return from_; }
  bool is_from(const request::queue_address& other) const noexcept {
    return from_.queue == other.queue && from_.topic == other.topic && from_.name_space == other.name_space;
  }

  void hold(subscription running) { subscription_ = std::move(running); }
  /// The peer was told that it is subscribed: messages may follow.
  void open();
  /// Ends the subscription; what was not written returns to its queue.
  void end();

  /// Writes what waits until `out` has `most` bytes; `sent` gets what is to be confirmed when they were written. False when there is
  /// nothing left.
  bool fill(std::string& out, std::size_t most, length_count count, std::vector<consumed>& sent);
  /// Whether the last frame was written: nothing comes any more.
  bool over() const noexcept { return over_; }

  // -- subscriber_sink --------------------------------------------------------------------------------------------------------

  void deliver(consumed messages) override;
  void closed(failure why) override;

 private:
  void wake();

  std::weak_ptr<session> connection_;
  encoding as_;
  request::queue_address from_;
  subscription subscription_;
  std::deque<consumed> waiting_;
  std::optional<failure> end_;
  bool open_ = false;
  bool over_ = false;
};

}  // namespace mqlite::tcp
