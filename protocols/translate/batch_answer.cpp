#include "protocols/translate/batch_answer.hpp"

#include "protocols/translate/answers.hpp"

namespace mqlite {

std::vector<draft> batch_answer::open(std::vector<outcome<draft>>& read) {
  std::vector<draft> drafts;
  drafts.reserve(read.size());
  outcomes_.reserve(read.size());
  for (std::size_t i = 0; i < read.size(); ++i) {
    if (read[i]) {
      drafts.push_back(std::move(*read[i]));
      asked_.push_back(i);
      outcomes_.emplace_back(failure{error_code::internal, "the broker gave no answer for this message", true});
    } else {
      outcomes_.emplace_back(std::move(read[i].why()));
    }
  }
  return drafts;
}

void batch_answer::fill(outcome<std::vector<outcome<published>>>& answers) {
  for (std::size_t i = 0; i < asked_.size(); ++i) {
    auto& place = outcomes_[asked_[i]];
    if (!answers)
      place = answers.why();
    else if (i < answers->size())
      place = std::move((*answers)[i]);
  }
}

void append_outcomes(std::string& out, const std::vector<outcome<published>>& outcomes) {
  out += '[';
  for (const auto& one : outcomes) {
    if (&one != &outcomes.front()) out += ',';
    if (one) {
      append_published(out, *one);
      continue;
    }
    out += '{';
    append_failure_members(out, one.why());
    out += '}';
  }
  out += ']';
}

}  // namespace mqlite
