#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "persistence/file_system.hpp"
#include "persistence/log_failure.hpp"
#include "persistence/manifest.hpp"

namespace mqlite {

/// A planned change of which files are the log: a new incr to append to, or a new base in place of what it replaces.
///
/// log_writer plans it (cheap), run() does it (reads, writes and fsyncs: on whatever thread may block), and log_writer::adopt()
/// takes the result over (cheap). Appends go on meanwhile. Nothing the log needs is deleted before the new manifest is in force, so
/// a crash at any point leaves either the old log or the new one.
class log_change {
 public:
  /// Does it; nothing when it succeeded. After a failure the log is as it was.
  std::optional<log_failure> run();

  bool succeeded() const { return succeeded_; }

  /// Files that were to be deleted but could not be; the next log_writer::open() tries again.
  const std::vector<std::string>& not_removed() const { return not_removed_; }

 private:
  friend class log_writer;

  log_change(file_system& files, std::filesystem::path folder) : files_(&files), folder_(std::move(folder)) {}

  void seal(manifest_entry& entry);
  std::optional<log_failure> create_file();
  std::optional<log_failure> fail(log_failure reason, bool in_force);

  file_system* files_;
  std::filesystem::path folder_;
  manifest next_;                        // becomes the manifest; entries in to_seal_ are still `open`
  std::vector<manifest_entry> to_seal_;  // name and final length of files to bring to the disk first
  std::string create_;                   // name of the new incr; empty for none
  std::uint32_t salt_ = 0;
  std::vector<std::string> added_;   // names of files that go again when the change fails
  std::vector<std::string> remove_;  // names of files that go when it succeeds
  bool ends_current_ = false;        // planned while the writer was failed: the current file's end is in the manifest

  std::shared_ptr<file> created_;
  bool succeeded_ = false;
  std::vector<std::string> not_removed_;
};

}  // namespace mqlite
