#include "daemon/storage.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>

#include "actors/log/replay.hpp"
#include "persistence/folder_lock.hpp"
#include "persistence/recovery.hpp"

namespace mqlite {
namespace {

double seconds(std::chrono::nanoseconds t) { return std::chrono::duration<double>(t).count(); }

[[noreturn]] void give_up(const log_failure& why) { throw std::runtime_error(why.text()); }

std::size_t messages_in(const broker_birth& birth) {
  std::size_t count = 0;
  for (const auto& [name, topics] : birth.namespaces)
    for (const auto& topic : topics) {
      for (const auto& core : topic.cores) count += core->size();
      if (topic.dead) count += topic.dead->size();
    }
  return count;
}

void tell_what_was_found(const recovered& found, std::size_t messages, std::chrono::nanoseconds took) {
  for (const auto& file : found.found)
    if (file.torn && file.torn->power_cut)
      spdlog::warn(
          "log file {}: a power cut kept only parts of what had not been synced; recovery goes on without {} bytes (at "
          "offset {})",
          file.name, file.torn->bytes, file.torn->offset);
    else if (file.torn)
      spdlog::warn(
          "log file {}: the last record was cut off while it was written; recovery goes on without it (at offset {})",
          file.name, file.length);
  for (const auto& name : found.foreign)
    spdlog::warn("the log's folder holds {}, which is none of its files: left alone", name);
  if (found.unknown_records > 0)
    spdlog::warn("{} records of kinds that only a newer version knows were skipped", found.unknown_records);
  if (found.records == 0) return;
  spdlog::info(
      "recovered {} messages from {} records, {:.1f} MB in {:.2f} s (reading {:.2f} s, decoding and building {:.2f} s)",
      messages, found.records, static_cast<double>(found.bytes) / (1 << 20), seconds(took), seconds(found.reading),
      seconds(found.decoding));
}

// Leases and delays end by the wall clock, so it matters when that was set back.
void tell_of_clock(const broker_birth& birth, std::int64_t now) {
  constexpr std::int64_t tolerated = 1'000'000'000;
  message_id newest;
  for (const auto& [name, topics] : birth.namespaces)
    for (const auto& topic : topics) newest = std::max(newest, topic.newest);
  if (newest.timestamp() <= now + tolerated) return;
  spdlog::warn(
      "the clock is {:.0f} s behind the newest message of the log: until it is set right, leases and delays end that "
      "much "
      "later; nothing is lost",
      seconds(std::chrono::nanoseconds(newest.timestamp() - now)));
}

}  // namespace

opened_storage open_storage(file_system& files, const aof_settings& settings, const clock& time) {
  auto lock = folder_lock::take(files, settings.dir);
  if (!lock) give_up(lock.error());
  replay visitor(time.now());
  const auto start = std::chrono::steady_clock::now();
  const auto found = recover(files, settings.dir, visitor, [](const recovery_progress& p) {
    spdlog::info("recovering: {} of {} MB, {} messages", p.bytes >> 20, p.total >> 20, p.messages);
  });
  if (!found) give_up(found.error());
  auto birth = visitor.take();
  tell_what_was_found(*found, messages_in(birth), std::chrono::steady_clock::now() - start);
  const auto options = settings.fsync == fsync_policy::always ? log_options::for_each_write_synced() : log_options{};
  auto writer = log_writer::open(files, std::move(*lock), *found, options);
  if (!writer) give_up(writer.error());
  tell_of_clock(birth, time.now());
  return {std::make_shared<log_writer>(std::move(*writer)), std::move(birth)};
}

}  // namespace mqlite
