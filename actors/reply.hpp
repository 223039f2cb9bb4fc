#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "actors/errors.hpp"

namespace mqlite {

/// Where a command's answer goes. It travels inside the command, from actor to actor, and is answered by the one who knows, so that
/// an answer takes one hop whatever way the command went. It is answered exactly once: when the last copy goes away unanswered
/// (an actor ended with the command in its mailbox), the asker gets a failure that is marked `abandoned`.
///
/// The function runs in the answering actor's thread: it only hands the answer on.
template <class T>
class reply {
 public:
  using function = std::function<void(outcome<T>)>;

  reply() = default;
  explicit reply(function f) : state_(std::make_shared<state>(std::move(f))) {}

  /// Answers; a second answer is ignored.
  void operator()(outcome<T> result) const {
    if (state_) state_->complete(std::move(result));
  }

 private:
  struct state {
    explicit state(function f) : answer(std::move(f)) {}
    state(const state&) = delete;
    state& operator=(const state&) = delete;
    ~state() { complete(failure{error_code::unavailable, "the broker is shutting down", true}); }

    void complete(outcome<T> result) {
      if (auto f = std::exchange(answer, nullptr)) f(std::move(result));
    }

    function answer;
  };

  std::shared_ptr<state> state_;
};

}  // namespace mqlite
