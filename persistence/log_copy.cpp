#include "persistence/log_copy.hpp"

#include "persistence/record.hpp"

namespace mqlite {

std::optional<log_failure> log_copy::append(const std::string& name, std::string_view body) {
  if (name != current_) {
    if (auto failed = end_file()) return failed;
    if (auto failed = begin(name)) return failed;
  }
  return writer_->append(frame_body(body));
}

std::optional<log_failure> log_copy::begin(const std::string& name) {
  auto created = base_writer::create({files_, folder_, name, {}});
  if (!created) return std::move(created.error());
  writer_.emplace(std::move(*created));
  current_ = name;
  return std::nullopt;
}

std::optional<log_failure> log_copy::end_file() {
  if (!writer_) return std::nullopt;
  auto finished = writer_->finish();
  if (!finished) return std::move(finished.error());
  writer_.reset();
  manifest_entry entry{current_, file_state::sealed, finished->length};
  bytes_ += entry.length;
  if (current_.starts_with("base-"))
    written_.base = std::move(entry);
  else
    written_.incrs.push_back(std::move(entry));
  return std::nullopt;
}

std::optional<log_failure> log_copy::finish() {
  if (auto failed = end_file()) return failed;
  return write_manifest(*files_, folder_, written_).failed;
}

}  // namespace mqlite
