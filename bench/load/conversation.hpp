#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "bench/load/door.hpp"

namespace mqlite::load {

/// What a server said, as far as it was understood: gathered while input is read.
struct heard {
  std::size_t published = 0;  ///< messages of answered publishes
  std::size_t settled = 0;
  delivered messages;
};
/// Tells `to` what a lane heard, and forgets it.
void hand_over(std::size_t lane, heard& what, listener& to);

/// The number that `text` begins with.
std::size_t number_of(std::string_view text);

/// One connection's half of a protocol: writes requests, and reads answers. Knows bytes, not sockets.
class conversation {
 public:
  virtual ~conversation() = default;

  /// What is said before anything else.
  virtual void greet(std::string& out) { static_cast<void>(out); }
  /// Whether requests may be sent.
  virtual bool ready() const { return true; }

  /// The bytes of one request to publish plan::batch messages; of equal length for every `number`, which picks a topic.
  virtual std::string publish_request(std::size_t number) const = 0;
  /// So many of those requests are being sent.
  virtual void expect_publishes(std::size_t requests) = 0;
  virtual void publish_stamped(std::string& out, std::string_view stamp) = 0;
  virtual void fetch(std::string& out, std::size_t most, bool wait) = 0;
  /// Returns how many messages count as settled without an answer.
  virtual std::size_t settle(std::string& out, const token_list& tokens) = 0;
  /// False where there is no pushing.
  virtual bool subscribe(std::string& out, std::size_t window) {
    static_cast<void>(out), static_cast<void>(window);
    return false;
  }

  /// Takes whole answers off the front of `in`: how many bytes. `out` takes what must be said in return. Throws run_error when the
  /// server refuses something.
  virtual std::size_t take(std::string_view in, std::string& out, heard& to) = 0;
};

/// A server's protocol over a stream of bytes.
class dialect {
 public:
  virtual ~dialect() = default;
  virtual std::unique_ptr<conversation> begin(std::size_t lane) = 0;
  virtual void set_up() = 0;
  virtual void tear_down() = 0;
  virtual std::optional<std::uint64_t> stored() = 0;
};

std::unique_ptr<dialect> make_tcp_dialect(const plan& what);
std::unique_ptr<dialect> make_json_dialect(const plan& what);  ///< TCP-JSON and HTTP
std::unique_ptr<dialect> make_redis_dialect(const plan& what);
std::unique_ptr<dialect> make_nats_dialect(const plan& what);
std::unique_ptr<dialect> make_beanstalkd_dialect(const plan& what);
std::unique_ptr<dialect> make_rabbitmq_dialect(const plan& what);  ///< with classic or quorum queues

/// The payload of every message: letters and digits of plan::payload_size bytes; where JSON is spoken, with quotes.
std::string payload_of(const plan& what);

/// How queues are named: spread over as many topics as are needed.
struct topic_layout {
  std::size_t topics = 1;
  std::size_t queues_each = 1;
};
topic_layout layout_of(const plan& what);
/// All of equal length.
std::string topic_name(const plan& what, std::size_t number);
/// The topic and the queue that a lane consumes from; -1 = any.
struct place {
  std::string topic;
  int queue = 0;
};
place place_of(const plan& what, std::size_t lane);

}  // namespace mqlite::load
