#pragma once

#include <string>
#include <vector>

namespace mqlite::cli {

/// Rows under titles, in columns as wide as they must be.
class table {
 public:
  enum class side { left, right };
  struct column {
    std::string title;
    side align = side::left;
  };

  explicit table(std::vector<column> columns);

  /// One cell for each column, already fit for a terminal.
  void add(std::vector<std::string> cells);

  /// Lines with their ends, two spaces between columns and none at the end of a line.
  std::string text() const;

 private:
  std::vector<column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

/// Columns of numbers.
table::column number_column(std::string title);

}  // namespace mqlite::cli
