#include "persistence/log_writer.hpp"

#include <doctest/doctest.h>

#include "faulty_file_system.hpp"
#include "log_fixture.hpp"

namespace mqlite {

namespace {

using namespace test;

const auto io_error = std::make_error_code(std::errc::io_error);

}  // namespace

TEST_CASE("what was flushed is replayed, over many starts") {
  faulty_file_system files;
  strings expected_events;
  for (int round = 0; round < 5; ++round) {
    auto opened = start(files, {round % 2 ? 0u : 1000u});
    CHECK(opened.events == expected_events);
    for (int i = 0; i < 30; ++i) {
      opened.writer.append(published(std::to_string(i)));
      expected_events.push_back("7:" + std::to_string(i));
      if (i % 7 == 0) REQUIRE_FALSE(opened.writer.flush());
    }
    REQUIRE_FALSE(opened.writer.flush());
    CHECK(opened.writer.current_name() == incr_name(1));
    if (round % 2) REQUIRE_FALSE(opened.writer.close());
  }
  CHECK(replay(files) == expected_events);
}

TEST_CASE("a flush is one write for everything queued") {
  faulty_file_system files;
  auto opened = start(files, {0});
  for (int i = 0; i < 3000; ++i) opened.writer.append(published("x"));
  CHECK(opened.writer.queued_bytes() == 3000 * published("x").size());
  files.plan({});
  REQUIRE_FALSE(opened.writer.flush());
  CHECK(files.steps() == 1);
  CHECK(opened.writer.queued_bytes() == 0);
  REQUIRE_FALSE(opened.writer.flush());
  CHECK(files.steps() == 1);
}

TEST_CASE("a clean end leaves a file that is exactly its records") {
  faulty_file_system files;
  auto opened = start(files);
  REQUIRE_FALSE(write(opened.writer, published("x")));
  CHECK(files.content(log_folder / incr_name(1)).size() > 16u << 20);
  opened.writer.append(published("y"));
  REQUIRE_FALSE(opened.writer.close());
  CHECK(files.content(log_folder / incr_name(1)).size() == opened.writer.length());
  files.lose_power();
  CHECK(replay(files) == strings{"7:x", "7:y"});
}

TEST_CASE("a power loss takes what was not synced and nothing else") {
  faulty_file_system files;
  auto opened = start(files);
  REQUIRE_FALSE(write(opened.writer, published("synced")));
  REQUIRE_FALSE(opened.writer.current()->sync());
  REQUIRE_FALSE(write(opened.writer, published("lost")));
  files.lose_power();
  CHECK(replay(files) == strings{"7:synced"});
}

TEST_CASE("a write that fails at any byte stores nothing of its flush, and a new file is the way out") {
  auto first = published("first");
  auto second = published("second") + std::string{};
  for (std::uint64_t cut = 0; cut < first.size() + second.size(); ++cut) {
    CAPTURE(cut);
    faulty_file_system files;
    auto opened = start(files, {0});
    auto& writer = opened.writer;
    REQUIRE_FALSE(write(writer, published("before")));
    auto length = writer.length();
    files.plan({.writable_bytes = cut});
    writer.append(first);
    writer.append(second);
    CHECK(writer.flush() == std::errc::no_space_on_device);
    CHECK(writer.length() == length);
    CHECK(files.content(log_folder / incr_name(1)).size() == length);
    REQUIRE(writer.failed());
    CHECK(writer.failed()->text() == "data/incr-0000000001.log: write: No space left on device");
    files.plan({});
    CHECK(write(writer, published("refused")) == std::errc::no_space_on_device);
    CHECK(replay(files) == strings{"7:before"});
    REQUIRE_FALSE(writer.begin_new_file());
    CHECK_FALSE(writer.failed());
    REQUIRE_FALSE(write(writer, published("after")));
    CHECK(writer.current_name() == incr_name(2));
    CHECK(replay(files) == strings{"7:before", "7:after"});
    REQUIRE_FALSE(writer.current()->sync());
    files.lose_power();
    CHECK(replay(files) == strings{"7:before", "7:after"});
  }
}

TEST_CASE("where even cutting the file fails, the manifest says what counts") {
  faulty_file_system files;
  auto opened = start(files, {0});
  REQUIRE_FALSE(write(opened.writer, published("before")));
  files.plan({.writable_bytes = 60, .truncate_error = io_error});
  opened.writer.append(published("refused"));
  opened.writer.append(published("refused too"));
  CHECK(opened.writer.flush());
  CHECK(files.content(log_folder / incr_name(1)).size() == opened.writer.length() + 60);
  files.plan({.truncate_error = io_error});
  REQUIRE_FALSE(opened.writer.begin_new_file());
  REQUIRE_FALSE(write(opened.writer, published("after")));
  CHECK(replay(files) == strings{"7:before", "7:after"});
}

TEST_CASE("while no new file can be begun the writer stays failed and the old log in force") {
  faulty_file_system files;
  auto opened = start(files, {0});
  REQUIRE_FALSE(write(opened.writer, published("before")));
  files.plan({.writable_bytes = 3});
  CHECK(write(opened.writer, published("refused")));
  std::uint64_t steps = 0;
  for (;; ++steps) {
    files.plan({.steps = steps});
    auto failed = opened.writer.begin_new_file();
    files.plan({});
    CHECK(replay(files) == strings{"7:before"});
    if (!failed) break;
    CHECK(opened.writer.failed());
    CHECK(write(opened.writer, published("refused")));
  }
  CHECK(steps > 5);
  REQUIRE_FALSE(write(opened.writer, published("after")));
  CHECK(replay(files) == strings{"7:before", "7:after"});
}

TEST_CASE("a failed file without records leaves no trace") {
  faulty_file_system files;
  auto opened = start(files, {0});
  for (int i = 0; i < 5; ++i) {
    files.plan({.writable_bytes = 3});
    CHECK(write(opened.writer, published("refused")));
    files.plan({});
    REQUIRE_FALSE(opened.writer.begin_new_file());
  }
  CHECK(*files.list(log_folder) == strings{incr_name(6), "lock", "manifest"});
}

TEST_CASE("a failed fsync poisons its file: a later one that succeeds does not make it sound") {
  faulty_file_system files;
  auto opened = start(files, {0});
  auto& writer = opened.writer;
  REQUIRE_FALSE(write(writer, published("answered")));
  auto file = writer.current();
  writer.sync_failed(file, io_error);
  REQUIRE(writer.failed());
  CHECK(writer.failed()->text() == "data/incr-0000000001.log: fsync: Input/output error");
  CHECK(write(writer, published("refused")) == io_error);
  REQUIRE_FALSE(writer.begin_new_file());
  CHECK_FALSE(writer.failed());
  CHECK(files.content(log_folder / "manifest").find("incr-0000000001.log cut") != std::string::npos);
  REQUIRE_FALSE(writer.begin_new_file());
  CHECK(files.content(log_folder / "manifest").find("incr-0000000001.log cut") != std::string::npos);
  CHECK(replay(files) == strings{"7:answered"});
  // The disk never got it: that must not stop the next start.
  files.lose_power();
  CHECK(replay(files).empty());
}

TEST_CASE("records that were refused because of a failed fsync can be cut off") {
  faulty_file_system files;
  auto opened = start(files, {0});
  REQUIRE_FALSE(write(opened.writer, published("synced")));
  REQUIRE_FALSE(opened.writer.current()->sync());
  auto synced = opened.writer.length();
  REQUIRE_FALSE(write(opened.writer, published("refused")));
  opened.writer.sync_failed(opened.writer.current(), io_error, synced);
  CHECK(replay(files) == strings{"7:synced"});
  REQUIRE_FALSE(opened.writer.begin_new_file());
  REQUIRE_FALSE(write(opened.writer, published("after")));
  CHECK(replay(files) == strings{"7:synced", "7:after"});
}

TEST_CASE("a log that fills what it reserves has zeros behind its end, a step at a time") {
  faulty_file_system files;
  auto opened = start(files, {.preallocate = 1000, .fill = true});
  const auto path = log_folder / incr_name(1);
  std::set<std::size_t> sizes;
  for (int i = 0; i < 20; ++i) {
    REQUIRE_FALSE(write(opened.writer, published(std::to_string(i) + std::string(100, 'x'))));
    const auto content = files.content(path);
    sizes.insert(content.size());
    REQUIRE(content.size() >= opened.writer.length());
    CHECK(content.find_first_not_of('\0', opened.writer.length()) == std::string::npos);
  }
  CHECK(sizes.size() == 3);  // about 2,500 bytes
  CHECK(replay(files).size() == 20);
}

TEST_CASE("a disk that has no room for the zeros ahead of a log is written as far as it goes") {
  faulty_file_system files;
  auto opened = start(files, {.preallocate = 1000, .fill = true});
  files.plan({.longest_file = 400});
  for (int i = 0; i < 3; ++i) REQUIRE_FALSE(write(opened.writer, published("x" + std::to_string(i))));
  CHECK(opened.writer.length() < 300);
  CHECK(files.content(log_folder / incr_name(1)).size() == 400);
  CHECK(write(opened.writer, published(std::string(300, 'y'))) == std::errc::no_space_on_device);
  CHECK(replay(files) == strings{"7:x0", "7:x1", "7:x2"});
}

TEST_CASE("a file system that cannot preallocate is written without") {
  for (auto error : {std::errc::no_space_on_device, std::errc::operation_not_supported}) {
    faulty_file_system files;
    auto opened = start(files);
    files.plan({.preallocate_error = std::make_error_code(error)});
    REQUIRE_FALSE(write(opened.writer, published("x")));
    REQUIRE_FALSE(write(opened.writer, published("y")));
    CHECK(files.content(log_folder / incr_name(1)).size() == opened.writer.length());
    CHECK(replay(files) == strings{"7:x", "7:y"});
  }
}

TEST_CASE("a start that fails at any step loses nothing and the next one works") {
  faulty_file_system files;
  for (std::uint64_t steps = 0;; ++steps) {
    files.plan({.steps = steps});
    try {
      auto opened = start(files);
      files.plan({});
      REQUIRE_FALSE(write(opened.writer, published("x")));
      break;
    } catch (const std::runtime_error& failed) {
      CHECK(std::string{failed.what()}.find("Input/output error") != std::string::npos);
    }
    files.lose_power();
  }
  CHECK(replay(files) == strings{"7:x"});
}

TEST_CASE("a second writer of the folder is refused with the first one's pid") {
  faulty_file_system files;
  auto opened = start(files);
  auto second = folder_lock::take(files, log_folder);
  REQUIRE_FALSE(second);
  CHECK(second.error().kind == failure_kind::locked);
  CHECK(second.error().text().starts_with("data: in use by the process with pid "));
}

}  // namespace mqlite
