#include "persistence/log_survey.hpp"

#include <algorithm>

#include "persistence/format.hpp"

namespace mqlite {

namespace {

class no_visitor final : public survey_visitor {
 public:
  bool on_record(const surveyed_file&, const record_view&) override { return true; }
};

class surveyor {
 public:
  surveyor(file_system& files, const std::filesystem::path& folder, survey_visitor& visitor)
      : files_(files), folder_(folder), visitor_(visitor) {}

  /// Reads one file; fails when a newer program wrote it.
  log_result<surveyed_file> read(const manifest_entry& entry) {
    file_ = {};
    file_.entry = entry;
    file_.missing_before = missing_;
    auto opened = open();
    if (!opened) return unexpected{std::move(opened.error())};
    if (*opened) read_records(**opened);
    add_missing_end();
    missing_ += file_.gaps.size() + (file_.torn ? 1 : 0);
    return std::move(file_);
  }

  /// The last mark of the file read last: its offset, when it vouches for all before it.
  bool ends_with_mark() const { return marked_ != 0 && marked_ + format::mark_size == file_.length; }
  std::uint64_t marked() const { return marked_; }

 private:
  /// Nothing when the file cannot be opened at all; the gap says why.
  log_result<std::optional<log_reader>> open() {
    auto path = folder_ / file_.entry.name;
    auto opened = files_.open_for_reading(path);
    auto size = opened ? (*opened)->size() : io_result<std::uint64_t>{unexpected{opened.error()}};
    if (!size) {
      auto gone = size.error() == std::errc::no_such_file_or_directory;
      gap(0, file_.entry.length, gone ? "the file is missing" : "open: " + size.error().message());
      return std::optional<log_reader>{};
    }
    file_.size = *size;
    auto known = file_.entry;
    if (known.state == file_state::sealed) known.length = std::min(known.length, *size);
    auto reader = log_reader::open(files_, path, known);
    if (!reader && reader.error().kind == failure_kind::newer_format) return unexpected{std::move(reader.error())};
    if (!reader) {
      gap(0, std::min<std::uint64_t>(format::file_header_size, *size), reader.error().reason);
      reader = log_reader::open_without_header(files_, path, known);
    }
    if (!reader) {
      file_.gaps.front().bytes = std::max(*size, file_.entry.length);
      return std::optional<log_reader>{};
    }
    file_.version = reader->version();
    return std::optional{std::move(*reader)};
  }

  void read_records(log_reader& reader) {
    while (true) {
      auto records = reader.next();
      if (!records && !skip(reader, records.error())) break;
      if (!records) continue;
      if (records->empty()) break;
      for (const auto& record : *records) visit(record);
    }
    file_.length = std::max(file_.length, reader.position());
    file_.torn = reader.torn();
    marked_ = reader.synced();
  }

  void visit(const record_view& record) {
    auto bytes = format::record_header_size + record.body.size();
    file_.length = record.offset + bytes;
    if (visitor_.on_record(file_, record))
      ++file_.records;
    else
      gap(record.offset, bytes, "the record matches its checksum but cannot be decoded");
  }

  /// Goes on behind damage; false when nothing good follows.
  bool skip(log_reader& reader, const log_failure& damage) {
    auto from = reader.position();
    file_.length = std::max(file_.length, from);
    auto next = damage.kind == failure_kind::io ? log_result<std::optional<std::uint64_t>>{std::nullopt}
                                                : reader.find_record(from + 1);
    auto behind = next && *next ? **next : reader.limit();
    gap(from, behind - from, damage.reason.substr(0, damage.reason.find(", and a good record follows")));
    if (!next || !*next) return false;
    reader.seek(behind);
    return true;
  }

  /// A sealed file that is shorter than it was.
  void add_missing_end() {
    if (file_.entry.state != file_state::sealed || file_.size >= file_.entry.length || file_.length == 0) return;
    auto reason =
        "the file ends at " + std::to_string(file_.size) + " but had " + std::to_string(file_.entry.length) + " bytes";
    auto from = file_.length;
    if (!file_.gaps.empty() && file_.gaps.back().offset + file_.gaps.back().bytes >= file_.size) {
      from = file_.gaps.back().offset;
      file_.gaps.pop_back();
    }
    gap(from, file_.entry.length - from, reason);
  }

