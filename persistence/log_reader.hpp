#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "persistence/file_system.hpp"
#include "persistence/format.hpp"
#include "persistence/log_failure.hpp"
#include "persistence/manifest.hpp"

namespace mqlite {

/// A good record where it stands in its file.
struct record_view {
  std::uint64_t offset = 0;  ///< of the record's header
  std::string_view body;
};

/// A half-written record at the end of a file: bytes that nobody was promised.
struct torn_tail {
  std::uint64_t offset = 0;  ///< where the good records end
  std::uint64_t bytes = 0;   ///< how much stands behind it, zeros at the end not counted
  bool power_cut = false;    ///< there are good records behind it: a power cut lost sectors before ones that it kept
};

/// Reads the records of one log file in order, in large reads.
///
/// A bad record (wrong checksum, impossible length) at a place that is not sealed is a torn tail when no good record follows it
/// anywhere in the file, or when a power cut explains it (persistence/format.hpp, sync marks); otherwise it is damage. Sync marks are
/// not given out as records.
class log_reader {
 public:
  /// Opens a file and checks its header. `known` is what the manifest says about it.
  static log_result<log_reader> open(file_system& files, std::filesystem::path path, const manifest_entry& known);

  /// For a file whose header is damaged: finds the salt from what the header has left, or from the records themselves. Fails where
  /// there is no telling.
  static log_result<log_reader> open_without_header(file_system& files, std::filesystem::path path,
                                                    const manifest_entry& known);

  /// The next good records, some MiB of them at once; none at the end. The bytes are valid until the next call.
  log_result<std::span<const record_view>> next();

  /// Where the good records that next() has returned end.
  std::uint64_t position() const { return position_; }

  /// Goes on at `offset`: for those who read on behind damage.
  void seek(std::uint64_t offset);

  /// Set once next() has come to a torn tail.
  const std::optional<torn_tail>& torn() const { return torn_; }

  /// The offset of the first good record at or after `from`; nothing when there is none. Looks at every byte.
  log_result<std::optional<std::uint64_t>> find_record(std::uint64_t from);

  std::uint32_t salt() const { return salt_; }

  /// Format version of the file.
  std::uint32_t version() const { return version_; }

  /// How many bytes of the file are known to have been on the disk: what the sync marks read so far say.
  std::uint64_t synced() const { return synced_; }

  /// How much of the file can hold records: its length, or the length that the manifest says counts.
  std::uint64_t limit() const { return limit_; }

 private:
  log_reader(std::unique_ptr<readable_file> opened, std::filesystem::path path, const manifest_entry& known);

  static log_result<log_reader> open_unread(file_system& files, std::filesystem::path path,
                                            const manifest_entry& known);

  std::optional<log_failure> read_header();
  std::optional<log_failure> check_header(std::string_view header);
  log_result<bool> find_salt();
  std::optional<log_failure> fill(std::size_t least);
  const char* collect(std::size_t& wanted);
  std::optional<log_failure> finish(const char* reason);
  void take(std::string_view body);
  log_result<std::uint64_t> end_of_data(std::uint64_t from);
  log_result<bool> is_power_cut(std::uint64_t next_good);
  log_result<bool> lacks_sector(std::uint64_t from, std::uint64_t to);
  log_result<std::uint64_t> last_mark(std::uint64_t from);
  std::string name() const { return path_.string(); }

  std::unique_ptr<readable_file> file_;
  std::filesystem::path path_;
  file_state state_;
  std::uint64_t limit_;
  std::uint32_t salt_ = 0;
  std::uint32_t version_ = format::version;
  std::uint64_t synced_ = 0;
  std::unique_ptr<char[]> buffer_;
  std::size_t capacity_ = 0;
  std::uint64_t buffer_offset_ = 0;  // of the buffer's first byte in the file
  std::size_t filled_ = 0;
  std::uint64_t position_ = 0;
  std::vector<record_view> records_;
  std::optional<torn_tail> torn_;
};

}  // namespace mqlite
