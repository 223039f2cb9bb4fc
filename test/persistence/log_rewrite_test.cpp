#include <doctest/doctest.h>

#include "faulty_file_system.hpp"
#include "log_fixture.hpp"
#include "persistence/base_writer.hpp"

namespace mqlite {

namespace {

using namespace test;

/// Runs a change and takes it over.
std::optional<log_failure> apply(log_writer& writer, log_change change) {
  auto failed = change.run();
  writer.adopt(std::move(change));
  return failed;
}

/// A whole rewrite whose snapshot is one message `snapshot`; whether it came to its end.
bool rewrite(log_writer& writer) {
  if (apply(writer, writer.plan_new_file())) return false;
  auto base = base_writer::create(writer.plan_base());
  if (!base || base->append(published("snapshot"))) return false;
  auto finished = base->finish();
  return finished && !apply(writer, writer.plan_commit(*finished));
}

}  // namespace

TEST_CASE("appends go on while a new file is being begun") {
  faulty_file_system files;
  auto opened = start(files);
  auto& writer = opened.writer;
  REQUIRE_FALSE(write(writer, published("before")));
  auto change = writer.plan_new_file();
  REQUIRE_FALSE(write(writer, published("meanwhile 1")));
  REQUIRE_FALSE(change.run());
  REQUIRE_FALSE(write(writer, published("meanwhile 2")));
  writer.append(published("queued"));
  auto old_file = writer.current();
  CHECK(writer.adopt(std::move(change)) == old_file);
  REQUIRE_FALSE(writer.flush());
  CHECK(writer.current_name() == incr_name(2));
  strings all{"7:before", "7:meanwhile 1", "7:meanwhile 2", "7:queued"};
  CHECK(replay(files) == all);
  REQUIRE_FALSE(old_file->sync());
  REQUIRE_FALSE(writer.current()->sync());
  files.lose_power();
  CHECK(replay(files) == all);
}

TEST_CASE("a file that is no longer appended to is sealed with the next change") {
  faulty_file_system files;
  auto opened = start(files);
  REQUIRE_FALSE(write(opened.writer, published("first")));
  auto length = opened.writer.length();
  REQUIRE_FALSE(opened.writer.begin_new_file());
  REQUIRE_FALSE(write(opened.writer, published("second")));
  REQUIRE_FALSE(opened.writer.begin_new_file());
  auto text = files.content(log_folder / "manifest");
  CHECK(text.find("incr-0000000001.log sealed " + std::to_string(length) + "\n") != std::string::npos);
  CHECK(text.find("incr-0000000002.log open\n") != std::string::npos);
  CHECK(files.content(log_folder / incr_name(1)).size() == length);
  CHECK(replay(files) == strings{"7:first", "7:second"});
}

TEST_CASE("a rewrite puts a base in the place of what came before it") {
  faulty_file_system files;
  auto opened = start(files);
  auto& writer = opened.writer;
  REQUIRE_FALSE(write(writer, published("old")));
  REQUIRE(rewrite(writer));
  REQUIRE_FALSE(write(writer, published("new")));
  CHECK(replay(files) == strings{"7:snapshot", "7:new"});
  CHECK(*files.list(log_folder) == strings{"base-0000000003.log", "incr-0000000002.log", "lock", "manifest"});
  CHECK(writer.base_bytes() == files.content(log_folder / base_name(3)).size());
  CHECK(writer.bytes() == writer.base_bytes() + writer.length());
  REQUIRE(rewrite(writer));
  CHECK(replay(files) == strings{"7:snapshot"});
}

TEST_CASE("a new file begun while a rewrite runs is kept by its commit") {
  faulty_file_system files;
  auto opened = start(files);
  auto& writer = opened.writer;
  REQUIRE_FALSE(write(writer, published("old")));
  REQUIRE_FALSE(apply(writer, writer.plan_new_file()));
  auto base = base_writer::create(writer.plan_base());
  REQUIRE(base);
  REQUIRE_FALSE(base->append(published("snapshot")));
  REQUIRE_FALSE(write(writer, published("during")));
  files.plan({.writable_bytes = 3});
  CHECK(write(writer, published("refused")));
  files.plan({});
  REQUIRE_FALSE(writer.begin_new_file());
  REQUIRE_FALSE(write(writer, published("after")));
  auto finished = base->finish();
  REQUIRE(finished);
  REQUIRE_FALSE(apply(writer, writer.plan_commit(*finished)));
  CHECK(replay(files) == strings{"7:snapshot", "7:during", "7:after"});
}

TEST_CASE("an abandoned base is removed") {
  faulty_file_system files;
  auto opened = start(files);
  {
    auto base = base_writer::create(opened.writer.plan_base());
    REQUIRE(base);
    CHECK(files.exists(log_folder / base_name(2)));
  }
  CHECK_FALSE(files.exists(log_folder / base_name(2)));
}

TEST_CASE("a rewrite that cannot be committed leaves neither a base nor a draft that counts") {
  faulty_file_system files;
  auto opened = start(files);
  auto& writer = opened.writer;
  REQUIRE_FALSE(write(writer, published("old")));
  files.plan({.rename_error = std::make_error_code(std::errc::io_error)});
  CHECK_FALSE(rewrite(writer));
  CHECK(*files.list(log_folder) == strings{incr_name(1), "lock", "manifest", "manifest.tmp"});
  files.plan({});
  REQUIRE_FALSE(apply(writer, writer.plan_new_file()));
  auto base = base_writer::create(writer.plan_base());
  REQUIRE(base);
  auto finished = base->finish();
  REQUIRE(finished);
  files.plan({.rename_error = std::make_error_code(std::errc::io_error)});
  CHECK(apply(writer, writer.plan_commit(*finished)));
  files.plan({});
  CHECK_FALSE(files.exists(log_folder / finished->name));
  REQUIRE_FALSE(write(writer, published("new")));
  CHECK(replay(files) == strings{"7:old", "7:new"});
}

TEST_CASE("a rewrite that dies at any step leaves the old log or the new one, even when the power fails") {
  for (auto power : {false, true}) {
    for (std::uint64_t steps = 0;; ++steps) {
      CAPTURE(power);
      CAPTURE(steps);
      faulty_file_system files;
      auto complete = false;
      {
        auto opened = start(files);
        REQUIRE_FALSE(write(opened.writer, published("old")));
        REQUIRE_FALSE(opened.writer.current()->sync());
        files.plan({.steps = steps});
        complete = rewrite(opened.writer);
        complete = complete && files.steps() <= steps;
        if (power) files.lose_power();
        files.plan({});
      }
      if (power) files.lose_power();
      {
        auto opened = start(files);
        auto is_old = opened.events == strings{"7:old"};
        CHECK((is_old || opened.events == strings{"7:snapshot"}));
        if (complete) CHECK_FALSE(is_old);
        REQUIRE_FALSE(write(opened.writer, published("new")));
        CHECK(replay(files).back() == "7:new");
        CHECK(replay(files).size() == 2);
      }
      if (complete) break;
    }
  }
}

TEST_CASE("a writer goes on after a rewrite that failed at any step") {
  for (std::uint64_t steps = 0;; ++steps) {
    CAPTURE(steps);
    faulty_file_system files;
    auto opened = start(files);
    REQUIRE_FALSE(write(opened.writer, published("old")));
    files.plan({.steps = steps});
    auto complete = rewrite(opened.writer);
    files.plan({});
    REQUIRE_FALSE(write(opened.writer, published("new")));
    auto events = replay(files);
    // Either is right when the step that failed was the folder's fsync behind the rename.
    if (complete)
      CHECK(events == strings{"7:snapshot", "7:new"});
    else
      CHECK((events == strings{"7:old", "7:new"} || events == strings{"7:snapshot", "7:new"}));
    REQUIRE(rewrite(opened.writer));
    CHECK(replay(files) == strings{"7:snapshot"});
    if (complete) break;
  }
}

}  // namespace mqlite
