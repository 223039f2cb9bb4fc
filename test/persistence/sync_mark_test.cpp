#include <doctest/doctest.h>

#include "faulty_file_system.hpp"
#include "log_fixture.hpp"
#include "persistence/wire.hpp"

namespace mqlite {

namespace {

using namespace test;

/// A log of ten records of about a sector and a half each, with fsyncs behind those that are named.
struct marked_log {
  std::string bytes;
  std::vector<std::uint64_t> offsets;  // of each record, then the end
};

marked_log write_log(faulty_file_system& files, std::vector<int> synced_behind) {
  marked_log log;
  auto opened = start(files, {0});
  auto& writer = opened.writer;
  for (int i = 0; i < 10; ++i) {
    auto before = writer.length();
    REQUIRE_FALSE(write(writer, published(std::to_string(i) + std::string(700, 'x'))));
    auto marked = i > 0 && std::find(synced_behind.begin(), synced_behind.end(), i - 1) != synced_behind.end();
    log.offsets.push_back(before + (marked ? format::mark_size : 0));
    if (std::find(synced_behind.begin(), synced_behind.end(), i) == synced_behind.end()) continue;
    REQUIRE_FALSE(writer.current()->sync());
    writer.synced(writer.current(), writer.length());
  }
  log.offsets.push_back(writer.length());
  log.bytes = files.content(log_path);
  return log;
}

/// The log without the sectors that begin in the record.
std::string without_sector(const marked_log& log, std::size_t record) {
  auto bytes = log.bytes;
  auto begin = (log.offsets[record] + format::sector_size - 1) / format::sector_size * format::sector_size;
  std::fill_n(bytes.begin() + static_cast<long>(begin), format::sector_size, '\0');
  return bytes;
}

log_result<recovered> recover_from(const std::string& bytes, strings& events) {
  faulty_file_system files;
  files.create_folders(log_folder);
  manifest listed;
  listed.incrs = {{incr_name(1), file_state::open, 0}};
  files.put(log_folder / "manifest", listed.text());
  files.put(log_path, bytes);
  recording_visitor visitor;
  auto found = recover(files, log_folder, visitor);
  events = visitor.events;
  return found;
}

}  // namespace

TEST_CASE("a sector that is missing behind the last mark is a torn tail, before it damage") {
  faulty_file_system files;
  auto log = write_log(files, {1, 4});
  for (std::size_t record = 0; record < 9; ++record) {
    CAPTURE(record);
    strings events;
    auto found = recover_from(without_sector(log, record), events);
    CHECK(found.has_value() == (record > 4));
    CHECK(events.size() == record);
    if (!found) {
      CHECK(found.error().kind == failure_kind::damaged);
      CHECK(found.error().offset == log.offsets[record]);
      continue;
    }
    REQUIRE(found->found[0].torn);
    CHECK(found->found[0].torn->power_cut);
    CHECK(found->found[0].torn->offset == log.offsets[record]);
    CHECK(found->found[0].torn->bytes == log.offsets[10] - log.offsets[record]);
  }
}

TEST_CASE("what a power cut cannot do is damage, also behind the last mark") {
  faulty_file_system files;
  auto log = write_log(files, {});
  for (std::size_t i = log.offsets[3]; i < log.offsets[4]; i += 7) {
    auto bytes = log.bytes;
    bytes[i] = static_cast<char>(bytes[i] ^ 16);
    strings events;
    auto found = recover_from(bytes, events);
    REQUIRE_FALSE(found);
    CHECK(found.error().offset == log.offsets[3]);
  }
}

TEST_CASE("a file of format 1, which has no marks, is damaged wherever good records follow") {
  faulty_file_system files;
  auto log = write_log(files, {});
  strings events;
  auto bytes = without_sector(log, 8);
  CHECK(recover_from(bytes, events));
  bytes.replace(0, format::file_header_size, file_header(wire::load_u32(bytes.data() + 12), 1));
  CHECK_FALSE(recover_from(bytes, events));
}

TEST_CASE("after a clean end no missing sector is a torn tail") {
  faulty_file_system files;
  marked_log log;
  {
    auto opened = start(files, {0});
    for (int i = 0; i < 5; ++i) {
      log.offsets.push_back(opened.writer.length());
      REQUIRE_FALSE(write(opened.writer, published(std::string(700, 'x'))));
    }
    REQUIRE_FALSE(opened.writer.close());
  }
  log.bytes = files.content(log_path);
  strings events;
  for (std::size_t record = 0; record < 4; ++record) CHECK_FALSE(recover_from(without_sector(log, record), events));
}

TEST_CASE("a mark is written once for each fsync, and starts without appends add none") {
  faulty_file_system files;
  { write_log(files, {4, 5}); }
  auto count = [&] {
    auto reader = log_reader::open(files, log_path, {incr_name(1), file_state::open, 0});
    REQUIRE(reader);
    std::uint64_t records = 0;
    std::uint64_t bytes = format::file_header_size;
    for (auto next = reader->next(); !next->empty(); next = reader->next()) {
      for (const auto& record : *next) bytes += format::record_header_size + record.body.size();
      records += next->size();
    }
    CHECK(records == 10);
    return (reader->position() - bytes) / format::mark_size;
  };
  CHECK(count() == 2);
  for (int i = 0; i < 3; ++i) {
    auto opened = start(files);
    REQUIRE_FALSE(opened.writer.close());
    CHECK(count() == 3);
  }
}

TEST_CASE("a mark that claims more than its file had is not believed") {
  faulty_file_system files;
  auto log = write_log(files, {});
  auto mark = sync_mark(std::uint64_t{1} << 40);
  salt_frame(mark, wire::load_u32(log.bytes.data() + 12));
  log.bytes += mark;
  strings events;
  CHECK(recover_from(without_sector(log, 3), events));
  CHECK(events.size() == 3);
}

TEST_CASE("sync marks keep large numbers, and only they are read as marks") {
  for (std::uint64_t length : {std::uint64_t{0}, std::uint64_t{20}, std::uint64_t{1} << 33, ~std::uint64_t{0}}) {
    auto framed = sync_mark(length);
    CHECK(framed.size() == format::mark_size);
    CHECK(read_sync_mark(std::string_view{framed}.substr(format::record_header_size)) == length);
  }
  CHECK_FALSE(read_sync_mark(std::string_view{created("ab")}.substr(format::record_header_size)));
  CHECK_FALSE(read_sync_mark("0123456789"));
}

}  // namespace mqlite
