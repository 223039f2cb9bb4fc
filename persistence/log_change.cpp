#include "persistence/log_change.hpp"

#include <algorithm>

#include "persistence/record.hpp"

namespace mqlite {

std::optional<log_failure> log_change::run() {
  for (const auto& target : to_seal_) {
    auto same = [&](const manifest_entry& entry) { return entry.name == target.name; };
    auto entry = std::find_if(next_.incrs.begin(), next_.incrs.end(), same);
    if (entry == next_.incrs.end()) continue;
    entry->length = target.length;
    seal(*entry);
  }
  if (!create_.empty()) {
    if (auto failed = create_file()) return fail(std::move(*failed), false);
  }
  auto written = write_manifest(*files_, folder_, next_);
  if (written.failed) return fail(std::move(*written.failed), written.in_force);
  for (const auto& name : remove_) {
    if (files_->remove(folder_ / name)) not_removed_.push_back(name);
  }
  succeeded_ = true;
  return std::nullopt;
}

/// Brings a file that is no longer appended to onto the disk. Where that fails, its end is not vouched for.
void log_change::seal(manifest_entry& entry) {
  entry.state = file_state::cut;
  auto opened = files_->open_for_writing(folder_ / entry.name);
  if (!opened) return;
  (*opened)->truncate(entry.length);  // zeros of the preallocation or a failed write's bytes: without effect either way
  if (!(*opened)->sync()) entry.state = file_state::sealed;
}

/// The file and its header are on the disk before a manifest names it.
std::optional<log_failure> log_change::create_file() {
  auto path = folder_ / create_;
  auto created = files_->create(path);
  if (!created) return io_failure(path.string(), "create", created.error());
  auto header = file_header(salt_);
  std::string_view part = header;
  auto written = (*created)->write_at(0, {&part, 1});
  if (!written.error && written.bytes != header.size()) written.error = std::make_error_code(std::errc::io_error);
  if (written.error) return io_failure(path.string(), "write", written.error);
  if (auto error = (*created)->sync()) return io_failure(path.string(), "fsync", error);
  if (auto error = files_->sync_folder(folder_)) return io_failure(folder_.string(), "fsync", error);
  created_ = std::move(*created);
  return std::nullopt;
}

/// `in_force`: the new manifest may be the one that the next start finds. What it names must stay, and does no harm: a new incr is
/// still empty, and a new base says the same as what it replaces.
std::optional<log_failure> log_change::fail(log_failure reason, bool in_force) {
  created_.reset();
  if (in_force) return reason;
  for (const auto& name : added_) files_->remove(folder_ / name);
  return reason;
}

}  // namespace mqlite
