#include "persistence/recovery.hpp"

#include "persistence/folder_content.hpp"
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
    auto content = look_into(files_, folder_);
    if (!content) return std::move(content.error());
    if (content->bad_manifest) return std::move(content->bad_manifest);
    out_.files = std::move(content->files);
    out_.next_number = content->next_number;
    out_.left_over = std::move(content->left_over);
    out_.foreign = std::move(content->foreign);
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
    recovered_file file{entry.name, 0, reader->salt(), 0, {}, 0};
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
    file.synced = reader->synced();
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
