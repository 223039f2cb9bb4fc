#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "persistence/file_system.hpp"
#include "persistence/log_failure.hpp"
#include "persistence/manifest.hpp"

namespace mqlite {

/// What stands in a log's folder, by name.
struct folder_content {
  bool exists = false;
  bool has_manifest = false;
  manifest files;                           ///< what the manifest lists; empty without one
  std::optional<log_failure> bad_manifest;  ///< it cannot be read, or is missing though there are records
  std::uint64_t next_number = 1;            ///< for the next log file's name
  std::vector<std::string> left_over;       ///< log files and drafts that the manifest does not list
  std::vector<std::string> foreign;         ///< names of what is none of the log's
};

/// Looks what there is. Fails only where the folder, the manifest or an unlisted file cannot be read at all.
log_result<folder_content> look_into(file_system& files, const std::filesystem::path& folder);

/// The entries of a manifest in the order of the log.
std::vector<manifest_entry> entries_of(const manifest& files);

}  // namespace mqlite
