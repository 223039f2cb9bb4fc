#include "cli/text/escape.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>

namespace mqlite::cli {
namespace {

struct character {
  std::uint32_t code = 0;
  std::size_t length = 0;  ///< in bytes; 0: this is no UTF-8
};

/// The first character of `bytes`, which are not empty.
character first_character(std::string_view bytes) {
  const auto lead = static_cast<unsigned char>(bytes[0]);
  if (lead < 0x80) return {lead, 1};
  const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || bytes.size() < length) return {};
  std::uint32_t code = lead & (0xffU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    const auto next = static_cast<unsigned char>(bytes[i]);
    if ((next & 0xc0) != 0x80) return {};
    code = code << 6 | (next & 0x3fU);
  }
  constexpr std::array<std::uint32_t, 5> least{0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xd800 && code <= 0xdfff;
  if (code < least[length] || code > 0x10ffff || surrogate) return {};
  return {code, length};
}

/// Controls, and what is not seen but changes how other characters look.
bool is_hidden(std::uint32_t code) {
  struct range {
    std::uint32_t first, last;
  };
  constexpr std::array<range, 11> hidden{{{0x00, 0x1f},
                                          {0x7f, 0x9f},
                                          {0xad, 0xad},
                                          {0x61c, 0x61c},
                                          {0x180e, 0x180e},
                                          {0x200b, 0x200f},
                                          {0x2028, 0x202e},
                                          {0x2060, 0x206f},
                                          {0xfeff, 0xfeff},
                                          {0xfff9, 0xfffb},
                                          {0xe0000, 0xe007f}}};
  return std::any_of(hidden.begin(), hidden.end(), [&](range r) { return code >= r.first && code <= r.last; });
}

void append_escape(std::string& out, std::uint32_t code) {
  if (code == '\n') {
    out += "\\n";
  } else if (code == '\t') {
    out += "\\t";
  } else if (code == '\r') {
    out += "\\r";
  } else {
    std::array<char, 16> text{};
    std::snprintf(text.data(), text.size(), code < 0x80 ? "\\x%02x" : "\\u{%x}", static_cast<unsigned>(code));
    out += text.data();
  }
}

void append_byte(std::string& out, char byte) {
  constexpr std::string_view hex = "0123456789abcdef";
  const auto value = static_cast<unsigned char>(byte);
  out += "\\x";
  out += hex[value >> 4];
  out += hex[value & 15];
}

}  // namespace

std::string escaped(std::string_view bytes, std::size_t most) {
  std::string out;
  out.reserve(std::min(bytes.size(), most));
  for (std::size_t shown = 0; !bytes.empty(); ++shown) {
    if (shown == most) return out + "...";
    const auto [code, length] = first_character(bytes);
    if (length == 0)
      append_byte(out, bytes[0]);
    else if (is_hidden(code))
      append_escape(out, code);
    else
      out.append(bytes.substr(0, length));
    bytes.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out;
}

std::size_t length_in_characters(std::string_view text) noexcept {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

}  // namespace mqlite::cli
