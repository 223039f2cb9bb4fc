#pragma once

#include <functional>

#include "actors/compat.hpp"
#include "actors/interfaces.hpp"

namespace mqlite {

/// One push consumer, wherever it is: its queue keeps the window, this actor is its end of the line. What it was sent and did not
/// acknowledge goes back to the queue when it ends.
class subscriber_state {
 public:
  /// Both functions run in this actor's thread.
  subscriber_state(subscriber_actor::pointer self, std::function<void(consumed)> deliver,
                   std::function<void(failure)> closed);
  ~subscriber_state();
  subscriber_actor::behavior_type make_behavior();

  static inline const char* name = "mqlite.subscriber";

 private:
  subscriber_actor::pointer self_;
  std::function<void(consumed)> deliver_;
  std::function<void(failure)> closed_;
  event::attached line_;
};

}  // namespace mqlite
