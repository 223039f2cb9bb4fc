#include <doctest/doctest.h>

#include <random>

#include "log_fixture.hpp"
#include "persistence/base_writer.hpp"
#include "unreliable_disk.hpp"

namespace mqlite {

namespace {

using namespace test;

constexpr auto everything = std::numeric_limits<std::uint64_t>::max();
constexpr log_options reserving{.preallocate = 1024};
constexpr log_options filling{.preallocate = 1024, .fill = true};

/// What the clients of a log were told, and what of it a start may find.
struct promises {
  strings attempted;              // in the order of the log
  std::set<std::string> written;  // there after a kill
  std::set<std::string> synced;   // there after a power loss
  std::set<std::string> refused;  // an error was the answer: there or not
  std::set<std::string> buried;   // refused, and the log has gone on in another file: never there
  std::vector<strings> files;     // what went into each file, in order

  void took(const std::set<std::string>& what) { synced.insert(what.begin(), what.end()); }
};

/// Plays a history, one letter for each thing that happens to a log, and keeps what was promised.
class player {
 public:
  player(unreliable_disk& disk, promises& promised, std::string name, log_options options)
      : disk_(disk), promised_(promised), name_(std::move(name)), options_(options) {}

  void play(const std::string& script) {
    if (!begin()) return;
    for (auto letter : script) {
      step(letter);
      if (!writer_) return;
    }
  }

  /// A start; false when the disk refused it.
  bool begin() {
    try {
      auto opened = start(disk_, options_);
      remember(opened);
      writer_.emplace(std::move(opened.writer));
      return true;
    } catch (const std::runtime_error& failed) {
      if (std::string{failed.what()}.find("Input/output error") == std::string::npos) throw;
      return false;
    }
  }

 private:
  void step(char letter) {
    switch (letter) {
      case 'f':  // a small append
        return append({200});
      case 'g':  // several sectors in one write
        return append({700, 100, 900});
      case 'e':  // a write that the disk has no room for
        return append({700, 300}, 800);
      case 's':
        return sync(false, everything);
      case 'x':  // a failed fsync of everysec: what was answered stays answered
        return sync(true, everything);
      case 'y':  // a failed fsync of always: nobody had an answer
        return sync(true, safe_);
      case 'n':
        return begin_new_file();
      case 'r':
        return rewrite(false);
      case 'R':  // with an append while it runs
        return rewrite(true);
      default:  // a clean end and a start
        end_and_start();
    }
  }

  void append(const std::vector<std::size_t>& sizes, std::uint64_t room = unreliable_disk::never) {
    strings names;
    for (auto size : sizes) {
      names.push_back(name_ + std::to_string(count_++) + std::string(size, 'x'));
      writer_->append(published(names.back()));
      names.back() = "7:" + names.back();
      promised_.attempted.push_back(names.back());
      promised_.files.back().push_back(names.back());
    }
    if (room != unreliable_disk::never) fault([&](auto& plan) { plan.writable_bytes = room; });
    auto& set = writer_->flush() ? promised_.refused : promised_.written;
    fault([](auto& plan) { plan.writable_bytes = unreliable_disk::never; });
    set.insert(names.begin(), names.end());
    if (&set == &promised_.written) unsynced_.insert(names.begin(), names.end());
  }

  void sync(bool fails, std::uint64_t keep) {
    if (writer_->failed()) return;
    auto length = writer_->length();
    fault([&](auto& plan) { plan.sync_fails = fails; });
    auto error = writer_->current()->sync();
    fault([](auto& plan) { plan.sync_fails = false; });
    if (!error) {
      writer_->synced(writer_->current(), length);
      safe_ = length;
      promised_.took(std::exchange(unsynced_, {}));
      return;
    }
    writer_->sync_failed(writer_->current(), error, keep);
    if (keep == everything) return;
    for (const auto& name : std::exchange(unsynced_, {})) {
      promised_.written.erase(name);
      promised_.refused.insert(name);
    }
  }

  bool apply(log_change change, bool new_file) {
    auto failed = change.run();
    auto was_failed = writer_->failed().has_value();
    auto previous = writer_->adopt(std::move(change));
    if (failed) return false;
    if (!new_file) return true;
    promised_.files.emplace_back();
    safe_ = writer_->length();
    auto before = std::exchange(unsynced_, {});
    if (was_failed) bury_refused();
    if (was_failed || !previous) return true;
    if (auto error = previous->sync())
      writer_->sync_failed(previous, error);
    else
      promised_.took(before);
    return true;
  }

