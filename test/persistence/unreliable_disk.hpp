#pragma once

#include <algorithm>
#include <cstring>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "persistence/file_system.hpp"

namespace mqlite::test {

/// Makes every combination of choices, one combination after another: the code under test asks choose(), and is run again until
/// next() is false.
class every_choice {
 public:
  /// One of `options` (at least 1), from 0.
  std::size_t choose(std::size_t options) {
    if (at_ == made_.size()) made_.push_back({0, options});
    return made_[at_++].first;
  }

  /// Goes on to the next combination; false when all were made.
  bool next() {
    at_ = 0;
    while (!made_.empty() && ++made_.back().first == made_.back().second) made_.pop_back();
    return !made_.empty();
  }

 private:
  std::vector<std::pair<std::size_t, std::size_t>> made_;  // what was chosen, of how many
  std::size_t at_ = 0;
};

/// A file system in memory whose power can fail at any change, and that knows everything that this may leave.
///
/// Of a file, each sector may be as it was at the last successful fsync, or after any change since, whatever becomes of other sectors;
/// so may the file's length. Of a folder, each creation, renaming and removal since its last fsync may have reached the disk or not.
/// What an fsync failed for stays uncertain, also when a later one succeeds, until it is written again.
class unreliable_disk final : public file_system {
 public:
  static constexpr std::uint64_t never = std::numeric_limits<std::uint64_t>::max();
  static constexpr std::size_t sector = 512;

  /// What goes wrong. Changes (writes, fsyncs, renamings ...) are counted from plan() on.
  struct faults {
    std::uint64_t power_fails_at = never;  ///< this change and all later ones fail without effect ...
    std::uint64_t bytes_before = 0;        ///< ... but for so many bytes, when it is a write
    std::uint64_t writable_bytes = never;  ///< the disk is full behind so many
    bool sync_fails = false;
  };

 private:
  struct node {
    std::string content;
    std::map<std::size_t, std::vector<std::string>>
        older;  // what sectors were since they were last on the disk for sure
    std::vector<std::uint64_t> older_lengths;
    std::set<std::size_t> doubtful;  // sectors that an fsync failed for

    std::string sector_at(std::size_t number) const {
      auto begin = std::min(number * sector, content.size());
      auto out = content.substr(begin, sector);
      out.resize(sector);
      return out;
    }

    /// Makes the file `changed`, remembering what it was between the offsets.
    void change(std::string changed, std::uint64_t from, std::uint64_t to) {
      if (changed.size() != content.size()) older_lengths.push_back(content.size());
      std::map<std::size_t, std::string> before;
      for (auto number = from / sector; number * sector < to; ++number) before[number] = sector_at(number);
      content = std::move(changed);
      for (auto& [number, bytes] : before) {
        doubtful.erase(number);  // it will be written by the next fsync, changed or not
        if (bytes != sector_at(number)) older[number].push_back(std::move(bytes));
      }
    }

    void sync(bool fails) {
      for (auto at = older.begin(); at != older.end();) {
        if (fails) doubtful.insert(at->first);
        at = fails || doubtful.contains(at->first) ? std::next(at) : older.erase(at);
      }
      if (!fails) older_lengths.clear();
    }

    template <class Choose>
    std::string after_power_loss(Choose choose) const {
      auto length = content.size();
      if (auto which = choose(older_lengths.size() + 1); which != 0) length = older_lengths[which - 1];
      auto out = content;
      out.resize((std::max(out.size(), length) + sector - 1) / sector * sector);
      for (const auto& [number, versions] : older) {
        if (number * sector >= length) continue;
        auto which = choose(versions.size() + 1);
        if (which != 0) out.replace(number * sector, sector, versions[which - 1]);
      }
      out.resize(length);
      return out;
    }
  };
  using node_ptr = std::shared_ptr<node>;

  /// A change of the folder's names that is not on the disk for sure. An empty name: none.
  struct renaming {
    std::string from;
    std::string to;
    node_ptr target;
  };

  struct state {
    faults plan;
    std::uint64_t changes = 0;
    std::uint64_t cut_write = 0;
    std::map<std::string, node_ptr> names;
    std::map<std::string, node_ptr> durable_names;
    std::vector<renaming> pending;
    bool locked = false;

