#pragma once

#include <algorithm>
#include <cstring>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "persistence/file_system.hpp"

namespace mqlite::test {

/// What goes wrong, and when. Set at any time; the default is that nothing does.
struct faults {
  static constexpr std::uint64_t never = std::numeric_limits<std::uint64_t>::max();

  std::uint64_t longest_file = never;    ///< a write beyond it is cut there and fails with write_error
  std::uint64_t writable_bytes = never;  ///< a write that goes beyond is cut there and fails with write_error
  std::error_code write_error = std::make_error_code(std::errc::no_space_on_device);
  std::error_code read_error{};
  std::error_code sync_error{};
  std::error_code truncate_error{};
  std::error_code preallocate_error{};
  std::error_code create_error{};
  std::error_code rename_error{};
  std::error_code remove_error{};
  std::error_code sync_folder_error{};
  /// Runs before each sync of a file, with the name it was opened by; may wait.
  std::function<void(const std::string& name)> before_sync{};
  std::uint64_t steps =
      never;  ///< after so many changes of any kind, every further one fails with EIO and does nothing
};

/// A file system in memory that fails on demand and knows what a power loss leaves: of files what was synced, of folders the
/// names that sync_folder() has seen. May be used from several threads.
class faulty_file_system final : public file_system {
  struct node {
    std::string content;
    std::string durable;
  };
  using node_ptr = std::shared_ptr<node>;
  using names = std::map<std::string, node_ptr>;

  /// Everything the handles share with the file system.
  struct disk {
    std::mutex mutex;
    faults plan;
    std::uint64_t steps = 0;
    std::map<std::string, names> folders;
    std::map<std::string, names> durable_folders;
    std::set<std::string> locked;
    std::size_t releases = 0;
    bool released_unsynced = false;

    /// Counts a change; the error that is planned for it.
    std::error_code step(std::error_code planned = {}) {
      if (steps++ >= plan.steps) return std::make_error_code(std::errc::io_error);
      return planned;
    }
  };
  using disk_ptr = std::shared_ptr<disk>;

  class writable final : public file {
   public:
    writable(disk_ptr owner, node_ptr target, std::string name)
        : disk_(std::move(owner)), node_(std::move(target)), name_(std::move(name)) {}

    transferred write_at(std::uint64_t offset, std::span<const std::string_view> parts) override {
      std::lock_guard guard{disk_->mutex};
      transferred done;
      if ((done.error = disk_->step())) return done;
      for (auto part : parts) {
        const auto at = offset + done.bytes;
        auto count = std::min<std::uint64_t>(part.size(), disk_->plan.writable_bytes);
        count = std::min(count, disk_->plan.longest_file - std::min(disk_->plan.longest_file, at));
        if (disk_->plan.writable_bytes != faults::never) disk_->plan.writable_bytes -= count;
        if (node_->content.size() < offset + done.bytes + count) node_->content.resize(offset + done.bytes + count);
        node_->content.replace(offset + done.bytes, count, part.substr(0, count));
        done.bytes += count;
        if (count == part.size()) continue;
        done.error = disk_->plan.write_error;
        break;
      }
      return done;
    }

    std::error_code sync() override {
      std::unique_lock guard{disk_->mutex};
      if (const auto before = disk_->plan.before_sync) {
        guard.unlock();
        before(name_);
        guard.lock();
      }
      if (auto error = disk_->step(disk_->plan.sync_error)) return error;
      node_->durable = node_->content;
      return {};
    }

    void release_cache(std::uint64_t end) override {
      std::lock_guard guard{disk_->mutex};
      ++disk_->releases;
      disk_->released_unsynced = disk_->released_unsynced || end > node_->durable.size();
    }

    std::error_code preallocate(std::uint64_t offset, std::uint64_t length) override {
      std::lock_guard guard{disk_->mutex};
      if (auto error = disk_->step(disk_->plan.preallocate_error)) return error;
      if (node_->content.size() < offset + length) node_->content.resize(offset + length);
      return {};
    }

