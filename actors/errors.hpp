#pragma once

#include <string>
#include <utility>
#include <variant>

namespace mqlite {

/// Why a request was refused. protocols/ has the one table that turns these into HTTP, gRPC and TCP.
enum class error_code {
  invalid_argument,     ///< malformed, out of range, or contradicts itself
  unauthenticated,      ///< a token is missing or wrong
  permission_denied,    ///< the token is right but does not allow this
  not_found,            ///< no such namespace, topic, queue or route
  already_exists,       ///< the name is taken
  failed_precondition,  ///< not in the present state, for example a resize while draining
  too_large,            ///< a message or body over its limit
  resource_exhausted,   ///< a queue, memory or connection limit is reached
  unavailable,          ///< the log is not writable, or the broker is shutting down
  internal,             ///< a bug
};

/// A refusal: the code for programs, the text for people. The text names the thing and its state.
struct failure {
  error_code code = error_code::internal;
  std::string text;
  bool abandoned = false;  ///< the one who was asked ended without answering: whether it happened is not known
};

/// What a request leads to: a value or a failure.
template <class T>
class outcome {
 public:
  outcome(T value) : content_(std::in_place_index<0>, std::move(value)) {}
  outcome(failure why) : content_(std::in_place_index<1>, std::move(why)) {}

  bool ok() const noexcept { return content_.index() == 0; }
  explicit operator bool() const noexcept { return ok(); }

  /// The value; only when ok().
  T& operator*() { return *std::get_if<0>(&content_); }
  const T& operator*() const { return *std::get_if<0>(&content_); }
  T* operator->() { return std::get_if<0>(&content_); }
  const T* operator->() const { return std::get_if<0>(&content_); }

  /// The refusal; only when not ok().
  failure& why() { return *std::get_if<1>(&content_); }
  const failure& why() const { return *std::get_if<1>(&content_); }

 private:
  std::variant<T, failure> content_;
};

/// The value of a request that only succeeds or fails.
struct done {};

}  // namespace mqlite
