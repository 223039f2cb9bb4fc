#include "cli/text/words.hpp"

#include <cstddef>
#include <optional>

namespace mqlite::cli {
namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/// Reads a line from left to right.
class splitter {
 public:
  explicit splitter(std::string_view line) : line_(line) {}

  words split() {
    while (at_ < line_.size() && result_.problem.empty()) {
      const char c = line_[at_++];
      if (is_space(c))
        end_word();
      else if (c == '#' && !word_)
        at_ = line_.size();
      else
        take(c);
    }
    end_word();
    return std::move(result_);
  }

 private:
  void take(char c) {
    if (!word_) word_.emplace();
    if (c == '\'' || c == '"')
      take_quoted(c);
    else if (c == '\\' && at_ == line_.size())
      result_.problem = "a backslash at the end of the line quotes nothing";
    else
      *word_ += c == '\\' ? line_[at_++] : c;
  }

  void take_quoted(char quote) {
    while (at_ < line_.size()) {
      char c = line_[at_++];
      if (c == quote) return;
      const bool escape = quote == '"' && c == '\\' && at_ < line_.size() && (line_[at_] == '"' || line_[at_] == '\\');
      if (escape) c = line_[at_++];
      *word_ += c;
    }
    result_.problem = std::string("a ") + quote + " is not closed";
  }

  void end_word() {
    if (word_) result_.complete.push_back(std::move(*word_));
    word_.reset();
  }

  std::string_view line_;
  std::size_t at_ = 0;
  std::optional<std::string> word_;
  words result_;
};

}  // namespace

words split_words(std::string_view line) { return splitter(line).split(); }

}  // namespace mqlite::cli
