#pragma once

#include <string>
#include <utility>
#include <vector>

#include "actors/operations.hpp"

namespace mqlite {

/// A batch as it was asked for: the messages that were refused at once, with gaps for what the broker answers about the others.
class batch_answer {
 public:
  /// Takes the messages out of `read`: those that are to be published.
  std::vector<draft> open(std::vector<outcome<draft>>& read);

  /// The broker's answers, in the order of the drafts.
  void fill(outcome<std::vector<outcome<published>>>& answers);

  const std::vector<outcome<published>>& outcomes() const noexcept { return outcomes_; }

 private:
  std::vector<outcome<published>> outcomes_;
  std::vector<std::size_t> asked_;  // positions of the gaps
};

/// As JSON: an array of `{"message_id","queue_id"}` or `{"code","message"}`.
void append_outcomes(std::string& out, const std::vector<outcome<published>>& outcomes);

}  // namespace mqlite
