#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "persistence/file_system.hpp"
#include "persistence/log_failure.hpp"
#include "persistence/log_reader.hpp"
#include "persistence/manifest.hpp"
#include "persistence/record_visitor.hpp"

namespace mqlite {

/// What recovery found in one file.
struct recovered_file {
  std::string name;
  std::uint64_t length = 0;  ///< bytes up to the end of the last good record, the file's header included
  std::uint32_t salt = 0;
  std::uint64_t records = 0;
  std::optional<torn_tail> torn;  ///< cut off by the log_writer where it goes on in this file
  std::uint64_t synced = 0;       ///< bytes that the file's sync marks vouch for
};

/// What recovery found in a folder: for the operator, and for log_writer::open().
struct recovered {
  manifest files;                     ///< as it stands in the folder; empty in a folder without a log
  std::vector<recovered_file> found;  ///< in the order they were read: the base, then the incrs
  std::uint64_t next_number = 1;      ///< for the next log file's name
  std::vector<std::string>
      left_over;  ///< log files and drafts that are not part of the log; log_writer::open() removes them
  std::vector<std::string> foreign;  ///< names of what is none of ours: left alone

  std::uint64_t records = 0;
  std::uint64_t messages = 0;           ///< in Published events
  std::uint64_t unknown_records = 0;    ///< skipped: of kinds that only newer versions know
  std::uint64_t bytes = 0;              ///< of all good records, file headers included
  std::chrono::nanoseconds reading{};   ///< time spent on reads and checksums
  std::chrono::nanoseconds decoding{};  ///< time spent on decoding and in the visitor
};

/// How far recovery has come.
struct recovery_progress {
  const std::string& file;     ///< name of the file being read
  std::uint64_t bytes = 0;     ///< read so far, of all files
  std::uint64_t total = 0;     ///< length of all files
  std::uint64_t messages = 0;  ///< visited so far
};

/// Reads the folder's log in order and hands every event to the visitor. Changes nothing in the folder. `progress` (may be empty)
/// is called about once per 64 MiB. After a failure the visitor has seen what came before the bad place.
log_result<recovered> recover(file_system& files, const std::filesystem::path& folder, record_visitor& visitor,
                              const std::function<void(const recovery_progress&)>& progress = {});

}  // namespace mqlite
