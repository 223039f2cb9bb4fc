#include "tools/check/report.hpp"

#include <sstream>

#include "persistence/format.hpp"
#include "tools/check/text.hpp"

namespace mqlite::check {

namespace {

const char* name_of(file_state state) {
  switch (state) {
    case file_state::open:
      return "open";
    case file_state::cut:
      return "cut";
    case file_state::sealed:
      break;
  }
  return "sealed";
}

void add_file(std::ostream& out, const surveyed_file& file, bool listed) {
  out << "  " << file.entry.name << "  " << (file.entry.name.starts_with("base-") ? "base" : "incr") << ", "
      << (listed ? name_of(file.entry.state) : "not in a manifest") << ", " << counted(file.records, "record") << " in "
      << counted(file.length, "byte");
  if (file.torn) {
    out << "; torn tail of " << counted(file.torn->bytes, "byte") << " at offset " << file.torn->offset
        << (file.torn->power_cut ? " (a power cut, with records behind it)" : "");
  }
  if (!file.gaps.empty()) out << "; DAMAGED";
  out << '\n';
}

void add_topic(std::ostream& out, const topic_counts& topic) {
  out << "  " << topic.name << ": " << counted(topic.queues.size(), "queue") << ", "
      << counted(topic.dead, "dead letter") << '\n';
  for (std::size_t i = 0; i < topic.queues.size(); ++i) {
    const auto& queue = topic.queues[i];
    out << "    queue " << i << ": " << queue.ready << " ready, " << queue.leased << " leased, " << queue.delayed
        << " delayed, " << counted(queue.bytes, "byte") << '\n';
  }
}

}  // namespace

std::string damage_text(const log_survey& survey) {
  std::ostringstream out;
  if (survey.content.bad_manifest) {
    out << "damage: the manifest: " << survey.content.bad_manifest->reason
        << "; the order of the files is told from their names\n";
  }
  for (const auto& file : survey.found)
    for (const auto& gap : file.gaps) {
      out << "damage: " << file.entry.name << ", " << counted(gap.bytes, "byte") << " at offset " << gap.offset << ": "
          << gap.reason << '\n';
    }
  return out.str();
}

std::string report_text(const log_survey& survey, const std::map<std::string, std::uint64_t>& kinds,
                        std::uint64_t messages, const live_counts& live) {
  std::ostringstream out;
  out << "files\n";
  for (const auto& file : survey.found) add_file(out, file, !survey.manifest_rebuilt);
  for (const auto& name : survey.content.left_over) out << "  " << name << "  left over, not part of the log\n";
  for (const auto& name : survey.content.foreign) out << "  " << name << "  foreign, none of the log's files\n";
  out << "records\n";
  for (const auto& [kind, count] : kinds) {
    out << "  " << count << ' ' << kind;
    if (kind == "Published") out << " (" << counted(messages, "message") << ")";
    out << '\n';
  }
  out << "topics\n";
  for (const auto& topic : live.topics) add_topic(out, topic);
  for (const auto& name : live.empty_namespaces) out << "  " << name << ": a namespace without topics\n";
  out << damage_text(survey);
  out << (survey.sound() ? "sound: " : "DAMAGED: what can be read has ") << counted(live.live(), "message") << " and "
      << counted(live.dead(), "dead letter") << '\n';
  return out.str();
}

}  // namespace mqlite::check
