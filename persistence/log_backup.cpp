#include "persistence/log_backup.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "persistence/format.hpp"

namespace mqlite {

namespace {

constexpr std::uint64_t part_size = 1u << 20;

class copying {
 public:
  copying(const backup_plan& plan, const std::filesystem::path& target, const std::atomic<bool>& cancelled)
      : plan_(plan), files_(*plan.files), target_(target), cancelled_(cancelled) {}

  log_result<std::uint64_t> run() {
    auto entries = plan_.content.incrs;
    if (plan_.content.base) entries.insert(entries.begin(), *plan_.content.base);
    std::uint64_t bytes = 0;
    for (const auto& entry : entries) {
      if (auto failed = copy(entry)) return give_up(std::move(*failed));
      bytes += entry.length;
    }
    auto written = write_manifest(files_, target_, plan_.content);
    made_.emplace_back(format::manifest_name);
    made_.emplace_back(format::manifest_draft_name);
    if (written.failed) return give_up(std::move(*written.failed));
    auto above = target_.parent_path();
    if (auto error = files_.sync_folder(above)) return give_up(io_failure(above.string(), "fsync", error));
    return bytes;
  }

 private:
  unexpected<log_failure> give_up(log_failure reason) {
    for (const auto& name : made_) files_.remove(target_ / name);
    return unexpected{std::move(reason)};
  }

  /// What is linked or copied is on the disk first: the copy's manifest vouches for it.
  std::optional<log_failure> copy(const manifest_entry& entry) {
    auto source = plan_.folder / entry.name;
    auto opened = files_.open_for_writing(source);
    if (!opened) return io_failure(source.string(), "open", opened.error());
    if (auto error = (*opened)->sync()) return io_failure(source.string(), "fsync", error);
    made_.push_back(entry.name);
    if (!files_.link(source, target_ / entry.name)) return std::nullopt;
    return copy_bytes(source, target_ / entry.name, entry.length);
  }

  std::optional<log_failure> copy_bytes(const std::filesystem::path& source, const std::filesystem::path& copy,
                                        std::uint64_t length) {
    auto from = files_.open_for_reading(source);
    if (!from) return io_failure(source.string(), "open", from.error());
    auto to = files_.create(copy);
    if (!to) return io_failure(copy.string(), "create", to.error());
    std::vector<char> buffer(std::min(length, part_size));
    for (std::uint64_t done = 0; done < length;) {
      if (cancelled_) return io_failure(copy.string(), "write", std::make_error_code(std::errc::operation_canceled));
      auto part = std::span{buffer}.first(std::min<std::uint64_t>(buffer.size(), length - done));
      auto read = (*from)->read_at(done, part);
      if (read.error) return io_failure(source.string(), "read", read.error);
      if (read.bytes != part.size()) return damage(source.string(), done + read.bytes, "the file is too short");
      std::string_view bytes{part.data(), part.size()};
      auto written = (*to)->write_at(done, {&bytes, 1});
      if (written.error) return io_failure(copy.string(), "write", written.error);
      done += part.size();
    }
    if (auto error = (*to)->sync()) return io_failure(copy.string(), "fsync", error);
    return std::nullopt;
  }

  const backup_plan& plan_;
  file_system& files_;
  const std::filesystem::path& target_;
  const std::atomic<bool>& cancelled_;
  std::vector<std::string> made_;
};

}  // namespace

std::optional<log_failure> prepare_backup(file_system& files, const std::filesystem::path& target) {
  auto refused = [&](std::errc code, std::string reason) {
    return log_failure{failure_kind::io, target.string(), 0, std::move(reason), std::make_error_code(code)};
  };
  auto there = files.list(target);
  if (there && !there->empty()) return refused(std::errc::file_exists, "the folder is not empty");
  if (there) return std::nullopt;
  if (there.error() == std::errc::not_a_directory)
    return refused(std::errc::file_exists, "there is a file of that name");
  if (there.error() != std::errc::no_such_file_or_directory) return io_failure(target.string(), "open", there.error());
  auto above = files.list(target.parent_path());
  if (!above) return io_failure(target.parent_path().string(), "open", above.error());
  if (auto error = files.create_folders(target)) return io_failure(target.string(), "create", error);
  return std::nullopt;
}

log_result<std::uint64_t> copy_log(const backup_plan& plan, const std::filesystem::path& target,
                                   const std::atomic<bool>& cancelled) {
  return copying{plan, target, cancelled}.run();
}

}  // namespace mqlite
