#pragma once

#include "persistence/file_system.hpp"

namespace mqlite {

/// The operating system's files. Interrupted calls are repeated and short ones continued. Has no state: may be used from any thread.
class posix_file_system final : public file_system {
 public:
  io_result<std::shared_ptr<file>> create(const std::filesystem::path& path) override;
  io_result<std::shared_ptr<file>> open_for_writing(const std::filesystem::path& path) override;
  io_result<std::unique_ptr<readable_file>> open_for_reading(const std::filesystem::path& path) override;
  std::error_code rename(const std::filesystem::path& from, const std::filesystem::path& to) override;
  std::error_code remove(const std::filesystem::path& path) override;
  std::error_code link(const std::filesystem::path& existing, const std::filesystem::path& name) override;
  io_result<std::vector<std::string>> list(const std::filesystem::path& folder) override;
  std::error_code create_folders(const std::filesystem::path& folder) override;
  std::error_code sync_folder(const std::filesystem::path& folder) override;
  io_result<std::unique_ptr<file_lock>> lock(const std::filesystem::path& path, std::string_view content) override;
};

}  // namespace mqlite
