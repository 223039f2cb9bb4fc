#include "persistence/recovery.hpp"

#include <doctest/doctest.h>

#include "faulty_file_system.hpp"
#include "log_fixture.hpp"

namespace mqlite {

namespace {

using namespace test;

std::string failure_of(file_system& files) {
  recording_visitor visitor;
  auto found = recover(files, log_folder, visitor);
  return found ? "no failure" : found.error().text();
}

}  // namespace

TEST_CASE("a folder that does not exist, or is empty, is a log without records") {
  faulty_file_system files;
  CHECK(replay(files).empty());
  files.create_folders(log_folder);
  CHECK(replay(files).empty());
  CHECK(start(files).events.empty());
}

TEST_CASE("log files without a manifest are refused, unless they hold no records") {
  faulty_file_system files;
  REQUIRE_FALSE(write_once(files, created("orders")));
  files.erase(log_folder / "manifest");
  CHECK(
      failure_of(files) ==
      "data: the manifest is missing, but there are log files such as incr-0000000001.log; run mqlite_check --repair");
  files.put(log_folder / incr_name(1), file_header(1));
  CHECK(replay(files).empty());
}

TEST_CASE("a manifest that names a missing file is refused") {
  faulty_file_system files;
  { start(files); }
  files.erase(log_folder / incr_name(1));
  CHECK(failure_of(files) ==
        "data/manifest: names incr-0000000001.log, which does not exist; run mqlite_check --repair");
}

TEST_CASE("an empty manifest is refused") {
  faulty_file_system files;
  { start(files); }
  files.put(log_folder / "manifest", "");
  CHECK(failure_of(files) == "data/manifest: the manifest is empty; run mqlite_check --repair");
}

TEST_CASE("foreign files are named and left alone, left-over ones are named and removed by the writer") {
  faulty_file_system files;
  REQUIRE_FALSE(write_once(files, created("orders")));
  files.put(log_folder / "notes.txt", "mine");
  files.put(log_folder / base_name(40), "half a base");
  files.put(log_folder / "manifest.tmp", "mqlite");
  auto opened = start(files);
  CHECK(opened.found.foreign == strings{"notes.txt"});
  CHECK(opened.found.left_over == strings{"base-0000000040.log", "manifest.tmp"});
  CHECK(opened.events == strings{"created orders"});
  CHECK(files.exists(log_folder / "notes.txt"));
  CHECK_FALSE(files.exists(log_folder / base_name(40)));
  REQUIRE_FALSE(opened.writer.begin_new_file());
  CHECK(opened.writer.current_name() == incr_name(41));
}

TEST_CASE("recovery counts what it reads and reports progress") {
  faulty_file_system files;
  {
    auto opened = start(files, {0});
    for (int i = 0; i < 3; ++i) REQUIRE_FALSE(write(opened.writer, published(std::string(50u << 20, 'x'))));
    REQUIRE_FALSE(write(opened.writer, created("orders")));
  }
  recording_visitor visitor;
  std::vector<std::uint64_t> reported;
  auto found = recover(files, log_folder, visitor, [&](const recovery_progress& progress) {
    CHECK(progress.file == incr_name(1));
    CHECK(progress.total == files.content(log_folder / incr_name(1)).size());
    reported.push_back(progress.messages);
  });
  REQUIRE(found);
  CHECK(found->messages == 3);
  CHECK(found->records == 4);
  CHECK(found->bytes == files.content(log_folder / incr_name(1)).size());
  CHECK(reported == std::vector<std::uint64_t>{2});
}

TEST_CASE("an event of a newer version is skipped and counted") {
  faulty_file_system files;
  {
    journal::Record record;
    record.GetReflection()->MutableUnknownFields(&record)->AddLengthDelimited(200, "new");
    auto opened = start(files);
    REQUIRE_FALSE(write(opened.writer, frame(record)));
    REQUIRE_FALSE(write(opened.writer, created("orders")));
  }
  auto opened = start(files);
  CHECK(opened.events == strings{"created orders"});
  CHECK(opened.found.unknown_records == 1);
}

TEST_CASE("a publish with something unknown beside it is still read") {
  faulty_file_system files;
  {
    journal::Record record;
    record.mutable_published()->set_topic(7);
    auto* message = record.mutable_published()->add_messages();
    message->set_id(some_id, message_id_size);
    message->set_payload("kept");
    record.GetReflection()->MutableUnknownFields(&record)->AddVarint(200, 1);
    REQUIRE_FALSE(write_once(files, frame(record)));
  }
  CHECK(replay(files) == strings{"7:kept"});
}

TEST_CASE("a record that matches its checksum but is no record is damage") {
  faulty_file_system files;
  std::string framed(8, '\0');
  framed += "\xff\xff\xff";
  seal_frame(framed);
  REQUIRE_FALSE(write_once(files, framed));
  CHECK(failure_of(files) ==
        "data/incr-0000000001.log is damaged at offset 20: the record matches its checksum but cannot be decoded; "
        "run mqlite_check --repair");
}

}  // namespace mqlite
