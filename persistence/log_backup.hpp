#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <optional>

#include "persistence/file_system.hpp"
#include "persistence/log_failure.hpp"
#include "persistence/manifest.hpp"

namespace mqlite {

/// Which files make a consistent copy of a log, and how much of them counts. From log_writer::plan_backup(). Nobody writes to them
/// any more, but a rewrite would delete them: none may be committed before the copy is complete.
struct backup_plan {
  file_system* files = nullptr;
  std::filesystem::path folder;
  manifest content;
};

/// Makes the folder of a backup. It may exist if it is empty; the one above it must exist. Blocks.
std::optional<log_failure> prepare_backup(file_system& files, const std::filesystem::path& target);

/// Copies a log into an empty folder and brings the copy to the disk: hard links where the file system has them, else bytes. The
/// manifest comes last, so that a copy that was cut short is no log. Once `cancelled` is set it soon fails. Gives the copy's bytes;
/// after a failure the folder is empty again, as far as that is possible. Blocks.
log_result<std::uint64_t> copy_log(const backup_plan& plan, const std::filesystem::path& target,
                                   const std::atomic<bool>& cancelled);

}  // namespace mqlite
