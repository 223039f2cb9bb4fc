#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "persistence/base_writer.hpp"
#include "persistence/file_system.hpp"
#include "persistence/folder_lock.hpp"
#include "persistence/log_backup.hpp"
#include "persistence/log_change.hpp"
#include "persistence/log_failure.hpp"
#include "persistence/recovery.hpp"

namespace mqlite {

struct log_options {
  /// Bytes reserved ahead of the log's end, so that an fdatasync needs to write no new file length; 0 reserves nothing.
  std::uint64_t preallocate = 16u << 20;
  /// Writes zeros into what is reserved, so that an fdatasync of what overwrites them changes nothing but data: each byte of the log
  /// is written twice for that. Under `always`, 64 connections that wait for each answer: 1.1 to 1.2 times as many publishes.
  bool fill = false;

  /// For a log that is synced as often as it is written. A small step: the fsync behind it brings all of its zeros to the disk.
  static log_options for_each_write_synced() { return {1U << 20, true}; }
};

/// Appends to the log and owns its folder.
///
/// Operation: append() queues, flush() hands everything queued to the kernel in one call. Who calls file::sync() when, is the
/// caller's policy. A start goes on in the last incr, cut to its last good record.
///
///   start:    folder_lock::take, recover, log_writer::open
///   failure:  after a failed write or fsync every flush() fails at once, until begin_new_file() succeeded
///   rewrite:  plan_new_file, run, adopt; then plan_base, base_writer ..., plan_commit, run, adopt
///   backup:   plan_new_file, run, adopt; then plan_backup, copy_log
///   end:      close
///
/// Concurrency: one thread at a time. file::sync() of current(), log_change::run() and base_writer are for other threads.
///
/// Limitations: one log_change at a time. A record of a failed flush() may come back after a restart when the disk also refused to
/// cut the file and no begin_new_file() succeeded since.
class log_writer {
 public:
  /// Goes on where recover() came to its end. Removes what `found` calls left over.
  static log_result<log_writer> open(file_system& files, folder_lock lock, const recovered& found,
                                     log_options options = {});

  log_writer(log_writer&&) = default;
  log_writer& operator=(log_writer&&) = default;

  /// Queues one record as frame() or published_record make it.
  void append(std::string framed);

  /// Bytes that wait for flush().
  std::uint64_t queued_bytes() const { return queued_bytes_; }

  /// Writes everything queued. When it fails, nothing of it counts as stored: the file is cut back (where the system lets us), the
  /// queue is empty, and the writer is failed.
  std::error_code flush();

  /// The file that flush() writes to, for whoever syncs it.
  const std::shared_ptr<file>& current() const { return current_; }

  /// Bytes of the current file that are written: what a sync() of current() that begins now brings to the disk.
  std::uint64_t length() const { return length_; }

  /// A sync() of `synced_file` that began when it had `length` bytes succeeded: the next flush() says so in the file, for a start after
  /// a power cut.
  void synced(const std::shared_ptr<file>& synced_file, std::uint64_t length);

  /// A sync() of `failed_file` failed: what it holds is never again assumed to be on the disk, and the writer is failed. Records
  /// behind `keep` bytes are cut off, for callers who have refused them (everyone who waited for this sync). What was answered
  /// before and not synced is safe again only after a rewrite. Without effect when a rewrite has replaced that file meanwhile.
  void sync_failed(const std::shared_ptr<file>& failed_file, std::error_code reason,
                   std::uint64_t keep = std::numeric_limits<std::uint64_t>::max());

  /// Whether the log has files whose ends are not known to be on the disk, for good: only a rewrite makes up for that.
  bool has_unvouched() const;

  /// Why the writer is failed; nothing when it is not.
  const std::optional<log_failure>& failed() const { return failed_; }

  /// plan_new_file(), run() and adopt() in one: the way out of a failure. Blocks.
  std::optional<log_failure> begin_new_file();

  /// Plans to go on in a new incr. What is appended until adopt() still goes into the current one. A change must be adopted even
  /// when its run() failed, before the next is planned.
  log_change plan_new_file();

  /// Where a new base would go, that holds everything up to the beginning of the current incr.
  base_plan plan_base();

  /// Plans to put `base` in the place of everything before its first_incr. As for plan_new_file().
  log_change plan_commit(const finished_base& base);

  /// What a backup has to copy: all but the current file, which is still appended to.
  backup_plan plan_backup() const;

  /// Takes over what run() has done; where that failed, nothing changes. Returns the file that was current before, when there is a
  /// new one: the caller still has to sync it once.
  std::shared_ptr<file> adopt(log_change&& change);

  /// Bytes of the whole log, and of its base (0 without one).
  std::uint64_t bytes() const;
  std::uint64_t base_bytes() const { return base_ ? base_->length : 0; }

  /// Name of the current file, without the folder.
  const std::string& current_name() const { return incrs_.back().entry.name; }
  const std::filesystem::path& folder() const { return lock_.folder(); }
  /// What the folder is reached through.
  file_system& files() const { return *files_; }

  /// Flushes, cuts the preallocated rest off, syncs, and says in the file that it did. The folder stays locked until the writer is destroyed.
  std::error_code close();

 private:
  struct incr {
    manifest_entry entry;  // as the manifest has it, but `length` is kept for open ones too (not for the current one)
    bool poisoned = false;
    std::weak_ptr<file> handle;
  };

  log_writer(file_system& files, folder_lock lock, log_options options);

  std::optional<log_failure> take_over(const recovered& found);
  std::optional<log_failure> settle(const recovered_file& read);
  std::optional<log_failure> write_again(const std::filesystem::path& path, file& target, std::uint64_t from,
                                         std::uint64_t to);
  void reserve(std::uint64_t end);
  std::error_code fill(std::uint64_t from, std::uint64_t to);
  void fail(const char* doing, std::error_code code);
  void end_file(log_change& change, const incr& ended, std::uint64_t length) const;
  std::filesystem::path current_path() const { return folder() / current_name(); }

  file_system* files_;
  folder_lock lock_;
  log_options options_;
  std::uint64_t next_number_ = 1;
  std::optional<manifest_entry> base_;
  std::vector<incr> incrs_;  // the last one is the current one
  bool changing_ = false;

  std::shared_ptr<file> current_;
  std::uint32_t salt_ = 0;
  std::uint64_t length_ = 0;
  std::uint64_t reserved_ = 0;  // the current file's preallocated length
  std::uint64_t synced_ = 0;    // bytes of the current file that are on the disk ...
  std::uint64_t marked_ = 0;    // ... and that a mark in it vouches for
  bool reserving_ = true;
  std::vector<std::string> queue_;
  std::uint64_t queued_bytes_ = 0;
  std::vector<std::string_view> parts_;
  std::optional<log_failure> failed_;
};

}  // namespace mqlite
