#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "actors/reply.hpp"

namespace mqlite {

/// Collects the answers of several actors, which come in any order and from any thread; whoever answers last goes on with all of
/// them. Those that failed are left out.
template <class T>
class gather : public std::enable_shared_from_this<gather<T>> {
 public:
  using function = std::function<void(std::vector<T>)>;

  /// `count` answers are awaited; with none, `then` runs at once.
  static std::shared_ptr<gather> of(std::size_t count, function then) {
    auto g = std::shared_ptr<gather>(new gather(count, std::move(then)));
    if (count == 0) g->finish();
    return g;
  }

  /// The reply for the answer number `i`; to be given out once.
  reply<T> slot(std::size_t i) {
    return reply<T>([g = this->shared_from_this(), i](outcome<T> answer) {
      if (answer) g->answers_[i] = std::move(*answer);
      if (g->outstanding_.fetch_sub(1, std::memory_order_acq_rel) == 1) g->finish();
    });
  }

 private:
  gather(std::size_t count, function then) : answers_(count), outstanding_(count), then_(std::move(then)) {}

  void finish() {
    std::vector<T> all;
    for (auto& answer : answers_)
      if (answer) all.push_back(std::move(*answer));
    then_(std::move(all));
  }

  std::vector<std::optional<T>> answers_;
  std::atomic<std::size_t> outstanding_;
  function then_;
};

}  // namespace mqlite
