#include "config/values.hpp"

#include "config/error.hpp"

#include <arpa/inet.h>
#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <system_error>

namespace mqlite {

namespace {

using std::chrono::milliseconds;
using kind = given_value::kind;

/// A unit and how many of the smallest unit it is; ordered from the largest down.
struct unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr std::array<unit, 4> duration_units{{{"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};
constexpr std::array<unit, 4> size_units{{{"GB", 1ULL << 30}, {"MB", 1ULL << 20}, {"KB", 1ULL << 10}, {"", 1}}};
constexpr milliseconds longest_duration = std::chrono::hours(365 * 24);

const std::string duration_expected = "a duration such as \"30s\" (units ms, s, m, h)";
const std::string size_expected = "a size such as \"64MB\" (units KB, MB, GB) or a number of bytes";

[[noreturn]] void refuse(const std::string& expected, std::string_view text) {
  throw bad_value("must be " + expected + ", not " + backquoted(text));
}

/// The digits that `text` begins with; nothing if the number does not fit into 64 bits.
std::optional<std::uint64_t> leading_number(std::string_view text, std::string_view digits) {
  std::uint64_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + digits.size(), number);
  if (error != std::errc()) return std::nullopt;
  return number;
}

std::string_view digits_of(std::string_view text) {
  return text.substr(0, std::min(text.find_first_not_of("0123456789"), text.size()));
}

bool is_negative_number(std::string_view text) {
  return text.size() > 1 && text[0] == '-' && !digits_of(text.substr(1)).empty();
}

char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

std::string upper(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), [](char c) { return upper(c); });
  return result;
}

/// `<digits><unit>` in the smallest unit. A unit is compared as it stands in `text`, or in capitals.
std::uint64_t parse_with_unit(std::string_view text, const std::array<unit, 4>& units, const std::string& expected,
                              bool any_case) {
  if (is_negative_number(text)) throw bad_value("must not be negative, but is " + backquoted(text));
  auto digits = digits_of(text);
  auto name = any_case ? upper(text.substr(digits.size())) : std::string(text.substr(digits.size()));
  auto found = std::find_if(units.begin(), units.end(), [&](const unit& u) { return u.name == name; });
  if (digits.empty() || found == units.end()) refuse(expected, text);
  auto number = leading_number(text, digits);
  if (!number || *number > std::numeric_limits<std::uint64_t>::max() / found->factor)
    throw bad_value("is too large: " + backquoted(text));
  return *number * found->factor;
}

/// The shortest exact spelling: with the largest unit that divides `amount`.
std::string with_unit(std::uint64_t amount, const std::array<unit, 4>& units) {
  for (const auto& u : units)
    if (amount != 0 && amount % u.factor == 0) return std::to_string(amount / u.factor) + std::string(u.name);
  return "0" + std::string(units.back().name);
}

milliseconds parse_duration(std::string_view text) {
  auto amount = parse_with_unit(text, duration_units, duration_expected, false);
  if (amount == 0) throw bad_value("must be more than zero, but is " + backquoted(text));
  if (amount > static_cast<std::uint64_t>(longest_duration.count()))
    throw bad_value("must be at most " + with_unit(longest_duration.count(), duration_units) + ", not " +
                    backquoted(text));
  return milliseconds(amount);
}

std::string between(std::uint64_t least, std::uint64_t most) {
  return "from " + std::to_string(least) + " to " + std::to_string(most);
}

std::uint64_t parse_integer(std::string_view text, std::uint64_t least, std::uint64_t most) {
  bool negative = is_negative_number(text);
  auto number_text = negative ? text.substr(1) : text;
  auto digits = digits_of(number_text);
  if (digits.empty() || digits.size() != number_text.size()) refuse("a whole number " + between(least, most), text);
  auto number = leading_number(number_text, digits);
  if (negative || !number || *number < least || *number > most)
    throw bad_value("must be " + between(least, most) + ", not " + std::string(text.substr(0, 40)));
  return *number;
}

bool is_address(const std::string& text) {
  in6_addr parsed{};  // large enough for either family
  return text.find('\0') == std::string::npos &&
         (inet_pton(AF_INET, text.c_str(), &parsed) == 1 || inet_pton(AF_INET6, text.c_str(), &parsed) == 1);
}

}  // namespace

value_type<milliseconds> duration_value() {
  return {
      .placeholder = "DURATION",
      .expected = duration_expected,
      .from_file = {kind::string},
      .parse = parse_duration,
      .write = [](const milliseconds& value) { return toml_string(with_unit(value.count(), duration_units)); },
  };
}

value_type<std::uint64_t> size_value(std::uint64_t least, std::uint64_t most) {
  auto parse = [=](std::string_view text) {
    auto bytes = parse_with_unit(text, size_units, size_expected, true);
    if (bytes < least)
      throw bad_value("must be at least " + with_unit(least, size_units) + ", not " + backquoted(text));
    if (bytes > most) throw bad_value("must be at most " + with_unit(most, size_units) + ", not " + backquoted(text));
    return bytes;
  };
  return {
      .placeholder = "SIZE",
      .expected = size_expected,
      .from_file = {kind::string, kind::integer},
      .parse = parse,
      .write = [](const std::uint64_t& value) { return toml_string(with_unit(value, size_units)); },
  };
}

template <class T>
value_type<T> integer_value(std::uint64_t least, std::uint64_t most) {
  return {
      .placeholder = "NUMBER",
      .expected = "a whole number " + between(least, most),
      .from_file = {kind::integer},
      .parse = [=](std::string_view text) { return static_cast<T>(parse_integer(text, least, most)); },
      .write = [](const T& value) { return std::to_string(value); },
  };
}
template value_type<std::uint16_t> integer_value(std::uint64_t, std::uint64_t);
template value_type<std::uint32_t> integer_value(std::uint64_t, std::uint64_t);
template value_type<std::int64_t> integer_value(std::uint64_t, std::uint64_t);

value_type<bool> boolean_value() {
  const std::string expected = "`true` or `false`";
  auto parse = [expected](std::string_view text) {
    if (text != "true" && text != "false") refuse(expected, text);
    return text == "true";
  };
  return {
      .placeholder = "BOOL",
      .expected = expected,
      .from_file = {kind::boolean},
      .parse = parse,
      .write = [](const bool& value) { return std::string(value ? "true" : "false"); },
  };
}

value_type<std::string> address_value() {
  const std::string expected = "an IP address such as \"127.0.0.1\", \"0.0.0.0\" or \"::1\"";
  auto parse = [expected](std::string_view text) {
    std::string result(text);
    if (!is_address(result)) refuse(expected, text);
    return result;
  };
  return {
      .placeholder = "ADDRESS",
      .expected = expected,
      .from_file = {kind::string},
      .parse = parse,
      .write = [](const std::string& value) { return toml_string(value); },
  };
}

value_type<std::string> path_value(presence needed) {
  auto parse = [needed](std::string_view text) {
    if (text.empty() && needed == presence::required) throw bad_value("must not be empty");
    if (text.find('\0') != std::string_view::npos) throw bad_value("must not contain a zero character");
    return std::string(text);
  };
  return {
      .placeholder = "PATH",
      .expected = "a path as a string",
      .from_file = {kind::string},
      .parse = parse,
      .write = [](const std::string& value) { return toml_string(value); },
  };
}

std::size_t choose(const std::vector<std::string>& names, std::string_view text) {
  auto found = std::find(names.begin(), names.end(), text);
  if (found == names.end()) refuse(alternatives(names), text);
  return static_cast<std::size_t>(found - names.begin());
}

std::string alternatives(const std::vector<std::string>& names) {
  std::string result;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) result += i + 1 == names.size() ? " or " : ", ";
    result += backquoted(names[i]);
  }
  return result;
}

std::string toml_string(std::string_view text) {
  constexpr std::string_view hex = "0123456789abcdef";
  std::string result = "\"";
  for (unsigned char c : text) {
    if (c == '"' || c == '\\') {
      result += '\\';
      result += static_cast<char>(c);
    } else if (c < 0x20 || c == 0x7f) {
      result += "\\u00";
      result += hex[c >> 4];
      result += hex[c & 15];
    } else {
      result += static_cast<char>(c);
    }
  }
  return result + "\"";
}

}  // namespace mqlite
