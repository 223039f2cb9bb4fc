#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "actors/errors.hpp"
#include "actors/reply.hpp"

namespace mqlite {

/// The one answer to a request that is carried out in parts, as keeps each of their records small: what they come to together, or
/// what went wrong with the last that failed.
class part_count {
 public:
  /// For `parts` of them; answered at once when there are none.
  static std::shared_ptr<part_count> of(std::size_t parts, reply<std::uint64_t> answer) {
    auto count = std::make_shared<part_count>();
    count->left_ = parts;
    count->answer_ = std::move(answer);
    if (parts == 0) count->answer_(std::uint64_t{0});
    return count;
  }

  /// One part is over: it comes to `count` unless there was a problem.
  void over(std::uint64_t count, const failure* problem) {
    if (problem != nullptr)
      problem_ = *problem;
    else
      sum_ += count;
    if (--left_ > 0) return;
    problem_ ? answer_(std::move(*problem_)) : answer_(sum_);
  }

 private:
  reply<std::uint64_t> answer_;
  std::uint64_t sum_ = 0;
  std::size_t left_ = 0;
  std::optional<failure> problem_;
};

}  // namespace mqlite
