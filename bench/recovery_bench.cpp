// How long a start spends on reading (with checksums), decoding and building the queues of a log of 1 million messages of 256 bytes.
// Usage: recovery_bench [folder] [million messages] [messages a record]

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

#include "actors/log/records.hpp"
#include "actors/log/replay.hpp"
#include "actors/message_id.hpp"
#include "persistence/log_writer.hpp"
#include "persistence/posix_file_system.hpp"
#include "persistence/published_record.hpp"
#include "persistence/recovery.hpp"

namespace {

constexpr std::size_t payload_size = 256;
constexpr std::uint64_t topic = 7;
constexpr std::uint32_t queues = 4;
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
  writer->append(mqlite::records::namespace_created("n"));
  writer->append(mqlite::records::topic_created(topic, "n", "t", queues, {}, 1));
  std::string payload(payload_size, 'x');
  mqlite::id_source ids(1);
  for (std::uint64_t id = 0; id < messages;) {
    mqlite::published_record record{topic, messages_per_record * (payload_size + 40)};
    for (std::uint64_t i = 0; i < messages_per_record && id < messages; ++i, ++id) {
      unsigned char bytes[mqlite::message_id_size] = {};
      ids.next(static_cast<std::int64_t>(id) * 1000).to_bytes(bytes);
      mqlite::stored_message_view message;
      message.id = bytes;
      message.queue = static_cast<std::uint32_t>(id % queues);
      message.payload = payload;
      record.add(message);
    }
    writer->append(std::move(record).finish());
    if (writer->queued_bytes() < 1u << 20) continue;
    if (auto error = writer->flush()) throw std::system_error{error};
  }
  if (auto error = writer->close()) throw std::system_error{error};
}

struct timing {
  double total = 0;
  double reading = 0;
  double bytes = 0;
};

timing recover_into(mqlite::record_visitor& visitor, const std::filesystem::path& folder, std::uint64_t messages) {
  mqlite::posix_file_system files;
  const auto start = std::chrono::steady_clock::now();
  const auto found = mqlite::recover(files, folder, visitor);
  const auto took = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (!found) throw std::runtime_error{found.error().text()};
  if (found->messages != messages) throw std::runtime_error{"messages are missing"};
  return {took, static_cast<double>(found->reading.count()) / 1e9, static_cast<double>(found->bytes)};
}

}  // namespace

int main(int argc, char** argv) {
  const std::filesystem::path folder = argc > 1 ? argv[1] : "recovery_bench.data";
  const auto messages = static_cast<std::uint64_t>((argc > 2 ? std::atof(argv[2]) : 1.0) * 1e6);
  const auto messages_per_record = static_cast<std::uint64_t>(argc > 3 ? std::atoi(argv[3]) : 100);
  write_log(folder, messages, messages_per_record);
  for (int round = 0; round < rounds; ++round) {
    counting_visitor counting;
    const auto looked = recover_into(counting, folder, messages);
    if (counting.sum == 0) throw std::runtime_error{"nothing was read"};
    mqlite::replay building(0);
    const auto built = recover_into(building, folder, messages);
    std::printf("%llu messages, %.0f MB: %.3f s (reading %.3f s, decoding %.3f s, building %.3f s)\n",
                static_cast<unsigned long long>(messages), built.bytes / 1e6, built.total, looked.reading,
                looked.total - looked.reading, built.total - looked.total);
  }
  std::filesystem::remove_all(folder);
}
