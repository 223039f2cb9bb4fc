#include "persistence/file_system.hpp"

namespace mqlite {

io_result<std::string> read_whole_file(file_system& files, const std::filesystem::path& path) {
  auto opened = files.open_for_reading(path);
  if (!opened) return unexpected{opened.error()};
  auto size = (*opened)->size();
  if (!size) return unexpected{size.error()};
  std::string content(*size, '\0');
  auto got = (*opened)->read_at(0, content);
  if (got.error) return unexpected{got.error};
  content.resize(got.bytes);
  return content;
}

}  // namespace mqlite