    /// Counts a change; true when it fails.
    bool fails() { return changes++ >= plan.power_fails_at; }
    void rename(renaming what) {
      if (!what.from.empty()) names.erase(what.from);
      if (!what.to.empty()) names[what.to] = what.target;
      pending.push_back(std::move(what));
    }
  };
  using state_ptr = std::shared_ptr<state>;

  static std::error_code io_error() { return std::make_error_code(std::errc::io_error); }

  class writable final : public file {
   public:
    writable(state_ptr disk, node_ptr target) : disk_(std::move(disk)), node_(std::move(target)) {}

    transferred write_at(std::uint64_t offset, std::span<const std::string_view> parts) override {
      std::string bytes;
      for (auto part : parts) bytes += part;
      transferred done;
      auto had_power = disk_->changes <= disk_->plan.power_fails_at;
      auto room = disk_->plan.writable_bytes;
      if (disk_->fails()) {
        done.error = io_error();
        if (had_power) disk_->cut_write = bytes.size();
        room = had_power ? std::min(room, disk_->plan.bytes_before) : 0;
      } else if (bytes.size() > room) {
        done.error = std::make_error_code(std::errc::no_space_on_device);
      }
      done.bytes = std::min<std::uint64_t>(bytes.size(), room);
      if (disk_->plan.writable_bytes != never) disk_->plan.writable_bytes -= done.bytes;
      auto changed = node_->content;
      if (done.bytes != 0) changed.resize(std::max<std::size_t>(changed.size(), offset + done.bytes));
      changed.replace(std::min<std::size_t>(offset, changed.size()), done.bytes, bytes.substr(0, done.bytes));
      node_->change(std::move(changed), offset, offset + done.bytes);
      return done;
    }

    std::error_code sync() override {
      if (disk_->fails()) return io_error();
      node_->sync(disk_->plan.sync_fails);
      return disk_->plan.sync_fails ? io_error() : std::error_code{};
    }

    std::error_code preallocate(std::uint64_t offset, std::uint64_t length) override {
      if (disk_->fails()) return io_error();
      auto changed = node_->content;
      changed.resize(std::max<std::size_t>(changed.size(), offset + length));
      node_->change(std::move(changed), offset, offset);
      return {};
    }

    std::error_code truncate(std::uint64_t length) override {
      if (disk_->fails()) return io_error();
      auto changed = node_->content;
      changed.resize(length);
      node_->change(std::move(changed), length, std::max<std::uint64_t>(length, node_->content.size()));
      return {};
    }

    io_result<std::uint64_t> size() override { return std::uint64_t{node_->content.size()}; }

   private:
    state_ptr disk_;
    node_ptr node_;
  };

  class readable final : public readable_file {
   public:
    explicit readable(node_ptr target) : node_(std::move(target)) {}
    io_result<std::uint64_t> size() override { return std::uint64_t{node_->content.size()}; }
    transferred read_at(std::uint64_t offset, std::span<char> into) override {
      if (offset >= node_->content.size()) return {};
      auto count = std::min<std::uint64_t>(into.size(), node_->content.size() - offset);
      std::memcpy(into.data(), node_->content.data() + offset, count);
      return {count, {}};
    }

   private:
    node_ptr node_;
  };

  class held_lock final : public file_lock {
   public:
    explicit held_lock(state_ptr disk) : disk_(std::move(disk)) {}
    ~held_lock() override { disk_->locked = false; }

   private:
    state_ptr disk_;
  };

 public:
  void plan(faults planned) {
    disk_->plan = planned;
    disk_->changes = 0;
  }
  /// Changes what is planned; `change(faults&)` must leave alone when the power fails.
  template <class Change>
  void change_plan(Change change) {
    change(disk_->plan);
  }
  std::uint64_t changes() const { return disk_->changes; }

  /// The bytes of the write at which the power failed; 0 when it was no write.
  std::uint64_t cut_write() const { return disk_->cut_write; }