  void gap(std::uint64_t offset, std::uint64_t bytes, std::string reason) {
    file_.gaps.push_back({offset, bytes, std::move(reason)});
  }

  file_system& files_;
  const std::filesystem::path& folder_;
  survey_visitor& visitor_;
  surveyed_file file_;
  std::uint64_t missing_ = 0;
  std::uint64_t marked_ = 0;
};

/// Whether a base was written to its end: then it stands for everything before the incr that was current when it was begun.
bool is_complete(file_system& files, const std::filesystem::path& folder, const std::string& name) {
  no_visitor nobody;
  surveyor reading{files, folder, nobody};
  auto read = reading.read({name, file_state::open, 0});
  return read && read->gaps.empty() && !read->torn && reading.ends_with_mark();
}

/// A file all of whose bytes count.
manifest_entry whole(file_system& files, const std::filesystem::path& folder, const std::string& name) {
  auto opened = files.open_for_reading(folder / name);
  auto size = opened ? (*opened)->size() : io_result<std::uint64_t>{0};
  return {name, file_state::sealed, size ? *size : 0};
}

/// What the files' names and ends tell without a manifest: the newest base that is complete, and the incrs from the one on that was
/// current when that base was begun (the newest with a lower number). Whatever else there is was on its way out, or unfinished.
///
/// Where no base is complete, one may have been once: what a base stands for is deleted only when it is in force. So
/// the oldest, with no incr from before it was begun, is damaged rather than unfinished: what can be read of it counts.
manifest rebuild(file_system& files, const std::filesystem::path& folder, const std::vector<std::string>& names) {
  manifest out;
  std::vector<std::string> bases;
  std::vector<std::string> incrs;
  for (const auto& name : names)
    if (log_file_number(name)) (name.starts_with("base-") ? bases : incrs).push_back(name);
  auto older = [](const auto& a, const auto& b) { return *log_file_number(a) < *log_file_number(b); };
  std::sort(bases.begin(), bases.end(), older);
  std::sort(incrs.begin(), incrs.end(), older);
  auto first_with = [&](const std::string& base) {
    auto first = std::lower_bound(incrs.begin(), incrs.end(), base, older);
    return first == incrs.begin() ? first : std::prev(first);
  };
  auto complete =
      std::find_if(bases.rbegin(), bases.rend(), [&](const auto& name) { return is_complete(files, folder, name); });
  if (complete != bases.rend())
    out.base = manifest_entry{*complete, file_state::open, 0};
  else if (!bases.empty() && first_with(bases.front()) == incrs.begin())
    out.base = whole(files, folder, bases.front());
  auto first = out.base ? first_with(out.base->name) : incrs.begin();
  for (; first != incrs.end(); ++first) out.incrs.push_back({*first, file_state::open, 0});
  return out;
}

}  // namespace

log_result<log_survey> survey_log(file_system& files, const std::filesystem::path& folder, survey_visitor& visitor) {
  auto content = look_into(files, folder);
  if (!content) return unexpected{std::move(content.error())};
  log_survey out;
  out.content = std::move(*content);
  if (out.content.bad_manifest) {
    if (out.content.bad_manifest->kind == failure_kind::newer_format) {
      return unexpected{std::move(*out.content.bad_manifest)};
    }
    out.manifest_rebuilt = true;
    out.content.files = rebuild(files, folder, out.content.left_over);
    auto used = entries_of(out.content.files);
    std::erase_if(out.content.left_over, [&](const auto& name) {
      return std::any_of(used.begin(), used.end(), [&](const auto& entry) { return entry.name == name; });
    });
  }
  surveyor reading{files, folder, visitor};
  for (const auto& entry : entries_of(out.content.files)) {
    auto read = reading.read(entry);
    if (!read) return unexpected{std::move(read.error())};
    out.found.push_back(std::move(*read));
  }
  return out;
}

bool log_survey::sound() const {
  return !content.bad_manifest &&
         std::all_of(found.begin(), found.end(), [](const auto& file) { return file.gaps.empty(); });
}

}  // namespace mqlite
