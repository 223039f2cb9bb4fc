// The log writer against bare loops of write(2) calls of as many bytes, all with an fsync each second on a thread of their own. A
// record is a batch of 100 messages of 256 bytes; a flush takes one or more of them, as group commit does under load. Runs of
// less than a second (the default) never fsync and compare processor time; longer ones compare the disk with itself.
// Usage: log_writer_bench [folder] [million messages]

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include "persistence/log_writer.hpp"
#include "persistence/posix_file_system.hpp"
#include "persistence/published_record.hpp"

namespace {

using clock = std::chrono::steady_clock;

constexpr std::size_t batch_size = 100;
constexpr std::size_t payload_size = 256;
constexpr std::size_t bare_write_size = 64u << 10;
constexpr int rounds = 5;

double seconds_since(clock::time_point start) { return std::chrono::duration<double>(clock::now() - start).count(); }

/// Calls `sync` once a second until destroyed, as the policy everysec does.
class every_second {
 public:
  explicit every_second(std::function<void()> sync) : thread_([this, sync = std::move(sync)] { run(sync); }) {}

  ~every_second() {
    {
      std::lock_guard guard{mutex_};
      stopped_ = true;
    }
    stop_.notify_one();
    thread_.join();
  }

 private:
  void run(const std::function<void()>& sync) {
    std::unique_lock guard{mutex_};
    while (!stop_.wait_for(guard, std::chrono::seconds{1}, [this] { return stopped_; })) {
      guard.unlock();
      sync();
      guard.lock();
    }
  }

  std::mutex mutex_;
  std::condition_variable stop_;
  bool stopped_ = false;
  std::thread thread_;
};

struct measured {
  double seconds = 0;
  std::uint64_t bytes = 0;
};

std::string next_batch(std::uint64_t& id, const std::string& payload) {
  mqlite::published_record record{7, batch_size * (payload_size + 40)};
  unsigned char bytes[mqlite::message_id_size] = {};
  for (std::size_t i = 0; i < batch_size; ++i) {
    ++id;
    std::memcpy(bytes, &id, sizeof id);
    mqlite::stored_message_view message;
    message.id = bytes;
    message.queue = static_cast<std::uint32_t>(i % 4);
    message.payload = payload;
    record.add(message);
  }
  return std::move(record).finish();
}

/// Batches through the log writer, `batches_per_flush` of them in one flush.
measured run_log(const std::filesystem::path& folder, std::uint64_t batches, int batches_per_flush) {
  std::filesystem::remove_all(folder);
  mqlite::posix_file_system files;
  auto lock = mqlite::folder_lock::take(files, folder);
  if (!lock) throw std::runtime_error{lock.error().text()};
  auto writer = mqlite::log_writer::open(files, std::move(*lock), {});
  if (!writer) throw std::runtime_error{writer.error().text()};
  std::string payload(payload_size, 'x');
  std::uint64_t id = 0;
  auto start = clock::now();
  {
    every_second syncing{[file = writer->current()] { file->sync(); }};
    for (std::uint64_t i = 0; i < batches;) {
      for (int j = 0; j < batches_per_flush && i < batches; ++j, ++i) writer->append(next_batch(id, payload));
      if (auto error = writer->flush()) throw std::system_error{error};
    }
  }
  measured out{seconds_since(start), writer->length()};
  if (auto error = writer->close()) throw std::system_error{error};
  return out;
}

/// As many bytes in bare writes of `write_size` each.
measured run_bare(const std::filesystem::path& folder, std::uint64_t bytes, std::size_t write_size) {
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  auto path = folder / "bare";
  int number = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0640);
  if (number < 0) throw std::system_error{errno, std::generic_category()};
  std::string block(write_size, 'x');
  auto start = clock::now();
  {
    every_second syncing{[number] { ::fdatasync(number); }};
    for (std::uint64_t done = 0; done < bytes; done += block.size()) {
      if (::write(number, block.data(), block.size()) != static_cast<ssize_t>(block.size())) {
        throw std::system_error{errno, std::generic_category()};
      }
    }
  }
  measured out{seconds_since(start), bytes};
  ::fdatasync(number);
  ::close(number);
  return out;
}

/// Building the records alone, in nanoseconds per message.
double run_building(std::uint64_t batches) {
  std::string payload(payload_size, 'x');
  std::uint64_t id = 0;
  std::size_t bytes = 0;
  auto start = clock::now();
  for (std::uint64_t i = 0; i < batches; ++i) bytes += next_batch(id, payload).size();
  auto seconds = seconds_since(start);
  if (bytes == 0) std::abort();
  return seconds * 1e9 / static_cast<double>(batches * batch_size);
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

/// Rounds of log, bare loop of 64 KiB writes and bare loop of writes as long as the log's, in turn.
void compare(const std::filesystem::path& folder, std::uint64_t batches, int batches_per_flush) {
  std::vector<double> log_rates, bare_rates, ratios, same_size_ratios;
  auto flushes =
      (batches + static_cast<std::uint64_t>(batches_per_flush) - 1) / static_cast<std::uint64_t>(batches_per_flush);
  auto millions = static_cast<double>(batches * batch_size) / 1e6;
  for (int round = 0; round < rounds; ++round) {
    auto log = run_log(folder, batches, batches_per_flush);
    auto bare = run_bare(folder, log.bytes, bare_write_size);
    auto same_size = run_bare(folder, log.bytes, log.bytes / flushes);
    log_rates.push_back(millions / log.seconds);
    bare_rates.push_back(millions / bare.seconds);
    ratios.push_back(bare.seconds / log.seconds);
    same_size_ratios.push_back(same_size.seconds / log.seconds);
  }
  std::filesystem::remove_all(folder);
  std::printf(
      "%3d messages a flush: log %5.2f M messages/s, bare 64 KiB writes %5.2f M messages/s, ratio %.2f; "
      "to bare writes of the same size %.2f (medians of %d)\n",
      batches_per_flush * static_cast<int>(batch_size), median(log_rates), median(bare_rates), median(ratios),
      median(same_size_ratios), rounds);
}

}  // namespace

int main(int argc, char** argv) {
  std::filesystem::path folder = argc > 1 ? argv[1] : "log_writer_bench.data";
  auto batches = static_cast<std::uint64_t>((argc > 2 ? std::atof(argv[2]) : 3.0) * 1e6) / batch_size;
  std::printf("building a record: %.0f ns per message, copy and checksum included\n", run_building(batches));
  for (int batches_per_flush : {1, 2, 4, 8}) compare(folder, batches, batches_per_flush);
}
