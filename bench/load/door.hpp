#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/load/plan.hpp"

namespace mqlite::load {

using clock = std::chrono::steady_clock;

/// Requests that each connection has under way while it fills a topic that is to be drained, where each is a call of its own.
inline constexpr int filling_calls = 64;

/// What acknowledges messages (receipts, ids), one behind the other in one block of memory.
class token_list {
 public:
  void add(std::string_view token) {
    bytes_ += token;
    ends_.push_back(bytes_.size());
  }
  void clear() noexcept {
    bytes_.clear();
    ends_.clear();
  }
  std::size_t size() const noexcept { return ends_.size(); }
  std::string_view operator[](std::size_t i) const noexcept {
    const auto from = i == 0 ? 0 : ends_[i - 1];
    return std::string_view(bytes_).substr(from, ends_[i] - from);
  }

 private:
  std::string bytes_;
  std::vector<std::size_t> ends_;
};

/// Messages that arrived together.
struct delivered {
  std::size_t fetches = 0;  ///< that this answers; 0 = the messages were pushed
  std::size_t count = 0;
  token_list tokens;
  std::vector<std::string> stamps;  ///< the first stamp_size bytes of each payload, where they are asked for
  void clear() noexcept {
    fetches = count = 0;
    tokens.clear();
    stamps.clear();
  }
};

/// Hears what a door brings. A `lane` is a connection, or a place for one request where requests have no order among them; within
/// a lane answers come in the order of the requests.
class listener {
 public:
  virtual ~listener() = default;
  /// So many publishes were answered; all of them are stored.
  virtual void on_published(std::size_t lane, std::size_t messages) = 0;
  /// The answer to a fetch, which may be empty, or messages that were pushed.
  virtual void on_messages(std::size_t lane, delivered& messages) = 0;
  virtual void on_settled(std::size_t lane, std::size_t messages) = 0;
};

/// One way into a server: asynchronous requests on lanes, in one thread. Everything throws run_error when the server fails.
class door {
 public:
  virtual ~door() = default;

  /// Makes the topic, connects. `publishers` and `consumers` are connections.
  virtual void open(std::size_t publishers, std::size_t consumers) = 0;
  /// Lanes for publishing, and how many requests each may have under way at most; those for consuming come behind them.
  virtual std::size_t publishing_lanes() const = 0;
  virtual std::size_t lane_depth() const = 0;

  /// Sends `requests` publishes of plan::batch messages each, all with the same payload.
  virtual void publish(std::size_t lane, std::size_t requests) = 0;
  /// Sends one message whose payload begins with the stamp.
  virtual void publish_stamped(std::size_t lane, std::string_view stamp) = 0;
  /// Asks for up to `most` messages; `wait`: the answer may take until there is one.
  virtual void fetch(std::size_t lane, std::size_t most, bool wait) = 0;
  virtual void settle(std::size_t lane, const token_list& tokens) = 0;
  /// Lets messages be pushed to the lane; false where a consumer has to fetch.
  virtual bool subscribe(std::size_t lane, std::size_t window) = 0;

  /// Sends what is to be sent, and waits for answers until one came or `until` is past.
  virtual void poll(listener& to, clock::time_point until) = 0;

  /// Messages that the topic holds; nothing where the server cannot say.
  virtual std::optional<std::uint64_t> stored() = 0;
  /// Disconnects, and removes what open() made. Does not throw.
  virtual void close() noexcept = 0;
};

/// The door that the plan names.
std::unique_ptr<door> make_door(const plan& what);

}  // namespace mqlite::load
