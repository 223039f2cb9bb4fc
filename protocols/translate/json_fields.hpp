#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "actors/errors.hpp"

namespace mqlite {

/// The longest duration that a request may name, in milliseconds: a hundred years. Added to today it stays far from where
/// nanoseconds since 1970 overflow.
inline constexpr std::int64_t longest_ms = 3'155'760'000'000;
inline constexpr std::int64_t nanoseconds_per_ms = 1'000'000;
/// The most of an integer that has no limit of its own.
inline constexpr auto no_limit = std::numeric_limits<std::int64_t>::max();

/// The known members of a request's object, read one by one. Members that are not known are passed over, of a repeated one the last
/// counts, and `null` is the same as absent, except for raw(). The first wrong value is remembered; what is read after that does not
/// matter.
class json_fields {
 public:
  /// `object` was checked by json_object_in(); `known`, at most 16 names, outlives this.
  json_fields(std::string_view object, std::span<const std::string_view> known);

  /// The text of the value, `null` included; empty when absent.
  std::string_view raw(std::string_view name) const noexcept;
  bool has(std::string_view name) const noexcept;

  /// A whole number written as one, from `least` to `most`.
  std::optional<std::int64_t> integer(std::string_view name, std::int64_t least, std::int64_t most);
  std::optional<bool> boolean(std::string_view name);
  std::optional<std::string> string(std::string_view name);
  /// Milliseconds, from `least` to longest_ms.
  std::optional<std::chrono::nanoseconds> duration(std::string_view name, std::int64_t least);
  /// The position of the value among `choices`.
  std::optional<std::size_t> choice(std::string_view name, std::span<const std::string_view> choices);

  /// Remembers a refusal, if it is the first.
  void refuse(error_code code, std::string text);
  void refuse(std::string text) { refuse(error_code::invalid_argument, std::move(text)); }
  const std::optional<failure>& refusal() const noexcept { return refusal_; }

 private:
  static constexpr std::size_t most = 16;  // members that it can know

  std::span<const std::string_view> known_;
  std::array<std::string_view, most> values_{};
  std::optional<failure> refusal_;
};

/// Reads a whole number that is written as one: digits with an optional `-`.
std::optional<std::int64_t> parse_integer(std::string_view text) noexcept;

/// "`name` must be 1 to 10", or "... 1 or more" where `most` is the largest number there is.
std::string range_text(std::string_view name, std::int64_t least, std::int64_t most);

/// "`name` must be `a` or `b`".
std::string choice_text(std::string_view name, std::span<const std::string_view> choices);

}  // namespace mqlite
