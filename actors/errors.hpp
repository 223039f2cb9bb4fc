#pragma once

#include <memory>
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

/// What a request leads to: a value or a failure. A failure is kept apart, because most outcomes are values, and many travel
/// together: one of a publish takes 32 bytes instead of 56.
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
  failure& why() { return *std::get_if<1>(&content_)->kept; }
  const failure& why() const { return *std::get_if<1>(&content_)->kept; }

 private:
  /// Copied with what it holds.
  struct kept_apart {
    explicit kept_apart(failure why) : kept(std::make_shared<failure>(std::move(why))) {}
    kept_apart(const kept_apart& other) : kept(other.kept ? std::make_shared<failure>(*other.kept) : nullptr) {}
    kept_apart(kept_apart&&) noexcept = default;
    kept_apart& operator=(const kept_apart& other) { return *this = kept_apart(other); }
    kept_apart& operator=(kept_apart&&) noexcept = default;

    std::shared_ptr<failure> kept;  // of one alone; with unique_ptr GCC 12 sees a deletion of what was never made
  };

  std::variant<T, kept_apart> content_;
};

/// The value of a request that only succeeds or fails.
struct done {};

}  // namespace mqlite