  void begin_new_file() { apply(writer_->plan_new_file(), true); }

  void rewrite(bool append_meanwhile) {
    if (!apply(writer_->plan_new_file(), true) || writer_->failed()) return;
    auto base = base_writer::create(writer_->plan_base());
    if (!base) return;
    std::set<std::string> snapshot;
    for (const auto& name : promised_.attempted) {
      if (!promised_.written.contains(name)) continue;
      if (base->append(published(name.substr(2)))) return;
      snapshot.insert(name);
    }
    if (append_meanwhile) append({300});
    auto finished = base->finish();
    if (!finished || !apply(writer_->plan_commit(*finished), false)) return;
    promised_.took(snapshot);
    bury_refused();
  }

  void bury_refused() { promised_.buried.merge(promised_.refused); }

  void end_and_start() {
    if (!writer_->failed() && !writer_->close()) promised_.took(std::exchange(unsynced_, {}));
    writer_.reset();
    begin();
  }

  /// A start has read the log: all but what an fsync had failed for is safe from now on.
  void remember(const open_log& opened) {
    auto event = opened.events.begin();
    std::set<std::string> found{opened.events.begin(), opened.events.end()};
    for (const auto& file : opened.found.found) {
      auto end = event + static_cast<long>(file.records);
      auto entries = opened.found.files.incrs;
      auto cut = std::any_of(entries.begin(), entries.end(), [&](const auto& entry) {
        return entry.name == file.name && entry.state == file_state::cut;
      });
      if (!cut) promised_.took({event, end});
      promised_.files.push_back({event, end});
      event = end;
    }
    promised_.written = found;
    for (const auto& name : promised_.attempted)
      if (!found.contains(name)) promised_.buried.insert(name);
    for (const auto& name : found) promised_.refused.erase(name);
    promised_.files.emplace_back();
    safe_ = opened.writer.length();
    unsynced_.clear();
  }

  template <class Change>
  void fault(Change change) {
    disk_.change_plan(change);
  }

