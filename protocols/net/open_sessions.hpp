#pragma once

#include <functional>
#include <memory>
#include <unordered_set>
#include <utility>
#include <vector>

namespace mqlite {

/// The open sessions of one loop; of that loop's thread. `Session` has shared_from_this().
template <class Session>
class open_sessions {
 public:
  void add(Session* opened) { open_.insert(opened); }

  void remove(Session* closed) {
    open_.erase(closed);
    if (!open_.empty()) return;
    if (const auto f = std::exchange(on_empty_, nullptr)) f();
  }

  /// All of them, held, because sessions leave as they end: so they can be ended one by one.
  std::vector<std::shared_ptr<Session>> all() const {
    std::vector<std::shared_ptr<Session>> held;
    held.reserve(open_.size());
    for (auto* one : open_) held.push_back(std::static_pointer_cast<Session>(one->shared_from_this()));
    return held;
  }

  /// Runs `f` once there is no open session: now, or when the last one is closed.
  void when_empty(std::function<void()> f) {
    if (open_.empty())
      f();
    else
      on_empty_ = std::move(f);
  }
  void forget_empty() { on_empty_ = nullptr; }

 private:
  std::unordered_set<Session*> open_;
  std::function<void()> on_empty_;
};

}  // namespace mqlite
