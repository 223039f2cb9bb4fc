#include "persistence/folder_lock.hpp"

#include <unistd.h>

#include "persistence/format.hpp"

namespace mqlite {

namespace {

log_failure locked(file_system& files, const std::filesystem::path& folder) {
  auto holder = read_whole_file(files, folder / format::lock_name);
  auto pid = holder ? holder->substr(0, holder->find('\n')) : std::string{};
  auto reason = pid.empty() ? std::string{"in use by another process"} : "in use by the process with pid " + pid;
  return {failure_kind::locked, folder.string(), 0, reason, {}};
}

}  // namespace

log_result<folder_lock> folder_lock::take(file_system& files, std::filesystem::path folder) {
  if (auto error = files.create_folders(folder)) return unexpected{io_failure(folder.string(), "create", error)};
  auto path = folder / format::lock_name;
  auto taken = files.lock(path, std::to_string(::getpid()) + "\n");
  if (taken) return folder_lock{std::move(folder), std::move(*taken)};
  if (taken.error() == std::errc::resource_unavailable_try_again) return unexpected{locked(files, folder)};
  return unexpected{io_failure(path.string(), "lock", taken.error())};
}

}  // namespace mqlite
