#include "persistence/log_backup.hpp"

#include <doctest/doctest.h>
#include <stdlib.h>

#include "faulty_file_system.hpp"
#include "log_fixture.hpp"
#include "persistence/posix_file_system.hpp"

namespace mqlite {

namespace {

using namespace test;

const std::filesystem::path above = "backups";
const std::filesystem::path target = above / "copy";
const std::atomic<bool> not_cancelled{false};

log_result<std::uint64_t> back_up(log_writer& writer, const std::atomic<bool>& cancelled = not_cancelled) {
  if (auto failed = prepare_backup(writer.files(), target)) return unexpected{std::move(*failed)};
  if (auto failed = writer.begin_new_file()) return unexpected{std::move(*failed)};
  return copy_log(writer.plan_backup(), target, cancelled);
}

}  // namespace

TEST_CASE("a backup holds everything up to its beginning, and a log goes on from it") {
  faulty_file_system files;
  files.create_folders(above);
  auto opened = start(files);
  auto& writer = opened.writer;
  REQUIRE_FALSE(write(writer, published("first")));
  REQUIRE_FALSE(writer.begin_new_file());
  REQUIRE_FALSE(write(writer, published("second")));
  auto copied = back_up(writer);
  REQUIRE(copied);
  REQUIRE_FALSE(write(writer, published("behind it")));
  CHECK(*copied == files.content(target / incr_name(1)).size() + files.content(target / incr_name(2)).size());
  files.lose_power();
  CHECK(replay(files, target) == strings{"7:first", "7:second"});
  {
    auto copy = start(files, {}, target);
    REQUIRE_FALSE(write(copy.writer, published("on the copy")));
  }
  CHECK(replay(files, target) == strings{"7:first", "7:second", "7:on the copy"});
}

TEST_CASE("a backup holds the base of a rewritten log, and no files that hold nothing") {
  faulty_file_system files;
  files.create_folders(above);
  auto opened = start(files);
  auto& writer = opened.writer;
  REQUIRE_FALSE(write(writer, published("old")));
  REQUIRE_FALSE(writer.begin_new_file());
  auto base = base_writer::create(writer.plan_base());
  REQUIRE(base);
  REQUIRE_FALSE(base->append(published("snapshot")));
  auto finished = base->finish();
  REQUIRE(finished);
  auto change = writer.plan_commit(*finished);
  REQUIRE_FALSE(change.run());
  writer.adopt(std::move(change));
  REQUIRE(back_up(writer));
  CHECK(*files.list(target) == strings{finished->name, "manifest"});
  CHECK(replay(files, target) == strings{"7:snapshot"});
}

TEST_CASE("a backup that fails at any step is no log, and the next one succeeds") {
  for (std::uint64_t steps = 0;; ++steps) {
    CAPTURE(steps);
    faulty_file_system files;
    files.create_folders(above);
    auto opened = start(files);
    REQUIRE_FALSE(write(opened.writer, published("kept")));
    REQUIRE_FALSE(prepare_backup(files, target));
    REQUIRE_FALSE(opened.writer.begin_new_file());
    files.plan({.steps = steps});
    const auto copied = copy_log(opened.writer.plan_backup(), target, not_cancelled);
    files.plan({});
    REQUIRE_FALSE(write(opened.writer, published("later")));
    CHECK(replay(files) == strings{"7:kept", "7:later"});
    if (copied) {
      CHECK(steps > 4);
      break;
    }
    // What could not be removed either has no manifest, or says all that a backup says.
    if (files.exists(target / "manifest")) CHECK(replay(files, target) == strings{"7:kept"});
    const auto left = *files.list(target);
    for (const auto& name : left) files.erase(target / name);
    REQUIRE(back_up(opened.writer));
    CHECK(replay(files, target) == strings{"7:kept", "7:later"});
  }
}

TEST_CASE("a backup that is cancelled leaves nothing") {
  faulty_file_system files;
  files.create_folders(above);
  auto opened = start(files);
  REQUIRE_FALSE(write(opened.writer, published("kept")));
  const std::atomic<bool> cancelled{true};
  CHECK_FALSE(back_up(opened.writer, cancelled));
  CHECK(files.list(target)->empty());
}

TEST_CASE("a folder for a backup is made where there is none, and refused where there is something") {
  faulty_file_system files;
  files.create_folders(above);
  CHECK_FALSE(prepare_backup(files, target));
  CHECK_FALSE(prepare_backup(files, target));
  files.put(target / "mine", "something");
  const auto refused = prepare_backup(files, target);
  REQUIRE(refused);
  CHECK(refused->code == std::errc::file_exists);
  const auto missing = prepare_backup(files, "nowhere/copy");
  REQUIRE(missing);
  CHECK(missing->text().find("nowhere: ") == 0);
}

TEST_CASE("files are linked where that is possible: a rewrite of the original leaves the copy whole") {
  posix_file_system files;
  char pattern[] = "/tmp/mqlite-backup-XXXXXX";
  const std::filesystem::path folder = mkdtemp(pattern);
  {
    auto opened = start(files, {}, folder / "data");
    auto& writer = opened.writer;
    REQUIRE_FALSE(write(writer, published("kept")));
    REQUIRE_FALSE(prepare_backup(files, folder / "copy"));
    REQUIRE_FALSE(writer.begin_new_file());
    REQUIRE(copy_log(writer.plan_backup(), folder / "copy", not_cancelled));
    CHECK(std::filesystem::hard_link_count(folder / "copy" / incr_name(1)) == 2);
    auto base = base_writer::create(writer.plan_base());
    REQUIRE(base);
    auto finished = base->finish();
    REQUIRE(finished);
    auto change = writer.plan_commit(*finished);
    REQUIRE_FALSE(change.run());
    writer.adopt(std::move(change));
    CHECK(replay(files, folder / "data").empty());
    CHECK(replay(files, folder / "copy") == strings{"7:kept"});
  }
  std::filesystem::remove_all(folder);
}

}  // namespace mqlite
