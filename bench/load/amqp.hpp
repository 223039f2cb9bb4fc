#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "bench/load/plan.hpp"

/// AMQP 0-9-1 as RabbitMQ speaks it: frames, methods, and how a connection begins.
namespace mqlite::load::amqp {

/// The largest frame in either direction, which is also what RabbitMQ offers by default.
inline constexpr std::size_t frame_limit = 131'072;
inline constexpr std::size_t frame_overhead = 8;
/// The only channel of a connection; 0 is the connection itself.
inline constexpr std::uint16_t channel = 1;

enum class frame_type : std::uint8_t { method = 1, header = 2, body = 3, heartbeat = 8 };

/// Class and method, as they are sent.
enum class method : std::uint32_t {
  connection_start = 10 << 16 | 10,
  connection_start_ok = 10 << 16 | 11,
  connection_tune = 10 << 16 | 30,
  connection_tune_ok = 10 << 16 | 31,
  connection_open = 10 << 16 | 40,
  connection_open_ok = 10 << 16 | 41,
  connection_close = 10 << 16 | 50,
  channel_open = 20 << 16 | 10,
  channel_open_ok = 20 << 16 | 11,
  channel_close = 20 << 16 | 40,
  queue_declare = 50 << 16 | 10,
  queue_declare_ok = 50 << 16 | 11,
  queue_delete = 50 << 16 | 40,
  queue_delete_ok = 50 << 16 | 41,
  basic_qos = 60 << 16 | 10,
  basic_qos_ok = 60 << 16 | 11,
  basic_consume = 60 << 16 | 20,
  basic_consume_ok = 60 << 16 | 21,
  basic_cancel = 60 << 16 | 30,
  basic_publish = 60 << 16 | 40,
  basic_deliver = 60 << 16 | 60,
  basic_ack = 60 << 16 | 80,
  basic_nack = 60 << 16 | 120,
  confirm_select = 85 << 16 | 10,
  confirm_select_ok = 85 << 16 | 11,
};

/// What the server refuses: its text, and its code (404: there is no such queue).
class refusal : public run_error {
 public:
  refusal(std::uint16_t code, std::string_view text);
  const std::uint16_t code;
};

/// Takes fields off the front of bytes. Throws run_error where there are too few.
class reader {
 public:
  explicit reader(std::string_view bytes) : rest_(bytes) {}
  std::uint64_t number(std::size_t bytes);
  std::string_view text(std::size_t bytes);
  std::string_view short_text() { return text(number(1)); }

 private:
  std::string_view rest_;
};

void put_number(std::string& out, std::uint64_t value, std::size_t bytes);
/// Throws run_error above 255 bytes.
void put_short(std::string& out, std::string_view text);
void put_long(std::string& out, std::string_view text);

void put_frame(std::string& out, frame_type type, std::uint16_t on, std::string_view payload);
void put_method(std::string& out, method what, std::string_view arguments, std::uint16_t on = channel);

/// One frame at the front of `in`; `size` is 0 where a part is missing. Throws run_error where there is no AMQP.
struct frame {
  frame_type type = frame_type::heartbeat;
  std::string_view payload;
  std::size_t size = 0;
};
frame cut_frame(std::string_view in);

/// From the first byte to an open channel that confirms what is published.
class greeting {
 public:
  static void begin(std::string& out);
  bool done() const noexcept { return done_; }
  /// Answers; false for a method that belongs to no greeting. Throws refusal when the server closes.
  bool take(method what, reader arguments, std::string& out);

 private:
  bool done_ = false;
};

}  // namespace mqlite::load::amqp
