#pragma once

#include <utility>
#include <variant>

namespace mqlite {

/// Wraps an error on its way into an `expected`.
template <class Error>
struct unexpected {
  Error error;
};
template <class Error>
unexpected(Error) -> unexpected<Error>;

/// A value or the error that stood in its way: the part of C++23's std::expected that the log needs.
template <class Value, class Error>
class expected {
 public:
  expected(Value value) : state_(std::in_place_index<0>, std::move(value)) {}
  template <class Other>
  expected(unexpected<Other> failed) : state_(std::in_place_index<1>, std::move(failed.error)) {}

  explicit operator bool() const { return state_.index() == 0; }
  bool has_value() const { return state_.index() == 0; }

  /// The value; std::bad_variant_access where there is none.
  Value& value() { return std::get<0>(state_); }
  const Value& value() const { return std::get<0>(state_); }
  Value& operator*() { return value(); }
  const Value& operator*() const { return value(); }
  Value* operator->() { return &value(); }
  const Value* operator->() const { return &value(); }

  /// The error; std::bad_variant_access where there is none.
  Error& error() { return std::get<1>(state_); }
  const Error& error() const { return std::get<1>(state_); }

 private:
  std::variant<Value, Error> state_;
};

}  // namespace mqlite
