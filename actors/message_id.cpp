#include "actors/message_id.hpp"

#include <array>
#include <bit>
#include <charconv>

namespace mqlite {
namespace {

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

/// The value of each character as a digit; 0xff where it is none.
constexpr auto hex_values = [] {
  std::array<unsigned char, 256> values{};
  values.fill(0xff);
  for (unsigned char i = 0; i < 10; ++i) values[static_cast<std::size_t>('0' + i)] = i;
  for (unsigned char i = 0; i < 6; ++i)
    values[static_cast<std::size_t>('a' + i)] = values[static_cast<std::size_t>('A' + i)] =
        static_cast<unsigned char>(10 + i);
  return values;
}();

/// The eight digits of a number, as memory holds them.
std::uint64_t hex_digits(std::uint32_t value) noexcept {
  // One digit in each byte, the last one lowest.
  std::uint64_t digits = value;
  digits = (digits | digits << 16) & 0x0000'ffff'0000'ffff;
  digits = (digits | digits << 8) & 0x00ff'00ff'00ff'00ff;
  digits = (digits | digits << 4) & 0x0f0f'0f0f'0f0f'0f0f;
  constexpr std::uint64_t ones = 0x0101'0101'0101'0101;
  const std::uint64_t letters = (digits + 6 * ones) >> 4 & ones;  // 1 where a digit is 10 or more
  digits += '0' * ones + ('a' - '0' - 10) * letters;
  return std::endian::native == std::endian::little ? __builtin_bswap64(digits) : digits;
}

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
  if (text.size() != text_size) return std::nullopt;
  unsigned seen = 0;  // has a bit above those of a digit as soon as one was none
  const auto take = [&](std::uint64_t& half, std::size_t from, std::size_t count) {
    for (auto i = from; i < from + count; ++i) {
      const unsigned value = hex_values[static_cast<unsigned char>(text[i])];
      seen |= value;
      half = half << 4 | (value & 0xf);
    }
  };
  std::uint64_t high = 0, low = 0;
  take(high, 0, 8);
  take(high, 9, 4);
  take(high, 14, 4);
  take(low, 19, 4);
  take(low, 24, 12);
  const bool dashes = text[8] == '-' && text[13] == '-' && text[18] == '-' && text[23] == '-';
  if (seen > 0xf || !dashes) return std::nullopt;
  return message_id{high, low};
}

// Eight digits at a time: a digit after the other was 2 % of a publish.
void message_id::write_text(char* out) const noexcept {
  const auto put = [&](std::size_t at, std::uint64_t value) {
    const auto digits = hex_digits(static_cast<std::uint32_t>(value));
    std::memcpy(out + at, &digits, sizeof digits);
  };
  const auto put_halves = [&](std::size_t first, std::size_t second, std::uint64_t value) {
    char digits[8];
    const auto all = hex_digits(static_cast<std::uint32_t>(value));
    std::memcpy(digits, &all, sizeof digits);
    std::memcpy(out + first, digits, 4);
    std::memcpy(out + second, digits + 4, 4);
  };
  put(0, high_ >> 32);
  put_halves(9, 14, high_);
  put_halves(19, 24, low_ >> 32);
  put(28, low_);
  for (const std::size_t dash : {8, 13, 18, 23}) out[dash] = '-';
}

std::string message_id::text() const {
  std::string result(text_size, '\0');
  write_text(result.data());
  return result;
}

std::int64_t message_id::timestamp() const noexcept {
  const auto milliseconds = static_cast<std::int64_t>(high_ >> 16);
  const auto fraction = static_cast<std::int64_t>(high_ & 0xfff);
  return milliseconds * nanoseconds_per_millisecond + fraction * nanoseconds_per_millisecond / 4096;
}

std::optional<receipt> receipt::parse(std::string_view text) noexcept {
  const auto id = message_id::parse(text.substr(0, message_id::text_size));
  if (!id) return std::nullopt;
  if (text.size() == message_id::text_size) return receipt{*id, 0};
  std::uint32_t deliveries = 0;
  const char* end = text.data() + text.size();
  if (text[message_id::text_size] != '#') return std::nullopt;
  const auto [stop, problem] = std::from_chars(text.data() + message_id::text_size + 1, end, deliveries);
  if (problem != std::errc{} || stop != end || deliveries == 0) return std::nullopt;
  return receipt{*id, deliveries};
}

id_source::id_source(std::uint64_t seed, message_id last) noexcept : state_(seed), last_tick_(last.tick()) {}

}  // namespace mqlite
