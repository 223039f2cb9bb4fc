#include "persistence/manifest.hpp"

#include <doctest/doctest.h>

#include "faulty_file_system.hpp"
#include "log_fixture.hpp"
#include "persistence/crc32c.hpp"

namespace mqlite {

namespace {

manifest some_manifest() {
  manifest files;
  files.base = manifest_entry{base_name(3), file_state::sealed, 7340};
  files.incrs = {{incr_name(4), file_state::cut, 1048}, {incr_name(5), file_state::open, 0}};
  return files;
}

std::string reason_of(std::string_view text) {
  auto parsed = manifest::parse(text, "data/manifest");
  return parsed ? "no failure" : parsed.error().text();
}

}  // namespace

TEST_CASE("a manifest reads back as it was written") {
  auto parsed = manifest::parse(some_manifest().text(), "manifest");
  REQUIRE(parsed);
  CHECK(*parsed == some_manifest());
  auto empty = manifest::parse(manifest{}.text(), "manifest");
  REQUIRE(empty);
  CHECK(*empty == manifest{});
}

TEST_CASE("a manifest is text that people can read") {
  auto text = some_manifest().text();
  CHECK(
      text.starts_with("mqlite manifest 2\nbase base-0000000003.log sealed 7340\nincr incr-0000000004.log cut 1048\n"
                       "incr incr-0000000005.log open\ncrc32c "));
}

TEST_CASE("an empty manifest, garbage and a newer format are told apart") {
  CHECK(reason_of("") == "data/manifest: the manifest is empty; run mqlite_check --repair");
  CHECK(reason_of("hello\n") ==
        "data/manifest: this is no manifest: its first line is not \"mqlite manifest \" and a number; run mqlite_check "
        "--repair");
  CHECK(reason_of("mqlite manifest 3\nanything") ==
        "data/manifest: written in format 3; this program knows formats up to 2: a newer mqlite is needed");
  CHECK(manifest::parse("mqlite manifest 3\n", "m").error().kind == failure_kind::newer_format);
  CHECK(reason_of("mqlite manifest 1\n") ==
        "data/manifest: the manifest's last line, its checksum, is missing; run mqlite_check --repair");
}

TEST_CASE("a line that makes no sense is named") {
  for (auto line : {"", "incr", "incr ../etc/passwd open", "temp incr-0000000001.log open",
                    "incr base-0000000001.log open", "incr incr-0000000001.log", "incr incr-0000000001.log open 5",
                    "incr incr-0000000001.log sealed", "incr incr-0000000001.log sealed 19",
                    "incr incr-0000000001.log sealed -1", "incr incr-0000000001.log sealed 5x"}) {
    CAPTURE(line);
    CHECK(reason_of("mqlite manifest 1\n" + std::string{line} + "\n") ==
          "data/manifest: line 2 of the manifest cannot be understood; run mqlite_check --repair");
  }
}

TEST_CASE("no change of a manifest's bytes goes unnoticed") {
  auto text = some_manifest().text();
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto changed = text;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    CHECK_FALSE(manifest::parse(changed, "manifest"));
    CHECK_FALSE(manifest::parse(text.substr(0, i), "manifest"));
  }
  CHECK_FALSE(manifest::parse(text + "x", "manifest"));
}

TEST_CASE("names of log files carry their number") {
  CHECK(incr_name(4) == "incr-0000000004.log");
  CHECK(log_file_number("incr-0000000004.log") == 4);
  CHECK(log_file_number(base_name(12345678901)) == 12345678901);
  for (auto name :
       {"incr-4.log", "incr-000000000x.log", "other-0000000004.log", "incr-0000000004.txt", "manifest", ""}) {
    CHECK_FALSE(log_file_number(name));
  }
}

TEST_CASE("replacing the manifest is all or nothing, whatever step fails and even when the power does") {
  test::faulty_file_system files;
  files.create_folders("data");
  REQUIRE_FALSE(write_manifest(files, "data", some_manifest()).failed);
  auto old_text = some_manifest().text();
  auto newer = some_manifest();
  newer.incrs.push_back({incr_name(6), file_state::open, 0});
  for (std::uint64_t steps = 0;; ++steps) {
    files.plan({.steps = steps});
    auto written = write_manifest(files, "data", newer);
    if (!written.failed) break;
    CHECK(files.content("data/manifest") == (written.in_force ? newer.text() : old_text));
    files.lose_power();
    CHECK(files.content("data/manifest") == old_text);
  }
  CHECK(files.content("data/manifest") == newer.text());
  files.lose_power();
  CHECK(files.content("data/manifest") == newer.text());
}

}  // namespace mqlite
