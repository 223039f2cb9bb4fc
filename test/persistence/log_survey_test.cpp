#include "persistence/log_survey.hpp"

#include <doctest/doctest.h>

#include "faulty_file_system.hpp"
#include "log_fixture.hpp"
#include "persistence/base_writer.hpp"
#include "persistence/log_copy.hpp"

namespace mqlite {

namespace {

using namespace test;

/// Keeps the events of a survey as recording_visitor does, and copies every record where a copy is given.
class recording_survey final : public survey_visitor {
 public:
  explicit recording_survey(log_copy* copy = nullptr) : copy_(copy) {}

  bool on_record(const surveyed_file& file, const record_view& record) override {
    if (copy_) CHECK_FALSE(copy_->append(file.entry.name, record.body));
    return decoder_.decode(record.body, visitor_) != record_decoder::outcome::malformed;
  }
  const strings& events() const { return visitor_.events; }

 private:
  log_copy* copy_;
  record_decoder decoder_;
  recording_visitor visitor_;
};

struct surveyed {
  log_survey what;
  strings events;
};

surveyed survey(file_system& files, log_copy* copy = nullptr) {
  recording_survey visitor{copy};
  auto what = survey_log(files, log_folder, visitor);
  REQUIRE(what);
  return {std::move(*what), visitor.events()};
}

/// A rewrite up to a complete base with a record for each message.
finished_base write_base(log_writer& writer, const strings& snapshot) {
  REQUIRE_FALSE(writer.begin_new_file());
  auto base = base_writer::create(writer.plan_base());
  REQUIRE(base);
  for (const auto& text : snapshot) REQUIRE_FALSE(base->append(published(text)));
  auto finished = base->finish();
  REQUIRE(finished);
  return *finished;
}

void commit(log_writer& writer, const finished_base& base) {
  auto change = writer.plan_commit(base);
  REQUIRE_FALSE(change.run());
  writer.adopt(std::move(change));
}

}  // namespace

TEST_CASE("a survey of a sound log finds what recovery finds") {
  faulty_file_system files;
  {
    auto opened = start(files);
    REQUIRE_FALSE(write(opened.writer, published("old")));
    commit(opened.writer, write_base(opened.writer, {"snapshot"}));
    REQUIRE_FALSE(write(opened.writer, published("new")));
    REQUIRE_FALSE(opened.writer.close());
  }
  auto found = survey(files);
  CHECK(found.what.sound());
  CHECK(found.events == replay(files));
  REQUIRE(found.what.found.size() == 2);
  CHECK(found.what.found[0].entry.name == base_name(3));
  CHECK(found.what.found[1].records == 1);
  CHECK(found.what.found[1].length == files.content(log_folder / incr_name(2)).size());
}

TEST_CASE("without a manifest a complete base stands for everything before it") {
  for (auto committed : {false, true}) {
    CAPTURE(committed);
    faulty_file_system files;
    {
      auto opened = start(files);
      REQUIRE_FALSE(write(opened.writer, published("old")));
      auto base = write_base(opened.writer, {"snapshot"});
      if (committed) commit(opened.writer, base);
      REQUIRE_FALSE(write(opened.writer, published("new")));
    }
    files.erase(log_folder / "manifest");
    auto found = survey(files);
    CHECK(found.what.manifest_rebuilt);
    CHECK_FALSE(found.what.sound());
    CHECK(found.events == strings{"7:snapshot", "7:new"});
    CHECK(found.what.content.left_over == (committed ? strings{} : strings{incr_name(1)}));
  }
}

TEST_CASE("without a manifest a base that was not finished counts for nothing") {
  faulty_file_system files;
  {
    auto opened = start(files);
    REQUIRE_FALSE(write(opened.writer, published("old")));
    write_base(opened.writer, {"snapshot"});
    REQUIRE_FALSE(write(opened.writer, published("new")));
  }
  auto base = files.content(log_folder / base_name(3));
  files.erase(log_folder / "manifest");
  for (auto length : {base.size() - 1, base.size() - format::mark_size, format::file_header_size, std::size_t{0}}) {
    CAPTURE(length);
    files.put(log_folder / base_name(3), base.substr(0, length));
    CHECK(survey(files).events == strings{"7:old", "7:new"});
  }
}

TEST_CASE("without a manifest a damaged base that was in force counts, an unfinished one beside it does not") {
  for (auto unfinished : {false, true}) {
    CAPTURE(unfinished);
    faulty_file_system files;
    {
      auto opened = start(files);
      REQUIRE_FALSE(write(opened.writer, published("old")));
      commit(opened.writer, write_base(opened.writer, {"a", "b", "c"}));
      REQUIRE_FALSE(write(opened.writer, published("new")));
      if (unfinished) write_base(opened.writer, {"x"});
    }
    files.erase(log_folder / "manifest");
    auto later = log_folder / base_name(5);
    if (unfinished) files.put(later, files.content(later).substr(0, files.content(later).size() - format::mark_size));
    auto base = files.content(log_folder / base_name(3));
    auto mark = base.size() - format::mark_size;
    auto step = (mark - format::file_header_size) / 3;
    auto check = [&](const std::string& content, const strings& events) {
      files.put(log_folder / base_name(3), content);
      auto found = survey(files);
      CHECK(found.events == events);
      CHECK(found.what.found[0].gaps.size() == 1);
      CHECK(found.what.content.left_over == (unfinished ? strings{base_name(5)} : strings{}));
    };
    auto flipped = [&](std::size_t place) {
      auto content = base;
      content[place] ^= 1;
      return content;
    };
    check(flipped(0), {"7:a", "7:b", "7:c", "7:new"});
    check(flipped(format::file_header_size + step / 2), {"7:b", "7:c", "7:new"});
    check(flipped(format::file_header_size + step + step / 2), {"7:a", "7:c", "7:new"});
    check(flipped(mark + 10), {"7:a", "7:b", "7:c", "7:new"});
    check(base.substr(0, mark - step / 2), {"7:a", "7:b", "7:new"});
  }
}

TEST_CASE("a survey tells of each record how much is missing before it, in earlier files too") {
  faulty_file_system files;
  std::uint64_t second = 0;
  {
    auto opened = start(files, {0});
    REQUIRE_FALSE(write(opened.writer, published("a")));
    second = opened.writer.length();
    REQUIRE_FALSE(write(opened.writer, published("b")));
    REQUIRE_FALSE(write(opened.writer, published("c")));
    REQUIRE_FALSE(write(opened.writer, published("d")));
    REQUIRE_FALSE(opened.writer.begin_new_file());
    REQUIRE_FALSE(write(opened.writer, published("e")));
    REQUIRE_FALSE(opened.writer.begin_new_file());  // seals the first
    REQUIRE_FALSE(write(opened.writer, published("f")));
  }
  auto bytes = files.content(log_folder / incr_name(1));
  bytes[second + 10] ^= 1;
  bytes.resize(bytes.size() - 1);
  files.put(log_folder / incr_name(1), bytes);
  auto found = survey(files).what.found;
  CHECK(found.front().missing_before == 0);
  CHECK(found.front().gaps.size() == 2);
  CHECK(found.back().missing_before == 2);
}

TEST_CASE("a survey reads on behind every kind of damage, and a copy of what it reads is a sound log") {
  faulty_file_system files;
  std::vector<std::uint64_t> offsets;
  {
    auto opened = start(files, {0});
    for (auto text : {"a", "b", "c", "d", "e", "f"}) {
      offsets.push_back(opened.writer.length());
      REQUIRE_FALSE(write(opened.writer, published(text)));
    }
    REQUIRE_FALSE(opened.writer.begin_new_file());
    REQUIRE_FALSE(write(opened.writer, published("g")));
    REQUIRE_FALSE(opened.writer.begin_new_file());  // seals the first
    REQUIRE_FALSE(write(opened.writer, published("h")));
  }
  auto bytes = files.content(log_folder / incr_name(1));
  bytes[offsets[1] + 10] ^= 1;
  bytes[offsets[3]] ^= 1;
  bytes.resize(offsets[5] + 4);
  files.put(log_folder / incr_name(1), bytes);
  log_copy copy{files, "copy"};
  files.create_folders("copy");
  auto found = survey(files, &copy);
  CHECK(found.events == strings{"7:a", "7:c", "7:e", "7:g", "7:h"});
  const auto& gaps = found.what.found[0].gaps;
  REQUIRE(gaps.size() == 3);
  CHECK(gaps[0].offset == offsets[1]);
  CHECK(gaps[0].bytes == offsets[2] - offsets[1]);
  CHECK(gaps[1].offset == offsets[3]);
  CHECK(gaps[2].offset == offsets[5]);
  REQUIRE_FALSE(copy.finish());
  CHECK(replay(files, "copy") == found.events);
  auto opened = start(files, {}, "copy");
  CHECK(opened.found.left_over.empty());
  REQUIRE_FALSE(write(opened.writer, published("i")));
  CHECK(replay(files, "copy").back() == "7:i");
}

TEST_CASE("flipped bits anywhere in a log of several files and in its manifest never make a wrong message") {
  faulty_file_system sound;
  {
    auto opened = start(sound, {0});
    REQUIRE_FALSE(write(opened.writer, published("old")));
    commit(opened.writer, write_base(opened.writer, {"snapshot"}));
    REQUIRE_FALSE(write(opened.writer, published("first")));
    REQUIRE_FALSE(opened.writer.begin_new_file());
    REQUIRE_FALSE(write(opened.writer, published("second")));
    REQUIRE_FALSE(opened.writer.close());
  }
  auto right = replay(sound);
  for (const auto& name : {base_name(3), incr_name(2), incr_name(4), std::string{"manifest"}}) {
    auto content = sound.content(log_folder / name);
    REQUIRE_FALSE(content.empty());
    for (std::size_t i = 0; i < content.size() * 8; ++i) {
      auto flipped = content;
      flipped[i / 8] = static_cast<char>(flipped[i / 8] ^ 1 << i % 8);
      sound.put(log_folder / name, flipped);
      recording_visitor visitor;
      auto recovered = recover(sound, log_folder, visitor);
      recording_survey surveyed;
      survey_log(sound, log_folder, surveyed);
      for (const auto& events : {visitor.events, surveyed.events()}) {
        auto next = right.begin();
        for (const auto& event : events) {
          next = std::find(next, right.end(), event);
          CHECK(next != right.end());
        }
      }
      // What is missing is reported: the last record of an open file looks torn, anything else is damage.
      auto torn = [](const auto& file) { return file.torn.has_value(); };
      if (recovered && visitor.events != right)
        CHECK(std::any_of(recovered->found.begin(), recovered->found.end(), torn));
    }
    sound.put(log_folder / name, content);
  }
}

}  // namespace mqlite
