#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

/// How calls of the client library fail. Needs nothing but the standard library.
namespace mqlite::client {

/// Why a call was refused: the same codes on every protocol of the broker.
enum class errc : std::uint8_t {
  none,                 ///< no error
  invalid_argument,     ///< malformed, out of range, or contradicts itself
  unauthenticated,      ///< a token is missing or wrong
  permission_denied,    ///< the token is right but does not allow this
  not_found,            ///< no such namespace, topic or queue
  already_exists,       ///< the name is taken
  failed_precondition,  ///< not in the present state, or client and broker are of different versions
  too_large,            ///< a message or a batch over its limit
  resource_exhausted,   ///< a queue, memory or connection limit is reached
  unavailable,  ///< the broker cannot be reached, does not answer, or its log is not writable: whether it happened is not known
  internal,  ///< a bug
};

/// As in "NOT_FOUND".
std::string_view name_of(errc code) noexcept;

/// A refusal: the code for programs, the text for people.
struct failure {
  errc code = errc::internal;
  std::string text;
};

/// What result::value() throws.
class error : public std::runtime_error {
 public:
  explicit error(const failure& why)
      : std::runtime_error(std::string(name_of(why.code)) + ": " + why.text), code_(why.code) {}
  errc code() const noexcept { return code_; }

 private:
  errc code_;
};

/// The value of a call that only succeeds or fails.
struct done {};

/// What a call leads to: a value or a failure.
template <class T>
class [[nodiscard]] result {
 public:
  result(T value) : value_(std::move(value)) {}
  result(failure why) : why_(std::move(why)) {}

  bool ok() const noexcept { return value_.has_value(); }
  explicit operator bool() const noexcept { return ok(); }

  /// The value; throws client::error when there is none.
  T& value() & {
    check();
    return *value_;
  }
  const T& value() const& {
    check();
    return *value_;
  }
  T value() && {
    check();
    return std::move(*value_);
  }
  /// The value; only when ok().
  T& operator*() { return *value_; }
  const T& operator*() const { return *value_; }
  T* operator->() { return &*value_; }
  const T* operator->() const { return &*value_; }

  /// The refusal; only when not ok().
  const failure& why() const { return why_; }

 private:
  void check() const {
    if (!value_) throw error(why_);
  }

  std::optional<T> value_;
  failure why_;
};

}  // namespace mqlite::client
