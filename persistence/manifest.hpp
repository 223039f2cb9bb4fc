#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "persistence/file_system.hpp"
#include "persistence/log_failure.hpp"

namespace mqlite {

/// What is known about where a log file ends.
enum class file_state {
  open,    ///< was being appended to: ends behind its last good record
  cut,     ///< nothing behind `length` counts, and the end may be missing: it was never known to be on the disk
  sealed,  ///< exactly `length` bytes count, all of them were on the disk: anything less is damage
};

/// A file of the log as the manifest lists it.
struct manifest_entry {
  std::string name;
  file_state state = file_state::open;
  std::uint64_t length = 0;  ///< bytes, the file's header included; not for `open`

  bool operator==(const manifest_entry&) const = default;
};

/// Which files are the log: the base, then the incrs in order. As text:
///
///   mqlite manifest 2
///   base base-0000000003.log sealed 73400320
///   incr incr-0000000004.log cut 1048576
///   incr incr-0000000005.log open
///   crc32c 1a2b3c4d                          of all lines above
struct manifest {
  std::optional<manifest_entry> base;
  std::vector<manifest_entry> incrs;

  bool operator==(const manifest&) const = default;

  /// The file's text.
  std::string text() const;

  /// Reads a file's text; `path` is for the failure's text.
  static log_result<manifest> parse(std::string_view text, const std::string& path);
};

/// How write_manifest() went.
struct manifest_written {
  std::optional<log_failure> failed;
  bool in_force = false;  ///< the new manifest has taken the old one's place, though perhaps not on the disk yet
};

/// Replaces the folder's manifest atomically: writes a draft, syncs it, renames it, syncs the folder. Until the rename, the old
/// manifest is in force.
manifest_written write_manifest(file_system& files, const std::filesystem::path& folder, const manifest& content);

/// Names of log files: `base-0000000003.log`, `incr-0000000004.log`. Numbers are never used again.
std::string base_name(std::uint64_t number);
std::string incr_name(std::uint64_t number);

/// The number in the name of a log file; nothing when the name is no such name.
std::optional<std::uint64_t> log_file_number(std::string_view name);

}  // namespace mqlite
