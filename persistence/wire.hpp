#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

/// Numbers as files and Protobuf's wire format have them.
namespace mqlite::wire {

inline std::uint32_t byte_order(std::uint32_t value) {
  if constexpr (std::endian::native == std::endian::big) return __builtin_bswap32(value);
  return value;
}

/// A little-endian 32-bit number at `from`.
inline std::uint32_t load_u32(const char* from) {
  std::uint32_t value;
  std::memcpy(&value, from, sizeof value);
  return byte_order(value);
}

inline void store_u32(char* to, std::uint32_t value) {
  value = byte_order(value);
  std::memcpy(to, &value, sizeof value);
}

inline constexpr std::size_t max_varint_size = 10;

/// How many bytes put_varint() writes.
inline std::size_t varint_size(std::uint64_t value) {
  return (static_cast<std::size_t>(std::bit_width(value | 1)) * 9 + 64) / 64;
}

/// Writes `value` at `to`, which has room for varint_size(value) bytes; returns the end of what was written.
inline char* put_varint(char* to, std::uint64_t value) {
  while (value >= 0x80) {
    *to++ = static_cast<char>(value | 0x80);
    value >>= 7;
  }
  *to++ = static_cast<char>(value);
  return to;
}

/// Where `size` more bytes of `out` begin, which are 0. To write there is faster than to put something together and append it: what was
/// just written bit by bit and is copied in larger pieces waits for the processor's store buffer.
inline char* extend(std::string& out, std::size_t size) {
  const auto begin = out.size();
  out.resize(begin + size);
  return out.data() + begin;
}

enum wire_type : unsigned { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

/// The tag byte of fields 1 to 15.
constexpr char tag(unsigned field, wire_type type) { return static_cast<char>(field << 3 | type); }

/// One field: its number, its type and, by type, its number or its bytes.
struct field {
  std::uint32_t number = 0;
  std::uint32_t type = 0;
  std::uint64_t value = 0;
  std::string_view content;
};

/// Reads a message field by field. Groups, which proto3 does not have, count as malformed.
class reader {
 public:
  explicit reader(std::string_view message) : at_(message.data()), end_(message.data() + message.size()) {}

  /// True while fields are left to read.
  bool more() const { return at_ != end_; }

  /// Where the next field begins, or the message ends.
  const char* at() const { return at_; }

  /// Reads one field into `out`; false when the bytes are malformed.
  bool next(field& out) {
    std::uint64_t tag_value;
    if (!read_short(tag_value) || tag_value > UINT32_MAX) return false;
    out.number = static_cast<std::uint32_t>(tag_value >> 3);
    out.type = static_cast<std::uint32_t>(tag_value & 7);
    if (out.number == 0) return false;
    switch (out.type) {
      case varint:
        return read_varint(out.value);
      case bytes:
        return read_short(out.value) && take(out.value, out.content);
      case fixed64:
        return take(8, out.content);
      case fixed32:
        return take(4, out.content);
      default:
        return false;
    }
  }

  /// Reads a varint of at most ten bytes; false when it is cut off or longer.
  bool read_varint(std::uint64_t& value) {
    if (at_ != end_ && static_cast<signed char>(*at_) >= 0) {
      value = static_cast<unsigned char>(*at_++);
      return true;
    }
    return read_long_varint(value);
  }

 private:
  /// Of a tag or a length: at most five bytes, as Protobuf has it.
  bool read_short(std::uint64_t& value) {
    const auto* begin = at_;
    return read_varint(value) && at_ - begin <= 5;
  }

  bool read_long_varint(std::uint64_t& value) {
    value = 0;
    for (unsigned shift = 0; shift < 70 && at_ != end_; shift += 7) {
      auto byte = static_cast<unsigned char>(*at_++);
      value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return true;
    }
    return false;
  }

  bool take(std::uint64_t count, std::string_view& content) {
    if (count > static_cast<std::uint64_t>(end_ - at_)) return false;
    content = {at_, static_cast<std::size_t>(count)};
    at_ += count;
    return true;
  }

  const char* at_;
  const char* end_;
};

}  // namespace mqlite::wire
