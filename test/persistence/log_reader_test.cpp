#include "persistence/log_reader.hpp"

#include <algorithm>

#include <doctest/doctest.h>

#include "faulty_file_system.hpp"
#include "log_fixture.hpp"
#include "persistence/wire.hpp"

namespace mqlite {

namespace {

using namespace test;

/// The events of write_small_log(), and where its records begin (the last entry is the end).
struct small_log {
  strings events;
  std::vector<std::uint64_t> offsets;
  std::string bytes;
};

/// A cleanly closed log of a few records of both kinds.
small_log write_small_log(faulty_file_system& files, std::uint64_t preallocate = 0) {
  small_log log;
  auto opened = start(files, {preallocate});
  for (const auto& framed :
       {created("orders"), published("first"), published("second"), created("billing"), published("last one")}) {
    log.offsets.push_back(opened.writer.length());
    REQUIRE_FALSE(write(opened.writer, framed));
  }
  log.offsets.push_back(opened.writer.length());
  REQUIRE_FALSE(opened.writer.current()->sync());
  log.bytes = files.content(log_path);
  log.events = replay(files);
  REQUIRE(log.events == strings{"created orders", "7:first", "7:second", "created billing", "7:last one"});
  return log;
}

bool is_prefix(const strings& some, const strings& whole) {
  return some.size() <= whole.size() && std::equal(some.begin(), some.end(), whole.begin());
}

/// What recovery makes of the folder: its events, or the failure.
struct attempt {
  recording_visitor visitor;
  std::optional<recovered> found;
  std::optional<log_failure> failed;
};

attempt try_recover(faulty_file_system& files) {
  attempt out;
  auto found = recover(files, log_folder, out.visitor);
  if (found)
    out.found = std::move(*found);
  else
    out.failed = std::move(found.error());
  return out;
}

}  // namespace

TEST_CASE("any flipped byte is detected or harmless, and never makes a wrong record") {
  faulty_file_system files;
  auto log = write_small_log(files);
  for (std::size_t i = 0; i < log.bytes.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      CAPTURE(i);
      CAPTURE(bit);
      auto flipped = log.bytes;
      flipped[i] = static_cast<char>(flipped[i] ^ 1 << bit);
      files.put(log_path, flipped);
      auto tried = try_recover(files);
      CHECK(is_prefix(tried.visitor.events, log.events));
      auto in_last_record = i >= log.offsets[4];
      CHECK(tried.found.has_value() == in_last_record);
      if (tried.found) {
        // Nothing good follows the last record: it is a torn tail.
        REQUIRE(tried.found->found[0].torn);
        CHECK(tried.found->found[0].torn->offset == log.offsets[4]);
        CHECK(tried.found->found[0].torn->bytes == log.bytes.size() - log.offsets[4]);
        CHECK(tried.visitor.events.size() == 4);
      } else if (i >= format::file_header_size) {
        CHECK(tried.failed->kind == failure_kind::damaged);
        auto damaged = std::find_if(log.offsets.rbegin(), log.offsets.rend(), [&](auto offset) { return offset <= i; });
        CHECK(tried.failed->offset == *damaged);
      }
    }
  }
}

TEST_CASE("a log cut at any byte gives exactly a prefix, says so, and can be gone on with") {
  faulty_file_system whole;
  auto log = write_small_log(whole);
  for (std::uint64_t length = format::file_header_size; length <= log.bytes.size(); ++length) {
    CAPTURE(length);
    faulty_file_system files;
    files.create_folders(log_folder);
    files.put(log_folder / "manifest", whole.content(log_folder / "manifest"));
    files.put(log_path, log.bytes.substr(0, length));
    auto records = std::upper_bound(log.offsets.begin(), log.offsets.end(), length) - log.offsets.begin() - 1;
    auto good = strings{log.events.begin(), log.events.begin() + records};
    {
      auto opened = start(files);
      CHECK(opened.events == good);
      const auto& file = opened.found.found.back();
      CHECK(file.length == log.offsets[records]);
      CHECK(file.torn.has_value() == (length != log.offsets[records]));
      if (file.torn) CHECK(file.torn->offset == log.offsets[records]);
      if (file.torn) CHECK(file.torn->bytes <= length - log.offsets[records]);
      REQUIRE_FALSE(write(opened.writer, published("gone on")));
    }
    good.push_back("7:gone on");
    auto again = start(files);
    CHECK(again.events == good);
    CHECK_FALSE(again.found.found.back().torn);
  }
}

TEST_CASE("a file cut within its header, or emptied, is damage") {
  faulty_file_system files;
  auto log = write_small_log(files);
  files.put(log_path, "");
  CHECK(try_recover(files).failed->text() ==
        "data/incr-0000000001.log is damaged at offset 0: the file is empty; run mqlite_check --repair");
  for (std::size_t length = 1; length < format::file_header_size; ++length) {
    files.put(log_path, log.bytes.substr(0, length));
    CHECK(
        try_recover(files).failed->text() ==
        "data/incr-0000000001.log is damaged at offset 0: the file ends within its header; run mqlite_check --repair");
  }
}

TEST_CASE("a file of a newer format version is refused, and says so") {
  faulty_file_system files;
  auto log = write_small_log(files);
  log.bytes[8] = 3;
  files.put(log_path, log.bytes);
  auto tried = try_recover(files);
  CHECK(tried.failed->kind == failure_kind::newer_format);
  CHECK(tried.failed->text() ==
        "data/incr-0000000001.log: written in format 3; this program knows formats up to 2: a newer mqlite is needed");
}

