#include "bench/load/amqp.hpp"

namespace mqlite::load::amqp {
namespace {

constexpr std::string_view protocol_header{"AMQP\0\0\x09\x01", 8};
constexpr char frame_end = '\xce';

std::string start_ok() {
  std::string ability, properties, arguments;
  put_short(ability, "authentication_failure_close");  // else a wrong password is a connection that ends without a word
  ability += "t\1";
  put_short(properties, "product");
  properties += 'S';
  put_long(properties, "mqlite_bench");
  put_short(properties, "capabilities");
  properties += 'F';
  put_long(properties, ability);
  put_long(arguments, properties);
  put_short(arguments, "PLAIN");
  put_long(arguments, {"\0guest\0guest", 12});
  put_short(arguments, "en_US");
  return arguments;
}

std::string tune_ok(reader offered) {
  const auto channels = offered.number(2);
  const auto most = offered.number(4);
  if (most != 0 && most < frame_limit)
    throw run_error("the server allows frames of " + std::to_string(most) + " bytes, too few for this program");
  std::string arguments;
  put_number(arguments, channels, 2);
  put_number(arguments, frame_limit, 4);
  put_number(arguments, 0, 2);  // no heartbeats
  return arguments;
}

}  // namespace

refusal::refusal(std::uint16_t number, std::string_view text)
    : run_error("RabbitMQ refuses: " + std::to_string(number) + " " + std::string(text)), code(number) {}

std::uint64_t reader::number(std::size_t bytes) {
  std::uint64_t value = 0;
  for (const char c : text(bytes)) value = value << 8 | static_cast<std::uint8_t>(c);
  return value;
}

std::string_view reader::text(std::size_t bytes) {
  if (rest_.size() < bytes) throw run_error("the server sends a method without its arguments");
  const auto result = rest_.substr(0, bytes);
  rest_.remove_prefix(bytes);
  return result;
}

void put_number(std::string& out, std::uint64_t value, std::size_t bytes) {
  while (bytes-- > 0) out += static_cast<char>(value >> 8 * bytes & 0xff);
}

void put_short(std::string& out, std::string_view text) {
  if (text.size() > 255) throw run_error("a name has " + std::to_string(text.size()) + " bytes, AMQP has at most 255");
  put_number(out, text.size(), 1);
  out += text;
}

void put_long(std::string& out, std::string_view text) {
  put_number(out, text.size(), 4);
  out += text;
}

void put_frame(std::string& out, frame_type type, std::uint16_t on, std::string_view payload) {
  put_number(out, static_cast<std::uint8_t>(type), 1);
  put_number(out, on, 2);
  put_long(out, payload);
  out += frame_end;
}

void put_method(std::string& out, method what, std::string_view arguments, std::uint16_t on) {
  std::string payload;
  put_number(payload, static_cast<std::uint32_t>(what), 4);
  payload += arguments;
  put_frame(out, frame_type::method, on, payload);
}

frame cut_frame(std::string_view in) {
  frame result;
  if (in.empty()) return result;
  result.type = static_cast<frame_type>(in.front());
  const bool known = in.front() == 8 || (in.front() >= 1 && in.front() <= 3);
  if (in.size() < frame_overhead && known) return result;
  const auto size = known ? reader(in.substr(3)).number(4) : 0;
  if (!known || size + frame_overhead > frame_limit) throw run_error("the server does not speak AMQP 0-9-1");
  if (in.size() < size + frame_overhead) return result;
  if (in[size + frame_overhead - 1] != frame_end) throw run_error("the server sends a frame without its end");
  result.payload = in.substr(7, size);
  result.size = size + frame_overhead;
  return result;
}

void greeting::begin(std::string& out) { out += protocol_header; }

bool greeting::take(method what, reader arguments, std::string& out) {
  switch (what) {
    case method::connection_start:
      put_method(out, method::connection_start_ok, start_ok(), 0);
      return true;
    case method::connection_tune:
      put_method(out, method::connection_tune_ok, tune_ok(arguments), 0);
      put_method(out, method::connection_open, {"\1/\0\0", 4}, 0);
      return true;
    case method::connection_open_ok:
      put_method(out, method::channel_open, {"\0", 1});
      return true;
    case method::channel_open_ok:
      put_method(out, method::confirm_select, {"\0", 1});
      return true;
    case method::confirm_select_ok:
      done_ = true;
      return true;
    case method::connection_close:
    case method::channel_close: {
      const auto code = static_cast<std::uint16_t>(arguments.number(2));
      throw refusal(code, arguments.short_text());
    }
    default:
      return false;
  }
}

}  // namespace mqlite::load::amqp
