#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mqlite::cli {

/// Reads lines from a terminal: editing, a history that is kept in a file, and completion with the tabulator.
class line_editor {
 public:
  /// What the line up to the cursor can go on with, as in completions().
  using completer = std::function<std::vector<std::string>(std::string_view line)>;

  line_editor(std::string prompt, completer complete);
  ~line_editor();
  line_editor(const line_editor&) = delete;
  line_editor& operator=(const line_editor&) = delete;

  /// The next line without its end; nothing at the end of input.
  std::optional<std::string> read();

 private:
  struct implementation;
  std::unique_ptr<implementation> me_;
};

}  // namespace mqlite::cli
