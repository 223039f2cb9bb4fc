#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "persistence/expected.hpp"

namespace mqlite {

template <class Value>
using io_result = expected<Value, std::error_code>;

/// How far a read or a write came: `error` is set when it ended before all was done.
struct transferred {
  std::uint64_t bytes = 0;
  std::error_code error;
};

/// A file opened for writing. Closed when destroyed.
///
/// Concurrency: sync() and, behind it, release_cache() may run on another thread beside any other call. The other calls are for one
/// thread at a time.
class file {
 public:
  virtual ~file() = default;

  /// Writes the parts one behind the other from `offset` on, as one system call where it takes them all.
  virtual transferred write_at(std::uint64_t offset, std::span<const std::string_view> parts) = 0;

  /// What was written is on the disk when this succeeds (fdatasync). Once it has failed, what was written since the last success
  /// may be lost even if a later call succeeds.
  virtual std::error_code sync() = 0;

  /// What stands before `end` is on the disk and is not going to be read soon: the memory that the system keeps it in may go.
  virtual void release_cache(std::uint64_t /*end*/) {}

  /// Reserves space for `length` bytes of zeros from `offset` on, and makes the file at least that long.
  virtual std::error_code preallocate(std::uint64_t offset, std::uint64_t length) = 0;

  /// Makes the file `length` bytes long.
  virtual std::error_code truncate(std::uint64_t length) = 0;

  /// Length of the file in bytes.
  virtual io_result<std::uint64_t> size() = 0;
};

/// A file opened for reading. Closed when destroyed.
class readable_file {
 public:
  virtual ~readable_file() = default;

  /// Length of the file in bytes.
  virtual io_result<std::uint64_t> size() = 0;

  /// Reads until `into` is full or the file ends.
  virtual transferred read_at(std::uint64_t offset, std::span<char> into) = 0;
};

/// An exclusive lock, held until destroyed or until the process ends, however it ends.
class file_lock {
 public:
  virtual ~file_lock() = default;
};

/// Everything the log asks of an operating system: the seam through which tests bring in faults.
class file_system {
 public:
  virtual ~file_system() = default;

  /// Makes a new file for writing; fails with std::errc::file_exists when there is one.
  virtual io_result<std::shared_ptr<file>> create(const std::filesystem::path& path) = 0;

  /// Opens an existing file for writing.
  virtual io_result<std::shared_ptr<file>> open_for_writing(const std::filesystem::path& path) = 0;

  /// Opens an existing file for reading.
  virtual io_result<std::unique_ptr<readable_file>> open_for_reading(const std::filesystem::path& path) = 0;

  /// Gives a file another name in the same folder, atomically; a file that had that name is gone.
  virtual std::error_code rename(const std::filesystem::path& from, const std::filesystem::path& to) = 0;

  virtual std::error_code remove(const std::filesystem::path& path) = 0;

  /// Gives a file a second name, perhaps in another folder of the same disk. Not every file system can.
  virtual std::error_code link(const std::filesystem::path& /*existing*/, const std::filesystem::path& /*name*/) {
    return std::make_error_code(std::errc::operation_not_supported);
  }

  /// Names (without the folder) of all entries of a folder, sorted.
  virtual io_result<std::vector<std::string>> list(const std::filesystem::path& folder) = 0;

  /// Makes a folder and those above it; succeeds when it exists.
  virtual std::error_code create_folders(const std::filesystem::path& folder) = 0;

  /// Creations, renames and removals in the folder are on the disk when this succeeds.
  virtual std::error_code sync_folder(const std::filesystem::path& folder) = 0;

  /// Locks a file, made where it is missing, and makes `content` what it holds. Fails with
  /// std::errc::resource_unavailable_try_again when somebody else has the lock.
  virtual io_result<std::unique_ptr<file_lock>> lock(const std::filesystem::path& path, std::string_view content) = 0;
};

/// The whole content of a small file.
io_result<std::string> read_whole_file(file_system& files, const std::filesystem::path& path);

}  // namespace mqlite
