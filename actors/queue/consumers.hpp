#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <optional>
#include <unordered_map>

#include "actors/interfaces.hpp"
#include "actors/queue/timer_heap.hpp"

namespace mqlite {

/// Consumes that wait for messages, first come first served.
class waiter_list {
 public:
  struct waiter {
    command::consume command;
    std::int64_t until = 0;  ///< waits until then; 0 = only until stealing was tried
    std::uint32_t timer = 0;
  };

  bool empty() const noexcept { return waiters_.empty(); }
  std::size_t size() const noexcept { return waiters_.size(); }

  void add(command::consume command, std::int64_t until);
  /// The one who waits longest, taken out.
  waiter pop();
  /// Takes out the waiter of that consumer, if it is here.
  void cancel(std::uint64_t consumer);
  /// Takes out those who wait until `now` at most.
  std::vector<waiter> due(std::int64_t now);
  /// Takes out those who only waited for stealing.
  std::vector<waiter> impatient();

  std::int64_t next_due() const noexcept { return timers_.next(); }

 private:
  using position = std::list<waiter>::iterator;
  waiter take(position at);

  std::list<waiter> waiters_;
  timer_heap<position> timers_;
  std::unordered_map<std::uint64_t, position> by_consumer_;
  std::size_t impatient_ = 0;
};

/// Subscribers of a queue: those with room in their windows take turns.
class subscriber_ring {
 public:
  struct subscriber {
    subscriber_actor actor;
    std::size_t window = 0;  ///< messages that may be delivered and not settled
    bool auto_ack = false;
    std::size_t in_flight = 0;      ///< messages leased to it
    std::uint64_t unconfirmed = 0;  ///< bytes on their way to it
    bool listed = false;            ///< stands in line

    /// How many messages it may be given now.
    std::size_t room() const noexcept;
    /// And how many bytes, give or take a message.
    std::uint64_t room_bytes() const noexcept;
  };

  void add(std::uint64_t id, subscriber s);
  /// False when it was not here.
  bool remove(std::uint64_t id);
  subscriber* find(std::uint64_t id);
  /// Messages or bytes of a subscriber's window are free again.
  void freed(std::uint64_t id, std::size_t messages, std::uint64_t bytes);

  /// Whether a subscriber could take a message now.
  bool hungry();
  /// How many stand in line: an upper bound of those who are hungry.
  std::size_t line() const noexcept { return line_.size(); }
  /// The next in line, which goes to the end of it; only when hungry().
  std::uint64_t next();

  std::size_t size() const noexcept { return subscribers_.size(); }
  template <class F>
  void each(F f) const {
    for (const auto& [id, s] : subscribers_) f(id, s);
  }

 private:
  void stand_in_line(std::uint64_t id, subscriber& s);

  std::unordered_map<std::uint64_t, subscriber> subscribers_;
  std::deque<std::uint64_t> line_;
};

}  // namespace mqlite
