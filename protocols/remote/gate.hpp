#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace mqlite::remote {

/// What clients may send.
struct gate_rules {
  std::uint64_t most_payload = 0;       ///< bytes of one message between actors
  std::vector<unsigned char> own_name;  ///< of this node, as CAF writes it: nobody else has it
  std::uint16_t first_type = 0;         ///< messages of the interface have only types of this block,
  std::uint16_t end_type = 0;
  std::vector<std::vector<std::uint16_t> > others;           ///< or exactly these types: answers, errors
  std::vector<std::vector<std::uint16_t> > to_spawn_server;  ///< what CAF itself asks of each node that it meets
};

/// Looks at what a peer sends in CAF's protocol (BASP) before CAF does, which trusts its peers: a length may be anything up to 4 GB
/// and is allocated at once, a message may have any type that the process knows, go to any actor whose number is guessed, end it, or
/// be forwarded to another node. Here a client greets, sends messages of our interface, and watches actors; nothing else.
///
/// A header has 32 bytes, all numbers big-endian:
///   u8 operation | u16 0 | u8 flags | u32 payload length | u64 operation data | u64 source actor | u64 destination actor
/// and the payload of a message: count of stages (varint) | count of types (varint) | u16 type... | values.
/// A greeting's is the name of the client's node: u8 1 | u32 process | 20 bytes for the host.
class gate {
 public:
  static constexpr std::size_t header_size = 32;

  explicit gate(const gate_rules& rules) noexcept : rules_(rules) {}

  /// Takes a whole header or a whole payload, as they come in turn: nothing, or what is wrong with it.
  std::optional<std::string_view> take(std::span<const unsigned char> bytes);

  /// The same for the first header of a connection alone.
  static std::optional<std::string_view> check_greeting(std::span<const unsigned char> header);

 private:
  std::optional<std::string_view> take_header(std::span<const unsigned char> bytes);
  std::optional<std::string_view> take_name(std::span<const unsigned char> payload) const;
  std::optional<std::string_view> take_message(std::span<const unsigned char> payload) const;

  const gate_rules& rules_;
  bool greeted_ = false;
  enum class content { nothing, name, message, notice };
  content expected_ = content::nothing;  ///< what comes next; nothing = a header
  bool to_spawn_server_ = false;
};

}  // namespace mqlite::remote
