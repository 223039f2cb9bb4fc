// How long a start spends on reading (with checksums) and decoding a log of 1 million messages of 256 bytes.
// Usage: recovery_bench [folder] [million messages] [messages a record]

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <stdexcept>
#include <string>

#include "persistence/log_writer.hpp"
#include "persistence/posix_file_system.hpp"
#include "persistence/published_record.hpp"
#include "persistence/recovery.hpp"

namespace {

constexpr std::size_t payload_size = 256;
constexpr int rounds = 5;

/// Looks at every message, so that nothing is optimised away, and builds nothing.
class counting_visitor final : public mqlite::record_visitor {
 public:
  void on_record(const mqlite::journal::Record&) override { ++records; }
  void on_published(std::uint64_t topic, const mqlite::stored_message_view& message) override {
    sum += topic + message.id[0] + message.queue + message.payload.size();
  }
  std::uint64_t records = 0;
  std::uint64_t sum = 0;
};

void write_log(const std::filesystem::path& folder, std::uint64_t messages, std::uint64_t messages_per_record) {
  std::filesystem::remove_all(folder);
  mqlite::posix_file_system files;
  auto lock = mqlite::folder_lock::take(files, folder);
  if (!lock) throw std::runtime_error{lock.error().text()};
  auto writer = mqlite::log_writer::open(files, std::move(*lock), {});
  if (!writer) throw std::runtime_error{writer.error().text()};
  std::string payload(payload_size, 'x');
  for (std::uint64_t id = 0; id < messages;) {
    mqlite::published_record record{7, messages_per_record * (payload_size + 40)};
    for (std::uint64_t i = 0; i < messages_per_record && id < messages; ++i, ++id) {
      unsigned char bytes[mqlite::message_id_size] = {};
      std::memcpy(bytes, &id, sizeof id);
      mqlite::stored_message_view message;
      message.id = bytes;
      message.queue = static_cast<std::uint32_t>(id % 4);
      message.payload = payload;
      record.add(message);
    }
    writer->append(std::move(record).finish());
    if (writer->queued_bytes() < 1u << 20) continue;
    if (auto error = writer->flush()) throw std::system_error{error};
  }
  if (auto error = writer->close()) throw std::system_error{error};
}

}  // namespace

int main(int argc, char** argv) {
  std::filesystem::path folder = argc > 1 ? argv[1] : "recovery_bench.data";
  auto messages = static_cast<std::uint64_t>((argc > 2 ? std::atof(argv[2]) : 1.0) * 1e6);
  auto messages_per_record = static_cast<std::uint64_t>(argc > 3 ? std::atoi(argv[3]) : 100);
  write_log(folder, messages, messages_per_record);
  mqlite::posix_file_system files;
  for (int round = 0; round < rounds; ++round) {
    counting_visitor visitor;
    auto start = std::chrono::steady_clock::now();
    auto found = mqlite::recover(files, folder, visitor);
    auto seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    if (!found) throw std::runtime_error{found.error().text()};
    if (found->messages != messages || visitor.sum == 0) throw std::runtime_error{"messages are missing"};
    std::printf("%llu messages, %.0f MB: %.3f s (reading %.3f s, decoding %.3f s), %.0f MB/s\n",
                static_cast<unsigned long long>(messages), static_cast<double>(found->bytes) / 1e6, seconds,
                static_cast<double>(found->reading.count()) / 1e9, static_cast<double>(found->decoding.count()) / 1e9,
                static_cast<double>(found->bytes) / seconds / 1e6);
  }
  std::filesystem::remove_all(folder);
}
