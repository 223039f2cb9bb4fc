#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "persistence/file_system.hpp"
#include "persistence/folder_content.hpp"
#include "persistence/log_failure.hpp"
#include "persistence/log_reader.hpp"

namespace mqlite {

/// Bytes of a log file that should hold records but hold none that can be read.
struct log_gap {
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;  ///< may be 0 where a whole file is missing
  std::string reason;
};

/// One file of the log as a survey found it.
struct surveyed_file {
  manifest_entry entry;              ///< as the manifest lists it
  std::uint32_t version = 0;         ///< of its format; 0 when it could not be opened
  std::uint64_t size = 0;            ///< bytes on the disk, what was preallocated included
  std::uint64_t length = 0;          ///< bytes up to the end of the last good record
  std::uint64_t records = 0;         ///< good ones
  std::uint64_t missing_before = 0;  ///< gaps and torn tails in the files before it
  std::vector<log_gap> gaps;         ///< damage, from front to back
  std::optional<torn_tail> torn;
};

/// What a survey found in a folder.
struct log_survey {
  folder_content content;
  bool manifest_rebuilt =
      false;  ///< the manifest could not be used: `found` is in the order that the files' names tell
  std::vector<surveyed_file> found;

  /// Nothing that was once stored is missing, as far as can be told. Torn tails are sound.
  bool sound() const;
};

/// What is told of the records on the way.
class survey_visitor {
 public:
  virtual ~survey_visitor() = default;

  /// A good record; false when its body cannot be understood: it counts as damage then. `file` is as far as it has been read.
  virtual bool on_record(const surveyed_file& file, const record_view& record) = 0;
};

/// Reads all that can be read of a folder's log, whatever is damaged: behind damage it goes on with the next good record. Changes
/// nothing. Fails where the folder cannot be listed or where a file was written by a newer program.
log_result<log_survey> survey_log(file_system& files, const std::filesystem::path& folder, survey_visitor& visitor);

}  // namespace mqlite
