#pragma once

#include <deque>
#include <functional>
#include <string>

#include "actors/interfaces.hpp"

namespace mqlite {

/// An actor's line to the log: appends records and goes on when they are stored. Continuations of one level run in the order of
/// their appends, in the actor's own thread.
class log_appender {
 public:
  /// Told whether the record is stored: null, or why not.
  using continuation = std::function<void(const failure* problem)>;

  /// Without a log (`log` is null) every continuation runs at once.
  log_appender(persistence_actor log, journal_client self) : log_(std::move(log)), self_(std::move(self)) {}

  /// Appends framed records.
  void append(std::string records, durability level, continuation then);

  /// The log reports: runs what waited for it.
  void appended(const event::appended& report);

  /// Drops the handles, so that the actors can go.
  void close();

 private:
  struct pending {
    std::uint64_t ticket;
    continuation then;
  };
  std::deque<pending>& waiting(durability level) { return level == durability::written ? written_ : promised_; }

  persistence_actor log_;
  journal_client self_;
  std::uint64_t last_ticket_ = 0;
  std::deque<pending> written_;
  std::deque<pending> promised_;
};

}  // namespace mqlite
