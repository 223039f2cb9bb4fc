#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "persistence/file_system.hpp"
#include "persistence/log_failure.hpp"

namespace mqlite {

/// Where a rewrite's new base goes, and which incr is the first that it does not contain. From log_writer::plan_base().
struct base_plan {
  file_system* files = nullptr;
  std::filesystem::path folder;
  std::string name;
  std::string first_incr;
};

/// A base that is complete and on the disk; log_writer::plan_commit() puts it in force.
struct finished_base {
  std::string name;
  std::uint64_t length = 0;
  std::string first_incr;
};

/// Writes a new base file beside the log in force. All calls do blocking I/O: for a thread that may wait. Destroyed before
/// finish() succeeded, it removes the file.
class base_writer {
 public:
  static log_result<base_writer> create(base_plan plan);

  base_writer(base_writer&&) = default;
  base_writer& operator=(base_writer&&) = delete;
  ~base_writer();

  /// Adds a framed record. After a failure the base is good for nothing: destroy it.
  std::optional<log_failure> append(std::string framed);

  /// Completes the file and brings it to the disk.
  log_result<finished_base> finish();

  /// Bytes added so far, the file's header included.
  std::uint64_t bytes() const { return length_ + pending_bytes_; }

 private:
  base_writer(base_plan plan, std::shared_ptr<file> created, std::uint32_t salt);

  std::optional<log_failure> write_pending();
  log_failure failed_to(const char* doing, std::error_code code) const;

  base_plan plan_;
  std::shared_ptr<file> file_;
  std::uint32_t salt_;
  std::uint64_t length_ = 0;
  std::uint64_t synced_ = 0;
  std::vector<std::string> pending_;
  std::uint64_t pending_bytes_ = 0;
};

}  // namespace mqlite
