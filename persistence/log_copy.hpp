#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "persistence/base_writer.hpp"
#include "persistence/file_system.hpp"
#include "persistence/log_failure.hpp"
#include "persistence/manifest.hpp"

namespace mqlite {

/// Writes a log into a folder of its own, file by file: what a repair leaves. All calls do blocking I/O. Until finish() succeeded, the
/// folder holds no log; files without records do not appear in it.
class log_copy {
 public:
  log_copy(file_system& files, std::filesystem::path folder) : files_(&files), folder_(std::move(folder)) {}

  /// Adds a record to the copy of the file `name`, behind what was added before. Files come one after another, in the log's order.
  std::optional<log_failure> append(const std::string& name, std::string_view body);

  /// Completes the copy and brings it to the disk.
  std::optional<log_failure> finish();

  /// Bytes of the files completed so far.
  std::uint64_t bytes() const { return bytes_; }

 private:
  std::optional<log_failure> begin(const std::string& name);
  std::optional<log_failure> end_file();

  file_system* files_;
  std::filesystem::path folder_;
  std::string current_;
  std::optional<base_writer> writer_;
  manifest written_;
  std::uint64_t bytes_ = 0;
};

}  // namespace mqlite
