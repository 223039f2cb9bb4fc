#pragma once

#include <functional>
#include <memory>
#include <utility>

namespace mqlite {

/// The duty to say whether a batch of messages reached its consumer. Until then the queue keeps them aside, with the clocks of
/// their leases standing still. Confirm it when the bytes were written to the connection; destroyed unconfirmed, it says that
/// they were not, and the messages return to the front.
class hand_over {
 public:
  using function = std::function<void(bool handed)>;

  hand_over() = default;
  explicit hand_over(function f) : state_(std::make_shared<state>(std::move(f))) {}

  /// The messages were handed to their consumer.
  void confirm() {
    if (state_) state_->tell(true);
  }

 private:
  struct state {
    explicit state(function f) : told(std::move(f)) {}
    state(const state&) = delete;
    state& operator=(const state&) = delete;
    ~state() { tell(false); }

    void tell(bool handed) {
      if (auto f = std::exchange(told, nullptr)) f(handed);
    }

    function told;
  };

  std::shared_ptr<state> state_;
};

}  // namespace mqlite
