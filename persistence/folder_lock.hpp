#pragma once

#include <filesystem>
#include <memory>

#include "persistence/file_system.hpp"
#include "persistence/log_failure.hpp"

namespace mqlite {

/// A log folder that belongs to this process until this is destroyed. Take it before recover(), give it to the log_writer.
class folder_lock {
 public:
  /// Makes the folder where it is missing and locks it. Fails with failure_kind::locked, naming the other's pid, when another
  /// process (or another lock in this one) has it.
  static log_result<folder_lock> take(file_system& files, std::filesystem::path folder);

  const std::filesystem::path& folder() const { return folder_; }

 private:
  folder_lock(std::filesystem::path folder, std::unique_ptr<file_lock> lock)
      : folder_(std::move(folder)), lock_(std::move(lock)) {}

  std::filesystem::path folder_;
  std::unique_ptr<file_lock> lock_;
};

}  // namespace mqlite
