#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace mqlite {

/// What a source gave for a key. The environment and flags have only text; a file has types, and a value of the wrong
/// type is refused even where its text would do.
struct given_value {
  enum class kind { text, string, integer, boolean, other };

  kind type;
  std::string text;       ///< a number or boolean as TOML writes it; empty for `other`
  std::string type_name;  ///< with its article, for messages: "a string"
};

/// A value that a key does not take. `what()` continues a sentence that begins with the key: "must be ...".
class bad_value : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// One type of values: how it is read and how it is written.
template <class T>
struct value_type {
  std::string placeholder;                     ///< what `--help` shows for a value
  std::string expected;                        ///< completes "must be ..."
  std::vector<given_value::kind> from_file;    ///< the TOML types that it may be written as
  std::function<T(std::string_view)> parse;    ///< throws bad_value
  std::function<std::string(const T&)> write;  ///< as a TOML value, so that `parse` or a file reads it back
};

/// A number with a unit `ms`, `s`, `m` or `h`; more than zero and at most 8760h, so that deadlines in nanoseconds
/// cannot overflow.
value_type<std::chrono::milliseconds> duration_value();

/// Bytes: a plain number, or one with `KB`, `MB` or `GB` (powers of 1024, in any case).
value_type<std::uint64_t> size_value(std::uint64_t least,
                                     std::uint64_t most = std::numeric_limits<std::uint64_t>::max());

/// A whole number from `least` to `most`, both included.
template <class T>
value_type<T> integer_value(std::uint64_t least, std::uint64_t most);
extern template value_type<std::uint16_t> integer_value(std::uint64_t, std::uint64_t);
extern template value_type<std::uint32_t> integer_value(std::uint64_t, std::uint64_t);
extern template value_type<std::int64_t> integer_value(std::uint64_t, std::uint64_t);

/// `true` or `false`.
value_type<bool> boolean_value();

/// A numeric IPv4 or IPv6 address, the latter without brackets.
value_type<std::string> address_value();

/// The path of a file or folder; an empty one is taken only where it is `optional`.
enum class presence { required, optional };
value_type<std::string> path_value(presence needed);

/// One of the names of an enumeration, spelled exactly; `names` are in the order of its enumerators, which count from
/// 0.
template <class E>
value_type<E> choice_value(std::vector<std::string> names);

/// `text` as a TOML string with its quotes.
std::string toml_string(std::string_view text);

/// The position of `text` among `names`; throws bad_value.
std::size_t choose(const std::vector<std::string>& names, std::string_view text);

/// "`a`, `b` or `c`".
std::string alternatives(const std::vector<std::string>& names);

template <class E>
value_type<E> choice_value(std::vector<std::string> names) {
  return {
      .placeholder = "NAME",
      .expected = alternatives(names),
      .from_file = {given_value::kind::string},
      .parse = [names](std::string_view text) { return static_cast<E>(choose(names, text)); },
      .write = [names](const E& value) { return toml_string(names.at(static_cast<std::size_t>(value))); },
  };
}

}  // namespace mqlite
