#include <sys/ioctl.h>
#include <unistd.h>

#include <boost/json/serialize.hpp>

#include <algorithm>
#include <limits>

#include "cli/commands/commands.hpp"
#include "cli/text/stats_view.hpp"
#include "cli/text/table.hpp"
#include "cli/text/units.hpp"

namespace mqlite::cli {
namespace {

using stub = broker_client::stub;
using std::chrono::milliseconds;
using stopwatch = std::chrono::steady_clock;

std::string stats_json(command_context& c, bool topics) {
  v1::GetStatsRequest request;
  request.set_topics(topics);
  return c.broker.call(&stub::GetStats, request).json();
}

// -- watch ----------------------------------------------------------------------------------------------------------------------

struct watch_options : topic_filter {
  milliseconds interval{1000};
  std::int64_t count = std::numeric_limits<std::int64_t>::max();
};

/// Each queue of a topic.
std::string queues_text(command_context& c, const topic_filter& of) {
  v1::GetTopicRequest request;
  request.set_namespace_(of.name_space);
  request.set_name(of.topic);
  table queues({number_column("QUEUE"), number_column("READY"), number_column("LEASED"), number_column("DELAYED"),
                number_column("CONSUMERS")});
  const auto topic = c.broker.call(&stub::GetTopic, request);
  for (const auto& queue : topic.queues())
    queues.add({std::to_string(queue.queue_id()), count_text(queue.ready()), count_text(queue.leased()),
                count_text(queue.delayed()), count_text(queue.consumers())});
  return "\n" + queues.text();
}

/// What of `text` fits on the terminal, drawn over what is there: it does not flicker.
std::string redrawn(const std::string& text) {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row < 2 || size.ws_col == 0)
    size.ws_row = size.ws_col = std::numeric_limits<unsigned short>::max();
  std::string out = "\x1b[H";
  std::size_t from = 0;
  for (int row = 1; row < size.ws_row && from < text.size(); ++row) {
    const auto end = std::min(text.find('\n', from), text.size());
    out += text.substr(from, std::min<std::size_t>(end - from, size.ws_col)) + "\x1b[K\n";
    from = end + 1;
  }
  return out + "\x1b[J";
}

void show(command_context& c, const std::string& text, bool first) {
  if (c.out.on_terminal())
    c.out.write((first ? "\x1b[2J" : "") + redrawn(text));
  else
    c.out.write(first ? text : "\n" + text);
  c.out.flush();
}

void watch(command_context& c, const watch_options& o) {
  const interruption::scope watching(c.interrupted, {});
  boost::json::object before;
  auto then = stopwatch::now();
  for (std::int64_t shown = 0; shown < o.count; ++shown) {
    if (shown > 0 && c.interrupted.wait_for(o.interval)) throw call_interrupted();
    auto stats = read_stats(stats_json(c, true));
    if (c.out.json()) {
      keep_topics(stats, o);
      c.out.line(boost::json::serialize(stats));
      c.out.flush();
      continue;
    }
    const auto now = stopwatch::now();
    auto text = overview(stats, shown == 0 ? stats : before, std::chrono::duration_cast<milliseconds>(now - then), o);
    if (!o.topic.empty()) text += queues_text(c, o);
    show(c, text, shown == 0);
    before = std::move(stats);
    then = now;
  }
}

void add_watch(command_line& line) {
  const auto o = std::make_shared<watch_options>();
  auto* sub = line.add(nullptr, "watch", "Show topics, depths and rates again and again, until Ctrl-C", broker_group);
  sub->add_option("NAMESPACE", o->name_space, "Only the topics of this one");
  sub->add_option("TOPIC", o->topic, "Only this one, and its queues");
  add_duration(
      sub, "--interval", [o](milliseconds d) { o->interval = d; }, "Time between two looks [1s]");
  add_number<std::int64_t>(sub, "-n,--count", 1, o->count, "End after so many looks");
  line.on(sub, [o](command_context& c) { until_interrupted([&] { watch(c, *o); }); });
}

}  // namespace

void add_stats_commands(command_line& line) {
  const auto topics = std::make_shared<bool>(false);
  auto* stats = line.add(nullptr, "stats", "Show how the broker does", broker_group);
  stats->add_flag("--topics", *topics, "With --json: also each topic");
  line.on(stats, [topics](command_context& c) {
    const auto json = stats_json(c, *topics);
    c.out.json() ? c.out.line(json) : c.out.write(describe_stats(read_stats(json)));
  });
  add_watch(line);
}

}  // namespace mqlite::cli
