#include "cli/text/table.hpp"

#include <algorithm>

#include "cli/text/escape.hpp"

namespace mqlite::cli {

table::table(std::vector<column> columns) : columns_(std::move(columns)) {}

void table::add(std::vector<std::string> cells) {
  cells.resize(columns_.size());
  rows_.push_back(std::move(cells));
}

std::string table::text() const {
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    auto width = length_in_characters(columns_[i].title);
    for (const auto& row : rows_) width = std::max(width, length_in_characters(row[i]));
    widths.push_back(width);
  }
  std::string out;
  const auto append_line = [&](auto cell_of) {
    std::string line;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const std::string& cell = cell_of(i);
      const std::string padding(widths[i] - length_in_characters(cell), ' ');
      if (i > 0) line += "  ";
      line += columns_[i].align == side::right ? padding + cell : cell + padding;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + '\n';
  };
  append_line([&](std::size_t i) -> const std::string& { return columns_[i].title; });
  for (const auto& row : rows_) append_line([&](std::size_t i) -> const std::string& { return row[i]; });
  return out;
}

table::column number_column(std::string title) { return {std::move(title), table::side::right}; }

}  // namespace mqlite::cli
