#include <cstdio>
#include <exception>
#include <filesystem>

#include "persistence/posix_file_system.hpp"
#include "persistence/recovery.hpp"
#include "tools/check/dump.hpp"
#include "tools/check/explain.hpp"
#include "tools/check/folder_use.hpp"
#include "tools/check/live_state.hpp"
#include "tools/check/options.hpp"
#include "tools/check/repair.hpp"
#include "tools/check/report.hpp"
#include "tools/check/text.hpp"

// mqlite_check: examines the folder of a log. Exit codes: 0 sound or repaired, 1 damaged, 2 nothing was examined.
namespace mqlite::check {
namespace {

constexpr int sound = 0;
constexpr int damaged = 1;

// A broker may rewrite its log while it is read: then what was read fits together the next time.
constexpr int most_tries = 5;

void print(const std::string& text) { std::fputs(text.c_str(), stdout); }
void tell(const std::string& text) { std::fputs(text.c_str(), stderr); }

log_survey survey(file_system& files, const std::filesystem::path& folder, record_feed& feed) {
  auto found = survey_log(files, folder, feed);
  if (!found) throw usage_error(found.error().text());
  const auto& content = found->content;
  if (!content.exists) throw usage_error(folder.string() + ": no such folder");
  if (!content.has_manifest && content.left_over.empty() && found->found.empty())
    throw usage_error(folder.string() + " holds no log: there is neither a manifest nor a log file in it");
  return std::move(*found);
}

/// `once` gives an exit code, and whether what it has read is sound. It is done again while a running broker may be the reason.
template <class Once>
int with_patience(const options& asked, Once once) {
  for (auto tries = 1;; ++tries) {
    auto user = user_of(asked.folder);
    if (user) {
      tell(asked.folder.string() + " is in use by the process with pid " + std::to_string(*user) +
           ": what it writes meanwhile may be missing, or look torn\n");
    }
    auto code = once(!user || tries == most_tries);
    if (code) return *code;
  }
}

std::optional<int> report(const options& asked, file_system& files, bool last_try) {
  record_feed feed;
  live_state state{now()};
  feed.add(state.visitor());
  auto found = survey(files, asked.folder, feed);
  if (!found.sound() && !last_try) return std::nullopt;
  print(report_text(found, feed.counts(), feed.messages(), state.take(std::nullopt)));
  return found.sound() ? sound : damaged;
}

std::optional<int> explain(const options& asked, file_system& files, bool last_try) {
  record_feed feed;
  live_state state{now()};
  message_history history{*asked.explain, feed};
  feed.add(state.visitor());
  feed.add(history);
  auto found = survey(files, asked.folder, feed);
  if (!found.sound() && !last_try) return std::nullopt;
  auto id = asked.explain->text();
  if (history.lines().empty()) {
    print("this log knows no message " + id + "\n");
  } else {
    print(id + ", published at " + time_text(asked.explain->timestamp()) + "\n");
    for (const auto& line : history.lines()) print(line + "\n");
    print("now: " + state.take(asked.explain).sought.value_or("gone") + "\n");
  }
  tell(damage_text(found));
  return found.sound() ? sound : damaged;
}

int dump(const options& asked, file_system& files) {
  record_feed feed;
  feed.each([](const record_place& place, std::string_view body) { print(record_json(place, body) + "\n"); });
  auto found = survey(files, asked.folder, feed);
  tell(damage_text(found));
  return found.sound() ? sound : damaged;
}

/// The folder for a copy: new, or empty.
void prepare(file_system& files, const std::filesystem::path& folder) {
  auto names = files.list(folder);
  if (names && !names->empty()) throw usage_error(folder.string() + " is not empty: a copy goes into a new folder");
  if (!names && names.error() != std::errc::no_such_file_or_directory)
    throw usage_error(folder.string() + ": " + names.error().message());
  if (auto error = files.create_folders(folder)) throw usage_error(folder.string() + ": " + error.message());
}

int repair_into(const options& asked, file_system& files) {
  const auto& out = *asked.repair_into;
  if (auto user = user_of(asked.folder)) {
    throw usage_error(asked.folder.string() + " is in use by the process with pid " + std::to_string(*user) +
                      ": stop it first");
  }
  {
    record_feed nobody;
    survey(files, asked.folder, nobody);  // before anything is made: is there a log to be copied?
  }
  prepare(files, out);
  repair copying{log_copy{files, out}};
  record_feed feed;
  feed.each([&](const record_place& place, std::string_view body) { copying.take(place, body); });
  auto found = survey(files, asked.folder, feed);
  if (auto failed = copying.finish()) throw usage_error(failed->text());
  live_state state{now()};
  auto read_back = recover(files, out, state.visitor());
  if (!read_back) throw std::runtime_error("the copy cannot be read: " + read_back.error().text());
  auto live = state.take(std::nullopt);
  print(copying.text(found));
  print("copied: " + counted(copying.records(), "record") + " with " + counted(live.live(), "message") + " and " +
        counted(live.dead(), "dead letter") + " to " + out.string() + "\n");
  print("To go on with the copy, let persistence.aof.dir name it.\n");
  return sound;
}

int run(const options& asked) {
  posix_file_system files;
  if (asked.repair_into) return repair_into(asked, files);
  if (asked.dump) return dump(asked, files);
  return with_patience(asked, [&](bool last_try) {
    return asked.explain ? explain(asked, files, last_try) : report(asked, files, last_try);
  });
}

}  // namespace
}  // namespace mqlite::check

int main(int argc, char** argv) {
  try {
    const auto asked = mqlite::check::parse_options(argc, argv);
    if (asked.output.empty()) return mqlite::check::run(asked);
    mqlite::check::print(asked.output);
    return mqlite::check::sound;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "mqlite_check: %s\n", error.what());
    return 2;
  }
}
