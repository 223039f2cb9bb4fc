#include "persistence/folder_content.hpp"

#include <algorithm>

#include "persistence/format.hpp"

namespace mqlite {

namespace {

bool is_listed(const manifest& files, const std::string& name) {
  auto entries = entries_of(files);
  return std::any_of(entries.begin(), entries.end(), [&](const auto& entry) { return entry.name == name; });
}

/// Tells the log's files from left-over and foreign ones.
void sort_out(const std::vector<std::string>& names, folder_content& into) {
  for (const auto& name : names) {
    auto number = log_file_number(name);
    if (number) into.next_number = std::max(into.next_number, *number + 1);
    if (name == format::manifest_name || name == format::lock_name || is_listed(into.files, name)) continue;
    auto& list = number || name == format::manifest_draft_name ? into.left_over : into.foreign;
    list.push_back(name);
  }
}

std::optional<log_failure> read_manifest(file_system& files, const std::filesystem::path& path, folder_content& into) {
  auto text = read_whole_file(files, path);
  if (!text) return io_failure(path.string(), "read", text.error());
  auto parsed = manifest::parse(*text, path.string());
  if (parsed)
    into.files = std::move(*parsed);
  else
    into.bad_manifest = std::move(parsed.error());
  return std::nullopt;
}

/// Without a manifest there may be the files of a first start that did not come as far as its manifest, but no records.
std::optional<log_failure> check_no_records(file_system& files, const std::filesystem::path& folder,
                                            folder_content& into) {
  for (const auto& name : into.left_over) {
    auto opened = files.open_for_reading(folder / name);
    auto size = opened ? (*opened)->size() : io_result<std::uint64_t>{unexpected{opened.error()}};
    if (!size) return io_failure((folder / name).string(), "open", size.error());
    if (*size <= format::file_header_size || name == format::manifest_draft_name) continue;
    auto reason = "the manifest is missing, but there are log files such as " + name;
    into.bad_manifest = log_failure{failure_kind::no_manifest, folder.string(), 0, reason, {}};
    break;
  }
  return std::nullopt;
}

}  // namespace

std::vector<manifest_entry> entries_of(const manifest& files) {
  auto entries = files.incrs;
  if (files.base) entries.insert(entries.begin(), *files.base);
  return entries;
}

log_result<folder_content> look_into(file_system& files, const std::filesystem::path& folder) {
  folder_content out;
  auto names = files.list(folder);
  if (!names && names.error() == std::errc::no_such_file_or_directory) return out;
  if (!names) return unexpected{io_failure(folder.string(), "list", names.error())};
  out.exists = true;
  out.has_manifest = std::find(names->begin(), names->end(), format::manifest_name) != names->end();
  std::optional<log_failure> failed;
  if (out.has_manifest) failed = read_manifest(files, folder / format::manifest_name, out);
  sort_out(*names, out);
  if (!out.has_manifest) failed = check_no_records(files, folder, out);
  if (failed) return unexpected{std::move(*failed)};
  return out;
}

}  // namespace mqlite