  unreliable_disk& disk_;
  promises& promised_;
  std::string name_;
  log_options options_;
  std::optional<log_writer> writer_;
  std::set<std::string> unsynced_;  // written to the current file since its last fsync
  std::uint64_t safe_ = 0;
  int count_ = 0;
};

/// What is wrong with what a start finds; empty when the promises hold.
std::string broken_promise(const strings& found, const promises& promised, bool power_loss) {
  std::set<std::string> there{found.begin(), found.end()};
  if (there.size() != found.size()) return "something is there twice";
  auto next = promised.attempted.begin();
  for (const auto& event : found) {
    next = std::find(next, promised.attempted.end(), event);
    if (next == promised.attempted.end()) return "out of order, or never appended: " + event.substr(0, 6);
    if (promised.buried.contains(event)) return "refused, but there: " + event.substr(0, 6);
  }
  for (const auto& event : power_loss ? promised.synced : promised.written)
    if (!there.contains(event)) return "lost: " + event.substr(0, 6);
  for (const auto& file : promised.files) {
    auto gone = std::find_if(file.begin(), file.end(), [&](const auto& event) { return !there.contains(event); });
    auto back = std::find_if(gone, file.end(), [&](const auto& event) { return there.contains(event); });
    if (back != file.end()) return "a file lost a record before one that it kept";
  }
  return "";
}

/// What is wrong with a start on `disk`: it must succeed, keep the promises, and go on.
std::string start_on(const unreliable_disk& left, const promises& promised, bool power_loss, std::mt19937& random,
                     log_options options) {
  try {
    auto disk = left.after_kill();
    auto found = replay(disk);
    if (auto wrong = broken_promise(found, promised, power_loss); !wrong.empty()) return wrong;
    // A second life, whose power fails as well.
    promises second;
    second.attempted = promised.attempted;
    second.buried = promised.buried;
    second.written = {found.begin(), found.end()};
    disk.plan({random() % 12, random() % 300});
    player{disk, second, "again", options}.play("fgs");
    auto choose = [&](std::size_t options) { return random() % options; };
    auto again = disk.after_power_loss(choose);
    if (auto wrong = broken_promise(replay(again), second, true); !wrong.empty())
      return "after a second loss: " + wrong;
    promises third;
    third.attempted = replay(again);
    again.plan({});
    player{again, third, "third", options}.play("f");
    return broken_promise(replay(again), third, false);
  } catch (const std::exception& failed) {
    return failed.what();
  }
}

struct effort {
  std::size_t outcomes;  // how many of a power loss to look at: the first of them in order, then as many at random
  std::uint64_t stride;  // bytes between the places where a write is cut
};

/// Plays a script on a disk whose power fails at a certain change, and looks at what may be left. False when the script came to its
/// end before.
bool power_fails_at(const std::string& script, unreliable_disk::faults fault, effort effort, log_options options,
                    std::uint64_t& cut_write) {
  unreliable_disk disk;
  disk.plan(fault);
  promises promised;
  player{disk, promised, "a", options}.play(script);
  cut_write = disk.cut_write();
  std::mt19937 random{static_cast<unsigned>(fault.power_fails_at)};
  CAPTURE(script);
  CAPTURE(fault.power_fails_at);
  CAPTURE(fault.bytes_before);
  CHECK(start_on(disk.after_kill(), promised, false, random, options) == "");
  every_choice choices;
  std::size_t outcomes = 0;
  auto more = true;
  for (; more && outcomes < effort.outcomes; ++outcomes) {
    auto left = disk.after_power_loss([&](std::size_t options) { return choices.choose(options); });
    CAPTURE(outcomes);
    CHECK(start_on(left, promised, true, random, options) == "");
    more = choices.next();
  }
  for (std::size_t i = 0; more && i < effort.outcomes; ++i) {
    auto left = disk.after_power_loss([&](std::size_t options) { return random() % options; });
    CHECK(start_on(left, promised, true, random, options) == "");
  }
  return disk.changes() > fault.power_fails_at;
}

void power_fails_everywhere(const std::string& script, effort effort, log_options options = reserving) {
  auto went_on = true;
  for (std::uint64_t change = 0; went_on; ++change) {
    std::uint64_t cut_write = 0;
    std::uint64_t ignored = 0;
    went_on = power_fails_at(script, {change}, effort, options, cut_write);
    for (std::uint64_t bytes = 1; bytes < cut_write; bytes += effort.stride)
      power_fails_at(script, {change, bytes}, effort, options, ignored);
  }
}

/// All scripts of that length.
std::vector<std::string> scripts_of(std::size_t length, const std::string& letters) {
  std::vector<std::string> scripts{""};
  for (std::size_t i = 0; i < length; ++i) {
    std::vector<std::string> longer;
    for (const auto& script : scripts)
      for (auto letter : letters) longer.push_back(script + letter);
    scripts = std::move(longer);
  }
  return scripts;
}

constexpr auto letters = "fgesxynrc";

}  // namespace

TEST_CASE("whatever a power loss leaves of a short history, a start finds what was answered and goes on") {
  for (std::size_t length = 0; length <= 2; ++length)
    for (const auto& script : scripts_of(length, letters)) power_fails_everywhere(script, {300, 193});
}

TEST_CASE("whatever a power loss leaves of longer histories, a start finds what was answered and goes on") {
  for (const auto& script : scripts_of(3, "fgsxnrc")) power_fails_everywhere(script, {4, 997});
  for (const auto* script : {"gsgfg", "fsfsfgc", "gsgxnfsg", "gsgynfsg", "gsernfg", "frfgsrg", "gcgcgs", "gnfnrsf",
                             "fexnyrs", "gRsf", "fsRgRs", "gsRxnfR"})
    power_fails_everywhere(script, {25, 211});
}

TEST_CASE("a log that writes zeros ahead of itself loses no more than one that only reserves them") {
  for (const auto& script : scripts_of(2, letters)) power_fails_everywhere(script, {40, 397}, filling);
  for (const auto* script : {"gsgfg", "fsfsfgc", "gsgxnfsg", "gsgynfsg", "gsernfg", "gnfnrsf", "fsRgRs"})
    power_fails_everywhere(script, {10, 397}, filling);
}

TEST_CASE("a write that the power cuts at any byte is stored whole or not at all") {
  for (const auto* script : {"f", "sg", "gsf", "sfe"}) power_fails_everywhere(script, {4, 1});
}

}  // namespace mqlite