TEST_CASE("damage in the middle names the file, the offset and the way out in one line") {
  faulty_file_system files;
  auto log = write_small_log(files);
  log.bytes[log.offsets[2] + 12] ^= 1;
  files.put(log_path, log.bytes);
  auto tried = try_recover(files);
  CHECK(tried.failed->text() == "data/incr-0000000001.log is damaged at offset " + std::to_string(log.offsets[2]) +
                                    ": a record does not match its checksum, and a good record follows at offset " +
                                    std::to_string(log.offsets[3]) + "; run mqlite_check --repair");
}

TEST_CASE("the zeros of a preallocated file are its clean end") {
  faulty_file_system files;
  auto log = write_small_log(files, 5000);
  CHECK(log.bytes.size() > log.offsets.back() + 4000);
  auto tried = try_recover(files);
  REQUIRE(tried.found);
  CHECK_FALSE(tried.found->found[0].torn);
  CHECK(tried.found->bytes == log.offsets.back());
}

TEST_CASE("anything but zeros behind the end is a torn tail, counted without the zeros behind it") {
  faulty_file_system files;
  auto log = write_small_log(files, 5000);
  log.bytes[log.offsets.back() + 99] = 'x';
  files.put(log_path, log.bytes);
  auto tried = try_recover(files);
  REQUIRE(tried.found);
  REQUIRE(tried.found->found[0].torn);
  CHECK(tried.found->found[0].torn->bytes == 100);
}

TEST_CASE("a half-written record whose payload holds good-looking records is a torn tail") {
  faulty_file_system files;
  auto log = write_small_log(files);
  std::string imitation;
  for (int i = 0; i < 50; ++i) imitation += published("imitated");
  std::uint64_t before = 0;
  {
    auto opened = start(files, {0});
    before = opened.writer.length();
    REQUIRE_FALSE(write(opened.writer, published(imitation)));
  }
  auto bytes = files.content(log_path);
  files.put(log_path, bytes.substr(0, bytes.size() - 10));
  auto tried = try_recover(files);
  REQUIRE(tried.found);
  CHECK(tried.visitor.events == log.events);
  REQUIRE(tried.found->found[0].torn);
  CHECK(tried.found->found[0].torn->offset == before + format::mark_size);
}

TEST_CASE("a good record is found behind damage of any length") {
  faulty_file_system files;
  std::uint64_t before = 0;
  std::uint64_t behind = 0;
  {
    auto opened = start(files);
    before = opened.writer.length();
    REQUIRE_FALSE(write(opened.writer, published(std::string(9'000'000, '\1'))));
    behind = opened.writer.length();
    REQUIRE_FALSE(write(opened.writer, published(std::string(5'000'000, 'b'))));
  }
  auto bytes = files.content(log_path);
  bytes[before + 100] = 'y';
  files.put(log_path, bytes);
  auto tried = try_recover(files);
  REQUIRE(tried.failed);
  CHECK(tried.failed->offset == before);
  CHECK(tried.failed->reason.ends_with("follows at offset " + std::to_string(behind)));
}

TEST_CASE("a reader can go on behind damage") {
  faulty_file_system files;
  auto log = write_small_log(files);
  log.bytes[log.offsets[1] + 12] ^= 1;
  files.put(log_path, log.bytes);
  auto reader = log_reader::open(files, log_path, {incr_name(1), file_state::open, 0});
  REQUIRE(reader);
  REQUIRE(reader->next()->size() == 1);
  REQUIRE_FALSE(reader->next());
  auto next = reader->find_record(reader->position() + 1);
  REQUIRE(next);
  CHECK(*next == log.offsets[2]);
  reader->seek(**next);
  CHECK(reader->next()->size() == 3);
  CHECK(reader->next()->empty());
}

TEST_CASE("a sealed file that is shorter than it was is damage, and what is behind its length does not count") {
  faulty_file_system files;
  auto log = write_small_log(files);
  manifest sealed;
  sealed.incrs = {{incr_name(1), file_state::sealed, log.offsets[3]}};
  files.put(log_folder / "manifest", sealed.text());
  CHECK(replay(files) == strings{"created orders", "7:first", "7:second"});
  files.put(log_path, log.bytes.substr(0, log.offsets[3] - 1));
  CHECK(try_recover(files).failed->offset == log.offsets[3] - 1);
  auto zeroed = log.bytes;
  std::fill(zeroed.begin() + static_cast<long>(log.offsets[2]), zeroed.end(), '\0');
  files.put(log_path, zeroed);
  CHECK(try_recover(files).failed->offset == log.offsets[2]);
}

TEST_CASE("a cut file may end earlier, and what is behind its length does not count") {
  faulty_file_system files;
  auto log = write_small_log(files);
  manifest cut;
  cut.incrs = {{incr_name(1), file_state::cut, log.offsets[3]}};
  files.put(log_folder / "manifest", cut.text());
  CHECK(replay(files) == strings{"created orders", "7:first", "7:second"});
  files.put(log_path, log.bytes.substr(0, log.offsets[2] + 5));
  CHECK(replay(files) == strings{"created orders", "7:first"});
}

TEST_CASE("a read error is reported as such") {
  faulty_file_system files;
  write_small_log(files);
  files.plan({.read_error = std::make_error_code(std::errc::io_error)});
  auto tried = try_recover(files);
  REQUIRE(tried.failed);
  CHECK(tried.failed->kind == failure_kind::io);
}

}  // namespace mqlite
