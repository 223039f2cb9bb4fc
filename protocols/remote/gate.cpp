#include "protocols/remote/gate.hpp"

#include <algorithm>
#include <utility>

namespace mqlite::remote {
namespace {

enum operation : unsigned char {
  server_handshake = 0,
  client_handshake = 1,
  direct_message = 2,
  routed_message = 3,
  monitor_message = 4,
  down_message = 5,
  heartbeat = 6,
};

constexpr unsigned char named_receiver = 1;
constexpr std::uint64_t spawn_server = 2;
/// A node's name, which is all that a greeting carries.
constexpr std::uint64_t most_greeting = 1024;
/// What names nodes and reasons.
constexpr std::uint64_t most_notice = 64 * 1024;
constexpr std::size_t most_types = 8;

std::uint64_t number_at(std::span<const unsigned char> bytes, std::size_t at, std::size_t size) {
  std::uint64_t result = 0;
  for (std::size_t i = at; i < at + size; ++i) result = result << 8 | bytes[i];
  return result;
}

struct header {
  explicit header(std::span<const unsigned char> bytes)
      : operation(bytes[0]),
        flags(bytes[3]),
        payload(number_at(bytes, 4, 4)),
        data(number_at(bytes, 8, 8)),
        source(number_at(bytes, 16, 8)),
        destination(number_at(bytes, 24, 8)) {}

  unsigned char operation;
  unsigned char flags;
  std::uint64_t payload;
  std::uint64_t data;
  std::uint64_t source;
  std::uint64_t destination;
};

}  // namespace

std::optional<std::string_view> gate::check_greeting(std::span<const unsigned char> bytes) {
  constexpr std::string_view stranger = "does not speak CAF's protocol";
  if (bytes.size() != header_size) return stranger;
  const header h(bytes);
  if (h.operation != client_handshake || bytes[1] != 0 || bytes[2] != 0) return stranger;
  if (h.flags != 0 || h.data != 0 || h.source != 0 || h.destination != 0 || h.payload == 0 || h.payload > most_greeting)
    return "greets as another version of CAF does";
  return std::nullopt;
}

std::optional<std::string_view> gate::take(std::span<const unsigned char> bytes) {
  switch (std::exchange(expected_, content::nothing)) {
    case content::nothing:
      return take_header(bytes);
    case content::name:
      return take_name(bytes);
    case content::message:
      return take_message(bytes);
    case content::notice:
      return std::nullopt;
  }
  return std::nullopt;
}

std::optional<std::string_view> gate::take_header(std::span<const unsigned char> bytes) {
  if (bytes.size() != header_size) return "sends half a header";
  const header h(bytes);
  if (!greeted_) {
    greeted_ = true;
    expected_ = content::name;
    return check_greeting(bytes);
  }
  if (h.payload > 0) expected_ = h.operation == direct_message ? content::message : content::notice;
  switch (h.operation) {
    case direct_message:
      if (h.payload > rules_.most_payload) return "sends a message that is too large (limits.max_request_bytes)";
      to_spawn_server_ = (h.flags & named_receiver) != 0;
      if (to_spawn_server_ && h.destination != spawn_server) return "asks for an actor that is not shown";
      return std::nullopt;
    case monitor_message:
    case down_message:
    case heartbeat:
      if (h.payload > most_notice) return "sends a notice that is too large";
      return std::nullopt;
    default:
      return "sends what no client sends";
  }
}

std::optional<std::string_view> gate::take_name(std::span<const unsigned char> payload) const {
  constexpr std::size_t size = 25;
  constexpr unsigned char usual_kind = 1;
  if (payload.size() != size || payload[0] != usual_kind) return "greets without a name";
  if (std::equal(payload.begin(), payload.end(), rules_.own_name.begin(), rules_.own_name.end()))
    return "greets with the broker's own name";
  return std::nullopt;
}

std::optional<std::string_view> gate::take_message(std::span<const unsigned char> payload) const {
  if (payload.size() < 2 || payload[0] != 0) return "sends a message by way of other actors";
  const std::size_t count = payload[1];
  if (count > most_types || payload.size() < 2 + 2 * count) return "sends a message of unknown shape";
  std::vector<std::uint16_t> types;
  for (std::size_t i = 0; i < count; ++i) types.push_back(static_cast<std::uint16_t>(number_at(payload, 2 + 2 * i, 2)));
  const auto is_listed = [&](const auto& list) { return std::find(list.begin(), list.end(), types) != list.end(); };
  const bool ours = count > 0 && std::all_of(types.begin(), types.end(), [&](std::uint16_t type) {
                      return type >= rules_.first_type && type < rules_.end_type;
                    });
  if (to_spawn_server_ ? is_listed(rules_.to_spawn_server) : ours || is_listed(rules_.others)) return std::nullopt;
  return "sends a message that is not of the interface";
}

}  // namespace mqlite::remote
