#pragma once

#include <stdexcept>
#include <string>

namespace mqlite::cli {

/// A call that the broker refused or that did not reach it; what() is `CODE: text`.
class call_failed : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Ctrl-C ended a call.
class call_interrupted : public std::runtime_error {
 public:
  call_interrupted() : std::runtime_error("interrupted") {}
};

/// Ctrl-C ended a command that goes on until then.
class ended_by_user : public call_interrupted {};

/// A command that cannot be run as it was given.
class bad_usage : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace mqlite::cli
