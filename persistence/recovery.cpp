#include "persistence/recovery.hpp"

#include <algorithm>

#include "persistence/format.hpp"

namespace mqlite {

namespace {

using clock = std::chrono::steady_clock;
using progress_callback = std::function<void(const recovery_progress&)>;

constexpr std::uint64_t progress_step = 64u << 20;

class recovery {
 public:
  recovery(file_system& files, const std::filesystem::path& folder, record_visitor& visitor,
           const progress_callback& progress)
      : files_(files), folder_(folder), visitor_(visitor), progress_(progress) {}

  log_result<recovered> run() {
    if (auto failed = read_manifest()) return unexpected{std::move(*failed)};
    auto entries = out_.files.incrs;
    if (out_.files.base) entries.insert(entries.begin(), *out_.files.base);
    if (auto failed = measure(entries)) return unexpected{std::move(*failed)};
    for (const auto& entry : entries) {
      if (auto failed = read_file(entry)) return unexpected{std::move(*failed)};
    }
    out_.messages = decoder_.messages();
    return std::move(out_);
  }

 private:
  std::optional<log_failure> read_manifest() {
    auto names = files_.list(folder_);
    if (!names && names.error() == std::errc::no_such_file_or_directory) return std::nullopt;
    if (!names) return io_failure(folder_.string(), "list", names.error());
    auto path = folder_ / format::manifest_name;
    auto found = std::find(names->begin(), names->end(), format::manifest_name) != names->end();
    if (found) {
      auto text = read_whole_file(files_, path);
      if (!text) return io_failure(path.string(), "read", text.error());
      auto parsed = manifest::parse(*text, path.string());
      if (!parsed) return std::move(parsed.error());
      out_.files = std::move(*parsed);
    }
    sort_out(*names);
    return found ? std::nullopt : check_no_records();
  }

  /// Tells the log's files from left-over and foreign ones.
  void sort_out(const std::vector<std::string>& names) {
    for (const auto& name : names) {
      auto number = log_file_number(name);
      if (number) out_.next_number = std::max(out_.next_number, *number + 1);
      if (name == format::manifest_name || name == format::lock_name || is_listed(name)) continue;
      auto& list = number || name == format::manifest_draft_name ? out_.left_over : out_.foreign;
      list.push_back(name);
    }
  }

  bool is_listed(const std::string& name) const {
    auto same = [&](const manifest_entry& entry) { return entry.name == name; };
    return (out_.files.base && same(*out_.files.base)) ||
           std::any_of(out_.files.incrs.begin(), out_.files.incrs.end(), same);
  }

  /// Without a manifest there may be the files of a first start that did not come as far as its manifest, but no records.
  std::optional<log_failure> check_no_records() {
    for (const auto& name : out_.left_over) {
      auto opened = files_.open_for_reading(folder_ / name);
      auto size = opened ? (*opened)->size() : io_result<std::uint64_t>{unexpected{opened.error()}};
      if (!size) return io_failure((folder_ / name).string(), "open", size.error());
      if (*size <= format::file_header_size || name == format::manifest_draft_name) continue;
      auto reason = "the manifest is missing, but there are log files such as " + name;
      return log_failure{failure_kind::no_manifest, folder_.string(), 0, reason, {}};
    }
    return std::nullopt;
  }

  std::optional<log_failure> measure(const std::vector<manifest_entry>& entries) {
    for (const auto& entry : entries) {
      auto path = (folder_ / entry.name).string();
      auto opened = files_.open_for_reading(path);
      if (!opened && opened.error() == std::errc::no_such_file_or_directory) {
        return log_failure{failure_kind::missing_file,
                           (folder_ / format::manifest_name).string(),
                           0,
                           "names " + entry.name + ", which does not exist",
                           {}};
      }
      auto size = opened ? (*opened)->size() : io_result<std::uint64_t>{unexpected{opened.error()}};
      if (!size) return io_failure(path, "open", size.error());
      total_ += *size;
    }
    return std::nullopt;
  }

  std::optional<log_failure> read_file(const manifest_entry& entry) {
    auto reader = log_reader::open(files_, folder_ / entry.name, entry);
    if (!reader) return std::move(reader.error());
    recovered_file file{entry.name, 0, reader->salt(), 0, {}};
    while (true) {
      auto started = clock::now();
      auto records = reader->next();
      auto read = clock::now();
      out_.reading += read - started;
      if (!records) return std::move(records.error());
      if (records->empty()) break;
      if (auto failed = decode(entry.name, *records)) return failed;
      out_.decoding += clock::now() - read;
      file.records += records->size();
      report(entry.name, out_.bytes + reader->position());
    }
    file.length = reader->position();
    file.torn = reader->torn();
    out_.records += file.records;
    out_.bytes += file.length;
    out_.found.push_back(std::move(file));
    return std::nullopt;
  }

  std::optional<log_failure> decode(const std::string& name, std::span<const record_view> records) {
    for (const auto& record : records) {
      switch (decoder_.decode(record.body, visitor_)) {
        case record_decoder::outcome::visited:
          break;
        case record_decoder::outcome::unknown:
          ++out_.unknown_records;
          break;
        case record_decoder::outcome::malformed:
          return damage((folder_ / name).string(), record.offset,
                        "the record matches its checksum but cannot be decoded");
      }
    }
    return std::nullopt;
  }

  void report(const std::string& name, std::uint64_t bytes) {
    if (!progress_ || bytes < reported_ + progress_step) return;
    reported_ = bytes;
    progress_({name, bytes, total_, decoder_.messages()});
  }

  file_system& files_;
  const std::filesystem::path& folder_;
  record_visitor& visitor_;
  const progress_callback& progress_;
  record_decoder decoder_;
  recovered out_;
  std::uint64_t total_ = 0;
  std::uint64_t reported_ = 0;
};

}  // namespace

log_result<recovered> recover(file_system& files, const std::filesystem::path& folder, record_visitor& visitor,
                              const std::function<void(const recovery_progress&)>& progress) {
  return recovery{files, folder, visitor, progress}.run();
}

}  // namespace mqlite
