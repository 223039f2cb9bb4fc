#pragma once

#include <deque>
#include <utility>

#include "bench/load/conversation.hpp"
#include "bench/load/sockets.hpp"

namespace mqlite::load {

/// A door of bytes over TCP: many connections in one thread, with as little work for each message as there can be, because the
/// server that is measured runs on the same cores.
class stream_door final : public door {
 public:
  stream_door(const plan& what, std::unique_ptr<dialect> spoken);
  ~stream_door() override;
  stream_door(const stream_door&) = delete;
  stream_door& operator=(const stream_door&) = delete;

  void open(std::size_t publishers, std::size_t consumers) override;
  std::size_t publishing_lanes() const override { return publishers_; }
  std::size_t lane_depth() const override { return plan_.what == workload::drain ? filling_depth : plan_.outstanding; }
  void publish(std::size_t lane, std::size_t requests) override;
  void publish_stamped(std::size_t lane, std::string_view stamp) override;
  void fetch(std::size_t lane, std::size_t most, bool wait) override;
  void settle(std::size_t lane, const token_list& tokens) override;
  bool subscribe(std::size_t lane, std::size_t window) override;
  void poll(listener& to, clock::time_point until) override;
  std::optional<std::uint64_t> stored() override { return dialect_->stored(); }
  void close() noexcept override;

 private:
  static constexpr std::size_t filling_depth = 256;

  /// Many publishes, one behind the other: what is owed is sent from here, without a copy for each.
  struct fixed_text {
    std::string text;
    std::size_t request_size;
    std::size_t requests;
  };
  struct connection {
    connection(tcp_connection s, std::unique_ptr<conversation> t) : socket(std::move(s)), talk(std::move(t)) {}
    tcp_connection socket;
    std::unique_ptr<conversation> talk;
    std::shared_ptr<const fixed_text> fixed;
    std::string out;       // goes before what is owed
    std::size_t sent = 0;  // of `out`
    std::size_t owed = 0;  // requests of the fixed text that are to be sent
    std::size_t next = 0;  // the place in the fixed text, in requests
    std::size_t part = 0;  // bytes of the first of them that were sent
    std::vector<char> input = std::vector<char>(64 * 1024);
    std::size_t held = 0;  // bytes of `input`
    bool dirty = false;
  };

  void mark(std::size_t lane);
  void flush_marked();
  void flush(connection& c);
  bool flush_text(connection& c);
  void read(std::size_t lane, bool ended, listener& to);
  std::shared_ptr<const fixed_text> fixed_text_of(const conversation& talk) const;

  plan plan_;
  std::unique_ptr<dialect> dialect_;
  int poll_ = -1;
  bool set_up_ = false;
  std::size_t publishers_ = 0;
  std::deque<connection> lanes_;
  std::vector<std::size_t> marked_;
  std::vector<std::pair<std::size_t, std::size_t>> settled_;  // lanes, and messages that were settled without an answer
  heard heard_;
};

}  // namespace mqlite::load
