#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace mqlite {

/// A message's id: a UUIDv7 (RFC 9562, section 5.7), 16 bytes inside, 36 characters at the edge. Its 12 bits after the version
/// continue the clock below the millisecond (section 6.2, method 3), so that ids of one generator sort by publishing order and
/// the publishing time can be read from the id.
class message_id {
 public:
  message_id() = default;
  message_id(std::uint64_t high, std::uint64_t low) noexcept : high_(high), low_(low) {}

  /// From its 16 bytes, most significant first.
  static message_id from_bytes(const void* bytes) noexcept;

  /// Characters of its text.
  static constexpr std::size_t text_size = 36;

  /// From its text, either case; nothing when that is no UUID.
  static std::optional<message_id> parse(std::string_view text) noexcept;

  /// Writes the 16 bytes, most significant first.
  void to_bytes(void* bytes) const noexcept;

  /// In lower case; write_text() takes room for text_size characters.
  std::string text() const;
  void write_text(char* out) const noexcept;

  /// When the message was published: unix nanoseconds, in steps of about 244.
  std::int64_t timestamp() const noexcept;

  /// The clock that the id carries, in steps of a 4096th of a millisecond: ids of one burst are neighbours.
  std::uint64_t tick() const noexcept { return (high_ >> 16 << 12) | (high_ & 0xfff); }

  /// The low half is random: good as a hash.
  std::uint64_t hash() const noexcept { return low_; }

  auto operator<=>(const message_id&) const = default;

 private:
  std::uint64_t high_ = 0;
  std::uint64_t low_ = 0;
};

/// `<message id>#<delivery count>` as clients send it, or an id alone (deliveries 0: whatever delivery is current).
struct receipt {
  message_id id;
  std::uint32_t deliveries = 0;

  /// Nothing when the text is neither.
  static std::optional<receipt> parse(std::string_view text) noexcept;
};

/// Makes ids that rise strictly, also when the clock stands still or jumps back.
class id_source {
 public:
  /// Starts behind `last` (for example the newest id that a log holds) with a random state made from `seed`.
  explicit id_source(std::uint64_t seed, message_id last = {}) noexcept;

  /// The next id at `now` (unix nanoseconds). Inline, so that an id is made where it is stored: what is written in halves and read
  /// whole has to wait until both have left the processor's store buffer, behind everything else that a burst writes.
  message_id next(std::int64_t now) noexcept {
    const auto milliseconds = static_cast<std::uint64_t>(now / 1'000'000);
    const auto fraction = static_cast<std::uint64_t>(now % 1'000'000 * 4096 / 1'000'000);
    last_tick_ = std::max(milliseconds << 12 | fraction, last_tick_ + 1);
    return {last_tick_ >> 12 << 16 | version_bits | (last_tick_ & 0xfff), variant_bits | random() >> 2};
  }

 private:
  static constexpr std::uint64_t version_bits = 0x7000;
  static constexpr std::uint64_t variant_bits = 0x8000'0000'0000'0000;

  // SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014).
  std::uint64_t random() noexcept {
    auto z = state_ += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
  }

  std::uint64_t state_;
  std::uint64_t last_tick_ = 0;  // milliseconds << 12 | fraction
};

}  // namespace mqlite