  /// A disk as a power loss may leave this one; `choose(n)` picks one of n possibilities.
  template <class Choose>
  unreliable_disk after_power_loss(Choose choose) const {
    auto names = disk_->durable_names;
    for (const auto& what : disk_->pending) {
      if (choose(std::size_t{2}) == 1) continue;
      if (!what.from.empty()) names.erase(what.from);
      if (!what.to.empty()) names[what.to] = what.target;
    }
    unreliable_disk after;
    for (const auto& [name, target] : names) {
      auto left = std::make_shared<node>();
      left->content = target->after_power_loss(choose);
      after.disk_->names[name] = left;
    }
    after.disk_->durable_names = after.disk_->names;
    return after;
  }

  /// A disk as it is found when only the process died.
  unreliable_disk after_kill() const {
    unreliable_disk after;
    auto copies = std::map<node_ptr, node_ptr>{};
    auto copy = [&](const node_ptr& from) {
      auto& made = copies[from];
      if (!made) made = std::make_shared<node>(*from);
      return made;
    };
    for (const auto& [name, target] : disk_->names) after.disk_->names[name] = copy(target);
    for (const auto& [name, target] : disk_->durable_names) after.disk_->durable_names[name] = copy(target);
    for (auto what : disk_->pending) {
      if (what.target) what.target = copy(what.target);
      after.disk_->pending.push_back(std::move(what));
    }
    return after;
  }

  // -- file_system ------------------------------------------------------------

  io_result<std::shared_ptr<file>> create(const std::filesystem::path& path) override {
    if (disk_->fails()) return unexpected{io_error()};
    auto name = path.filename().string();
    if (disk_->names.contains(name)) return unexpected{std::make_error_code(std::errc::file_exists)};
    disk_->rename({"", name, std::make_shared<node>()});
    return std::shared_ptr<file>{std::make_shared<writable>(disk_, disk_->names[name])};
  }

  io_result<std::shared_ptr<file>> open_for_writing(const std::filesystem::path& path) override {
    auto found = disk_->names.find(path.filename().string());
    if (found == disk_->names.end()) return unexpected{std::make_error_code(std::errc::no_such_file_or_directory)};
    return std::shared_ptr<file>{std::make_shared<writable>(disk_, found->second)};
  }

  io_result<std::unique_ptr<readable_file>> open_for_reading(const std::filesystem::path& path) override {
    auto found = disk_->names.find(path.filename().string());
    if (found == disk_->names.end()) return unexpected{std::make_error_code(std::errc::no_such_file_or_directory)};
    return std::unique_ptr<readable_file>{std::make_unique<readable>(found->second)};
  }

  std::error_code rename(const std::filesystem::path& from, const std::filesystem::path& to) override {
    auto found = disk_->names.find(from.filename().string());
    if (found == disk_->names.end()) return std::make_error_code(std::errc::no_such_file_or_directory);
    if (disk_->fails()) return io_error();
    disk_->rename({from.filename().string(), to.filename().string(), found->second});
    return {};
  }

  std::error_code remove(const std::filesystem::path& path) override {
    auto name = path.filename().string();
    if (!disk_->names.contains(name)) return std::make_error_code(std::errc::no_such_file_or_directory);
    if (disk_->fails()) return io_error();
    disk_->rename({name, "", nullptr});
    return {};
  }

  io_result<std::vector<std::string>> list(const std::filesystem::path&) override {
    std::vector<std::string> listed;
    for (const auto& [name, target] : disk_->names) listed.push_back(name);
    return listed;
  }

  std::error_code create_folders(const std::filesystem::path&) override { return {}; }

  std::error_code sync_folder(const std::filesystem::path&) override {
    if (disk_->fails()) return io_error();
    disk_->durable_names = disk_->names;
    disk_->pending.clear();
    return {};
  }

  io_result<std::unique_ptr<file_lock>> lock(const std::filesystem::path&, std::string_view) override {
    if (disk_->locked) return unexpected{std::make_error_code(std::errc::resource_unavailable_try_again)};
    disk_->locked = true;
    return std::unique_ptr<file_lock>{std::make_unique<held_lock>(disk_)};
  }

 private:
  state_ptr disk_ = std::make_shared<state>();
};

}  // namespace mqlite::test
