#include "tools/check/options.hpp"

#include <CLI/CLI.hpp>

#include "daemon/version.hpp"

namespace mqlite::check {

options parse_options(int argc, char** argv) {
  CLI::App app{"Examines the folder of a broker's log. Reads only; run it while no broker uses the folder.",
               "mqlite_check"};
  options asked;
  std::string folder, id, out;
  auto help = false;
  auto version = false;
  app.set_help_flag();
  app.add_flag("-h,--help", help, "Print this and stop");
  app.add_flag("--version", version, "Print the version and stop");
  app.add_option("DIR", folder, "The log's folder: what persistence.aof.dir names");
  auto* dump = app.add_flag("--dump", asked.dump, "Print every record as a line of JSON");
  auto* explain = app.add_option("--explain", id, "Print what the log says of one message")->type_name("MESSAGE-ID");
  auto* repair =
      app.add_option("--repair", out, "Write a sound copy of the log into the new folder OUT")->type_name("OUT");
  dump->excludes(explain)->excludes(repair);
  explain->excludes(repair);
  app.footer(
      "Exit code: 0 sound (a torn tail is sound) or repaired, 1 damaged, 2 nothing was examined: wrong usage, no such "
      "log.");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    throw usage_error(error.what());
  }
  if (help) asked.output = app.help();
  if (version) asked.output = std::string("mqlite_check ") + MQLITE_VERSION + "\n";
  if (!asked.output.empty()) return asked;
  if (folder.empty()) throw usage_error("which folder? Usage: mqlite_check [--dump | --explain ID | --repair OUT] DIR");
  asked.folder = folder;
  if (explain->count() > 0) {
    asked.explain = message_id::parse(id);
    if (!asked.explain) throw usage_error("--explain: \"" + id + "\" is no message id");
  }
  if (repair->count() > 0) asked.repair_into = out;
  if (asked.repair_into && out.empty()) throw usage_error("--repair: needs the name of a folder");
  return asked;
}

}  // namespace mqlite::check
