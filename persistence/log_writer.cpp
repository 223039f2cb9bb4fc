#include "persistence/log_writer.hpp"

#include <algorithm>
#include <cassert>
#include <random>

#include "persistence/format.hpp"
#include "persistence/record.hpp"

namespace mqlite {

namespace {

// What a start writes again of a file that no mark vouches for: about a second's worth of writing at most. Where there is more, fsync
// is `no`, and nothing was promised.
constexpr std::uint64_t most_written_again = 1u << 30;
constexpr std::uint64_t step_written_again = 1u << 20;

}  // namespace

log_writer::log_writer(file_system& files, folder_lock lock, log_options options)
    : files_(&files), lock_(std::move(lock)), options_(options) {}

// -- start and end ------------------------------------------------------------

log_result<log_writer> log_writer::open(file_system& files, folder_lock lock, const recovered& found,
                                        log_options options) {
  log_writer writer{files, std::move(lock), options};
  if (auto failed = writer.take_over(found)) return unexpected{std::move(*failed)};
  for (const auto& name : found.left_over) files.remove(writer.folder() / name);
  return writer;
}

std::optional<log_failure> log_writer::take_over(const recovered& found) {
  next_number_ = found.next_number;
  base_ = found.files.base;
  // The manifest that was read may be one whose renaming is not on the disk yet: nothing may build on it before it is.
  if (!found.files.incrs.empty()) {
    if (auto error = files_->sync_folder(folder())) return io_failure(folder().string(), "fsync", error);
  }
  for (const auto& entry : found.files.incrs) {
    incrs_.push_back({entry, false, {}});
    if (entry.state != file_state::open) continue;
    auto same = [&](const recovered_file& file) { return file.name == entry.name; };
    auto read = std::find_if(found.found.begin(), found.found.end(), same);
    if (read == found.found.end()) continue;
    incrs_.back().entry.length = read->length;
    if (auto failed = settle(*read)) return failed;
  }
  if (!incrs_.empty() && incrs_.back().entry.state == file_state::open) return std::nullopt;
  current_.reset();
  return begin_new_file();
}

/// Brings an open file to the disk and makes it the current one. What was replayed must be there before anything that builds on it
/// is answered; and where an fsync failed for the process that wrote it, the next fsync succeeds without writing what that one did
/// not. So whatever no mark vouches for is written again.
std::optional<log_failure> log_writer::settle(const recovered_file& read) {
  auto path = folder() / read.name;
  auto opened = files_->open_for_writing(path);
  if (!opened) return io_failure(path.string(), "open", opened.error());
  auto size = (*opened)->size();
  if (!size) return io_failure(path.string(), "open", size.error());
  if (*size != read.length) {
    if (auto error = (*opened)->truncate(read.length)) return io_failure(path.string(), "cut", error);
  }
  auto vouched_for = read.length - read.synced <= most_written_again;
  if (vouched_for) {
    if (auto failed = write_again(path, **opened, read.synced, read.length)) return failed;
  }
  if (auto error = (*opened)->sync()) return io_failure(path.string(), "fsync", error);
  current_ = std::move(*opened);
  incrs_.back().handle = current_;
  salt_ = read.salt;
  length_ = reserved_ = read.length;
  marked_ = read.synced;
  synced_ = vouched_for ? read.length : read.synced;
  return std::nullopt;
}

std::optional<log_failure> log_writer::write_again(const std::filesystem::path& path, file& target, std::uint64_t from,
                                                   std::uint64_t to) {
  auto source = files_->open_for_reading(path);
  if (!source) return io_failure(path.string(), "open", source.error());
  std::vector<char> part(std::min(to - from, step_written_again));
  while (from < to) {
    auto count = std::min<std::uint64_t>(part.size(), to - from);
    auto got = (*source)->read_at(from, {part.data(), static_cast<std::size_t>(count)});
    if (!got.error && got.bytes != count) got.error = std::make_error_code(std::errc::io_error);
    if (got.error) return io_failure(path.string(), "read", got.error);
    std::string_view bytes{part.data(), static_cast<std::size_t>(count)};
    auto written = target.write_at(from, {&bytes, 1});
    if (written.error) return io_failure(path.string(), "write", written.error);
    from += count;
  }
  return std::nullopt;
}

std::error_code log_writer::close() {
  if (auto error = flush()) return error;
  reserved_ = length_;
  reserving_ = false;
  if (auto error = current_->truncate(length_)) return error;
  if (auto error = current_->sync()) return error;
  if (length_ <= marked_ + format::mark_size) return {};  // nothing new but the mark
  synced_ = marked_ = length_;
  append(sync_mark(length_));
  if (auto error = flush()) return error;
  return current_->sync();
}

// -- appending ----------------------------------------------------------------

void log_writer::append(std::string framed) {
  assert(framed.size() > format::record_header_size);
  queued_bytes_ += framed.size();
  queue_.push_back(std::move(framed));
}

std::error_code log_writer::flush() {
  auto bytes = std::exchange(queued_bytes_, 0);
  if (failed_) queue_.clear();
  if (failed_) return failed_->code;
  if (queue_.empty()) return {};
  std::string mark;
  if (synced_ > marked_) {
    mark = sync_mark(synced_);
    salt_frame(mark, salt_);
    parts_.emplace_back(mark);
    bytes += mark.size();
  }
  for (auto& framed : queue_) {
    salt_frame(framed, salt_);
    parts_.emplace_back(framed);
  }
  reserve(length_ + bytes);
  auto written = current_->write_at(length_, parts_);
  parts_.clear();
  queue_.clear();
  if (!written.error && written.bytes != bytes) written.error = std::make_error_code(std::errc::io_error);
  if (!written.error) {
    length_ += bytes;
    marked_ = synced_;
    return {};
  }
  current_->truncate(length_);  // where this fails too, begin_new_file() writes the length into the manifest
  fail("write", written.error);
  return written.error;
}

/// Keeps the file preallocated up to a step behind `end`. Where the file system cannot, the log grows as it is written.
void log_writer::reserve(std::uint64_t end) {
  if (end <= reserved_ || !reserving_ || options_.preallocate == 0) return;
  auto until = end + options_.preallocate;
  // From where the last step ended: on a full disk the zeros must not take the room of what is written now.
  reserving_ = !(options_.fill ? fill(reserved_, until) : current_->preallocate(reserved_, until - reserved_));
  if (reserving_) reserved_ = until;
}

std::error_code log_writer::fill(std::uint64_t from, std::uint64_t to) {
  static const std::string zeros(64U << 10, '\0');
  std::vector<std::string_view> parts;
  for (auto at = from; at < to; at += parts.back().size())
    parts.push_back(std::string_view(zeros).substr(0, std::min<std::uint64_t>(zeros.size(), to - at)));
  return current_->write_at(from, parts).error;
}

// -- failure ------------------------------------------------------------------

void log_writer::fail(const char* doing, std::error_code code) {
  if (!failed_) failed_ = io_failure(current_path().string(), doing, code);
}

void log_writer::synced(const std::shared_ptr<file>& synced_file, std::uint64_t length) {
  if (synced_file == current_) synced_ = std::max(synced_, std::min(length, length_));
}

void log_writer::sync_failed(const std::shared_ptr<file>& failed_file, std::error_code reason, std::uint64_t keep) {
  auto same = [&](const incr& known) { return known.handle.lock() == failed_file; };
  auto found = std::find_if(incrs_.begin(), incrs_.end(), same);
  if (found == incrs_.end()) return;  // a rewrite has replaced it
  found->poisoned = true;
  if (failed_file != current_) found->entry.length = std::min(found->entry.length, keep);
  if (failed_file == current_ && keep < length_) {
    length_ = std::max<std::uint64_t>(keep, format::file_header_size);
    current_->truncate(length_);
  }
  fail("fsync", reason);
}

bool log_writer::has_unvouched() const {
  return std::any_of(incrs_.begin(), incrs_.end(),
                     [](const incr& one) { return one.poisoned || one.entry.state == file_state::cut; });
}

std::optional<log_failure> log_writer::begin_new_file() {
  auto change = plan_new_file();
  auto failed = change.run();
  adopt(std::move(change));
  return failed;
}

// -- changes ------------------------------------------------------------------

/// Puts a file that is no longer appended to into the change's manifest.
void log_writer::end_file(log_change& change, const incr& ended, std::uint64_t length) const {
  if (length <= format::file_header_size) {
    change.remove_.push_back(ended.entry.name);
    return;
  }
  change.next_.incrs.push_back(ended.entry);
  if (ended.poisoned) {
    change.next_.incrs.back().state = file_state::cut;
    change.next_.incrs.back().length = length;
  } else if (ended.entry.state == file_state::open) {
    change.to_seal_.push_back({ended.entry.name, file_state::open, length});
  }
}

log_change log_writer::plan_new_file() {
  assert(!changing_);
  changing_ = true;
  log_change change{*files_, folder()};
  change.next_.base = base_;
  for (const auto& incr : incrs_) {
    auto is_current = current_ && &incr == &incrs_.back();
    if (is_current && !failed_)
      change.next_.incrs.push_back(incr.entry);
    else
      end_file(change, incr, is_current ? length_ : incr.entry.length);
  }
  change.ends_current_ = failed_.has_value();
  change.create_ = incr_name(next_number_++);
  change.added_.push_back(change.create_);
  change.salt_ = std::random_device{}();
  change.next_.incrs.push_back({change.create_, file_state::open, 0});
  return change;
}

base_plan log_writer::plan_base() { return {files_, folder(), base_name(next_number_++), current_name()}; }

log_change log_writer::plan_commit(const finished_base& base) {
  assert(!changing_);
  changing_ = true;
  log_change change{*files_, folder()};
  change.next_.base = manifest_entry{base.name, file_state::sealed, base.length};
  change.added_.push_back(base.name);
  if (base_) change.remove_.push_back(base_->name);
  auto contained = true;
  for (const auto& incr : incrs_) {
    contained = contained && incr.entry.name != base.first_incr;
    if (contained)
      change.remove_.push_back(incr.entry.name);
    else if (&incr == &incrs_.back())
      change.next_.incrs.push_back(incr.entry);
    else
      end_file(change, incr, incr.entry.length);
  }
  return change;
}

backup_plan log_writer::plan_backup() const {
  backup_plan plan{files_, folder(), {}};
  plan.content.base = base_;
  for (const auto& incr : incrs_) {
    if (&incr == &incrs_.back() || incr.entry.length <= format::file_header_size) continue;
    plan.content.incrs.push_back(incr.entry);
    auto& state = plan.content.incrs.back().state;
    state = incr.poisoned || state == file_state::cut ? file_state::cut : file_state::sealed;
  }
  return plan;
}

std::shared_ptr<file> log_writer::adopt(log_change&& change) {
  changing_ = false;
  if (!change.succeeded_) return nullptr;
  auto previous = change.create_.empty() ? nullptr : current_;
  if (previous) incrs_.back().entry.length = length_;
  std::vector<incr> incrs;
  for (auto& entry : change.next_.incrs) {
    auto same = [&](const incr& known) { return known.entry.name == entry.name; };
    auto known = std::find_if(incrs_.begin(), incrs_.end(), same);
    if (known == incrs_.end()) {
      incrs.push_back({entry, false, change.created_});
      continue;
    }
    // The manifest knows no length of open files.
    if (entry.state != file_state::open) known->entry = entry;
    incrs.push_back(std::move(*known));
  }
  incrs_ = std::move(incrs);
  base_ = change.next_.base;
  if (!change.created_) return nullptr;
  current_ = std::move(change.created_);
  salt_ = change.salt_;
  length_ = reserved_ = synced_ = marked_ = format::file_header_size;
  reserving_ = true;
  if (change.ends_current_) failed_.reset();
  return previous;
}

std::uint64_t log_writer::bytes() const {
  auto sum = base_bytes() + length_;
  for (std::size_t i = 0; i + 1 < incrs_.size(); ++i) sum += incrs_[i].entry.length;
  return sum;
}

}  // namespace mqlite