    std::error_code truncate(std::uint64_t length) override {
      std::lock_guard guard{disk_->mutex};
      if (auto error = disk_->step(disk_->plan.truncate_error)) return error;
      node_->content.resize(length);
      return {};
    }

    io_result<std::uint64_t> size() override {
      std::lock_guard guard{disk_->mutex};
      return node_->content.size();
    }

   private:
    disk_ptr disk_;
    node_ptr node_;
    std::string name_;
  };

  class readable final : public readable_file {
   public:
    readable(disk_ptr owner, node_ptr target) : disk_(std::move(owner)), node_(std::move(target)) {}

    io_result<std::uint64_t> size() override {
      std::lock_guard guard{disk_->mutex};
      return node_->content.size();
    }

    transferred read_at(std::uint64_t offset, std::span<char> into) override {
      std::lock_guard guard{disk_->mutex};
      if (disk_->plan.read_error) return {0, disk_->plan.read_error};
      if (offset >= node_->content.size()) return {};
      auto count = std::min<std::uint64_t>(into.size(), node_->content.size() - offset);
      std::memcpy(into.data(), node_->content.data() + offset, count);
      return {count, {}};
    }

   private:
    disk_ptr disk_;
    node_ptr node_;
  };

  class held_lock final : public file_lock {
   public:
    held_lock(disk_ptr owner, std::string path) : disk_(std::move(owner)), path_(std::move(path)) {}
    ~held_lock() override {
      std::lock_guard guard{disk_->mutex};
      disk_->locked.erase(path_);
    }

   private:
    disk_ptr disk_;
    std::string path_;
  };

 public:
  // -- what goes wrong --------------------------------------------------------

  /// Replaces the planned faults and begins to count steps anew.
  void plan(faults planned) {
    std::lock_guard guard{disk_->mutex};
    disk_->plan = planned;
    disk_->steps = 0;
  }

  /// How often somebody let go of the cache of what is on the disk; and of what is not, which nobody may.
  std::size_t releases() const {
    std::lock_guard guard{disk_->mutex};
    return disk_->releases;
  }
  bool released_unsynced() const {
    std::lock_guard guard{disk_->mutex};
    return disk_->released_unsynced;
  }

  /// Changes (writes, syncs, creations, renames, ...) since plan().
  std::uint64_t steps() const {
    std::lock_guard guard{disk_->mutex};
    return disk_->steps;
  }

  /// The power fails: what was not synced is gone. Handles and locks from before are of no use any more.
  void lose_power() {
    std::lock_guard guard{disk_->mutex};
    disk_->folders = disk_->durable_folders;
    for (auto& [folder, entries] : disk_->folders) {
      for (auto& [name, target] : entries) {
        auto content = target->durable;
        target = std::make_shared<node>(node{content, content});
      }
    }
    disk_->durable_folders = disk_->folders;
    disk_->plan = {};
  }

  // -- the content, for tests -------------------------------------------------

  bool exists(const std::filesystem::path& path) const {
    std::lock_guard guard{disk_->mutex};
    return find(path) != nullptr;
  }

  std::string content(const std::filesystem::path& path) const {
    std::lock_guard guard{disk_->mutex};
    auto target = find(path);
    return target ? target->content : std::string{};
  }

  /// Makes a file hold `content`, on the disk.
  void put(const std::filesystem::path& path, const std::string& content) {
    std::lock_guard guard{disk_->mutex};
    auto target = std::make_shared<node>(node{content, content});
    disk_->folders[path.parent_path().string()][path.filename().string()] = target;
    disk_->durable_folders[path.parent_path().string()][path.filename().string()] = target;
  }

  void erase(const std::filesystem::path& path) {
    std::lock_guard guard{disk_->mutex};
    disk_->folders[path.parent_path().string()].erase(path.filename().string());
    disk_->durable_folders[path.parent_path().string()].erase(path.filename().string());
  }

  // -- file_system ------------------------------------------------------------

