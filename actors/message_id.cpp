#include "actors/message_id.hpp"

#include <algorithm>
#include <bit>
#include <charconv>

namespace mqlite {
namespace {

constexpr std::uint64_t version_bits = 0x7000;
constexpr std::uint64_t variant_bits = 0x8000'0000'0000'0000;
constexpr std::int64_t nanoseconds_per_millisecond = 1'000'000;

std::uint64_t load_big_endian(const unsigned char* bytes) noexcept {
  std::uint64_t value;
  std::memcpy(&value, bytes, sizeof value);
  return std::endian::native == std::endian::little ? __builtin_bswap64(value) : value;
}

void store_big_endian(unsigned char* bytes, std::uint64_t value) noexcept {
  if (std::endian::native == std::endian::little) value = __builtin_bswap64(value);
  std::memcpy(bytes, &value, sizeof value);
}

int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

constexpr bool is_dash_position(std::size_t i) noexcept { return i == 8 || i == 13 || i == 18 || i == 23; }

}  // namespace

message_id message_id::from_bytes(const void* bytes) noexcept {
  auto* p = static_cast<const unsigned char*>(bytes);
  return {load_big_endian(p), load_big_endian(p + 8)};
}

void message_id::to_bytes(void* bytes) const noexcept {
  auto* p = static_cast<unsigned char*>(bytes);
  store_big_endian(p, high_);
  store_big_endian(p + 8, low_);
}

std::optional<message_id> message_id::parse(std::string_view text) noexcept {
  if (text.size() != 36) return std::nullopt;
  std::uint64_t halves[2] = {0, 0};
  int digits = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (is_dash_position(i)) {
      if (text[i] != '-') return std::nullopt;
      continue;
    }
    const int value = hex_value(text[i]);
    if (value < 0) return std::nullopt;
    auto& half = halves[digits++ / 16];
    half = half << 4 | static_cast<std::uint64_t>(value);
  }
  return message_id{halves[0], halves[1]};
}

void message_id::write_text(char* out) const noexcept {
  static constexpr char digits[] = "0123456789abcdef";
  int nibble = 0;
  for (std::size_t i = 0; i < 36; ++i) {
    if (is_dash_position(i)) {
      out[i] = '-';
      continue;
    }
    const auto half = nibble < 16 ? high_ : low_;
    out[i] = digits[half >> (60 - 4 * (nibble % 16)) & 0xf];
    ++nibble;
  }
}

std::string message_id::text() const {
  std::string result(36, '\0');
  write_text(result.data());
  return result;
}

std::int64_t message_id::timestamp() const noexcept {
  const auto milliseconds = static_cast<std::int64_t>(high_ >> 16);
  const auto fraction = static_cast<std::int64_t>(high_ & 0xfff);
  return milliseconds * nanoseconds_per_millisecond + fraction * nanoseconds_per_millisecond / 4096;
}

std::optional<receipt> receipt::parse(std::string_view text) noexcept {
  const auto id = message_id::parse(text.substr(0, 36));
  if (!id) return std::nullopt;
  if (text.size() == 36) return receipt{*id, 0};
  std::uint32_t deliveries = 0;
  const char* end = text.data() + text.size();
  if (text[36] != '#') return std::nullopt;
  const auto [stop, problem] = std::from_chars(text.data() + 37, end, deliveries);
  if (problem != std::errc{} || stop != end || deliveries == 0) return std::nullopt;
  return receipt{*id, deliveries};
}

id_source::id_source(std::uint64_t seed, message_id last) noexcept : state_(seed), last_tick_(last.tick()) {}

message_id id_source::next(std::int64_t now) noexcept {
  const auto milliseconds = static_cast<std::uint64_t>(now / nanoseconds_per_millisecond);
  const auto fraction =
      static_cast<std::uint64_t>(now % nanoseconds_per_millisecond * 4096 / nanoseconds_per_millisecond);
  last_tick_ = std::max(milliseconds << 12 | fraction, last_tick_ + 1);
  return {last_tick_ >> 12 << 16 | version_bits | (last_tick_ & 0xfff), variant_bits | random() >> 2};
}

// SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014).
std::uint64_t id_source::random() noexcept {
  auto z = state_ += 0x9e3779b97f4a7c15;
  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
  z = (z ^ z >> 27) * 0x94d049bb133111eb;
  return z ^ z >> 31;
}

}  // namespace mqlite
