#pragma once

#include <cstdint>
#include <string>
#include <system_error>

#include "persistence/expected.hpp"

namespace mqlite {

/// Why a log could not be opened, read or changed.
enum class failure_kind {
  io,            ///< the system refused: see `code`
  locked,        ///< another process owns the folder
  damaged,       ///< bytes that were once good are not: see `file` and `offset`
  newer_format,  ///< written by a newer version of this program
  bad_manifest,  ///< the manifest is empty or cannot be understood
  missing_file,  ///< the manifest names a file that is not there
  no_manifest,   ///< there are log files with records but no manifest
};

/// A failure with everything an operator needs in one line of text.
struct log_failure {
  failure_kind kind = failure_kind::io;
  std::string file;          ///< path of the file or folder
  std::uint64_t offset = 0;  ///< byte offset in `file`, for `damaged`
  std::string reason;
  std::error_code code;  ///< set for `io`

  /// One line, without a line end, that names the file (and the offset where there is one).
  std::string text() const;
};

/// `code` happened while doing `doing` (for example "write") to `file`.
log_failure io_failure(std::string file, const std::string& doing, std::error_code code);

/// `file` is not what was once written, from `offset` on.
log_failure damage(std::string file, std::uint64_t offset, std::string reason);

template <class Value>
using log_result = expected<Value, log_failure>;

}  // namespace mqlite
