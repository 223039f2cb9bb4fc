#include "cli/commands/commands.hpp"
#include "cli/text/escape.hpp"
#include "cli/text/units.hpp"

namespace mqlite::cli {
namespace {

using stub = broker_client::stub;

/// How long a copy of the log may take.
constexpr std::chrono::hours copying_time{24};

void back_up(command_context& c, const std::string& folder) {
  v1::BackupRequest request;
  request.set_dir(folder);
  const auto done = c.broker.call(&stub::Backup, request, copying_time);
  if (c.out.json()) return c.out.answer(done);
  c.out.line("backed up " + bytes_text(static_cast<std::int64_t>(done.bytes())) + " to " + escaped(done.dir()));
}

}  // namespace

void add_log_commands(command_line& line) {
  line.on(line.add(nullptr, "rewrite", "Start writing the log anew, without what is done with", broker_group),
          [](command_context& c) { c.out.done(c.broker.call(&stub::Rewrite, v1::RewriteRequest())); });

  const auto folder = std::make_shared<std::string>();
  auto* backup = line.add(nullptr, "backup", "Copy the log into a folder on the broker's machine", broker_group);
  backup->add_option("DIR", *folder, "A folder that is new or empty, as the broker sees it")->required();
  line.on(backup, [folder](command_context& c) { back_up(c, *folder); });
}

}  // namespace mqlite::cli
