#include "persistence/log_failure.hpp"

namespace mqlite {

namespace {

constexpr auto repair_hint = "; run mqlite_check --repair";

}  // namespace

std::string log_failure::text() const {
  switch (kind) {
    case failure_kind::damaged:
      return file + " is damaged at offset " + std::to_string(offset) + ": " + reason + repair_hint;
    case failure_kind::bad_manifest:
    case failure_kind::missing_file:
    case failure_kind::no_manifest:
      return file + ": " + reason + repair_hint;
    case failure_kind::io:
    case failure_kind::locked:
    case failure_kind::newer_format:
      break;
  }
  return file + ": " + reason;
}

log_failure io_failure(std::string file, const std::string& doing, std::error_code code) {
  return {failure_kind::io, std::move(file), 0, doing + ": " + code.message(), code};
}

log_failure damage(std::string file, std::uint64_t offset, std::string reason) {
  return {failure_kind::damaged, std::move(file), offset, std::move(reason), {}};
}

}  // namespace mqlite
