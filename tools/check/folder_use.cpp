#include "tools/check/folder_use.hpp"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cstdio>
#include <fstream>
#include <string>

#include "persistence/format.hpp"

namespace mqlite::check {

std::optional<int> user_of(const std::filesystem::path& folder) {
  struct stat status {};
  if (::stat((folder / format::lock_name).c_str(), &status) != 0) return std::nullopt;
  std::ifstream locks{"/proc/locks"};
  for (std::string line; std::getline(locks, line);) {
    int pid = 0;
    unsigned device_major = 0, device_minor = 0;
    unsigned long inode = 0;
    if (std::sscanf(line.c_str(), "%*d: FLOCK %*s WRITE %d %x:%x:%lu", &pid, &device_major, &device_minor, &inode) != 4)
      continue;
    if (inode == status.st_ino && device_major == major(status.st_dev) && device_minor == minor(status.st_dev))
      return pid;
  }
  return std::nullopt;
}

}  // namespace mqlite::check