  io_result<std::shared_ptr<file>> create(const std::filesystem::path& path) override {
    std::lock_guard guard{disk_->mutex};
    if (auto error = disk_->step(disk_->plan.create_error)) return unexpected{error};
    if (find(path)) return unexpected{std::make_error_code(std::errc::file_exists)};
    auto target = std::make_shared<node>();
    disk_->folders[path.parent_path().string()][path.filename().string()] = target;
    return std::shared_ptr<file>{std::make_shared<writable>(disk_, target, path.filename().string())};
  }

  io_result<std::shared_ptr<file>> open_for_writing(const std::filesystem::path& path) override {
    std::lock_guard guard{disk_->mutex};
    auto target = find(path);
    if (!target) return unexpected{std::make_error_code(std::errc::no_such_file_or_directory)};
    return std::shared_ptr<file>{std::make_shared<writable>(disk_, target, path.filename().string())};
  }

  io_result<std::unique_ptr<readable_file>> open_for_reading(const std::filesystem::path& path) override {
    std::lock_guard guard{disk_->mutex};
    auto target = find(path);
    if (!target) return unexpected{std::make_error_code(std::errc::no_such_file_or_directory)};
    return std::unique_ptr<readable_file>{std::make_unique<readable>(disk_, target)};
  }

  std::error_code rename(const std::filesystem::path& from, const std::filesystem::path& to) override {
    std::lock_guard guard{disk_->mutex};
    if (auto error = disk_->step(disk_->plan.rename_error)) return error;
    auto target = find(from);
    if (!target) return std::make_error_code(std::errc::no_such_file_or_directory);
    disk_->folders[from.parent_path().string()].erase(from.filename().string());
    disk_->folders[to.parent_path().string()][to.filename().string()] = target;
    return {};
  }

  std::error_code remove(const std::filesystem::path& path) override {
    std::lock_guard guard{disk_->mutex};
    if (!find(path)) return std::make_error_code(std::errc::no_such_file_or_directory);
    if (auto error = disk_->step(disk_->plan.remove_error)) return error;
    disk_->folders[path.parent_path().string()].erase(path.filename().string());
    return {};
  }

  io_result<std::vector<std::string>> list(const std::filesystem::path& folder) override {
    std::lock_guard guard{disk_->mutex};
    auto found = disk_->folders.find(folder.string());
    if (found == disk_->folders.end()) return unexpected{std::make_error_code(std::errc::no_such_file_or_directory)};
    std::vector<std::string> listed;
    for (const auto& [name, target] : found->second) listed.push_back(name);
    return listed;
  }

  std::error_code create_folders(const std::filesystem::path& folder) override {
    std::lock_guard guard{disk_->mutex};
    disk_->folders[folder.string()];
    disk_->durable_folders[folder.string()];
    return {};
  }

  std::error_code sync_folder(const std::filesystem::path& folder) override {
    std::lock_guard guard{disk_->mutex};
    if (auto error = disk_->step(disk_->plan.sync_folder_error)) return error;
    disk_->durable_folders[folder.string()] = disk_->folders[folder.string()];
    return {};
  }

  io_result<std::unique_ptr<file_lock>> lock(const std::filesystem::path& path, std::string_view content) override {
    std::lock_guard guard{disk_->mutex};
    if (!disk_->locked.insert(path.string()).second) {
      return unexpected{std::make_error_code(std::errc::resource_unavailable_try_again)};
    }
    auto target = std::make_shared<node>(node{std::string{content}, std::string{content}});
    disk_->folders[path.parent_path().string()][path.filename().string()] = target;
    return std::unique_ptr<file_lock>{std::make_unique<held_lock>(disk_, path.string())};
  }

 private:
  node_ptr find(const std::filesystem::path& path) const {
    auto folder = disk_->folders.find(path.parent_path().string());
    if (folder == disk_->folders.end()) return nullptr;
    auto entry = folder->second.find(path.filename().string());
    return entry == folder->second.end() ? nullptr : entry->second;
  }

  disk_ptr disk_ = std::make_shared<disk>();
};

}  // namespace mqlite::test
