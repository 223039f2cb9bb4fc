#include "tools/check/live_state.hpp"

#include <algorithm>

#include "actors/log/replay.hpp"
#include "tools/check/text.hpp"

namespace mqlite::check {

namespace {

std::string place_in(const queue_core& core, entry_handle h) {
  switch (core[h].place()) {
    case place::leased:
      return "leased until " + time_text(core.leased_until(h)) + " from";
    case place::delayed:
      return "delayed until " + time_text(core.delayed_until(h)) + " in";
    default:
      return "waiting in";
  }
}

queue_counts count(queue_core& core, std::int64_t now, std::uint64_t& dead) {
  const auto buried = core.due(now).burials.size();
  dead += buried;
  return {core.ready(), core.leased() - buried, core.delayed(), core.bytes()};
}

}  // namespace

struct live_state::built {
  replay records;
};

live_state::live_state(std::int64_t now) : built_(std::make_unique<built>(built{replay(now)})), now_(now) {}

live_state::~live_state() = default;

record_visitor& live_state::visitor() { return built_->records; }

live_counts live_state::take(const std::optional<message_id>& sought) {
  live_counts out;
  const auto birth = built_->records.take();
  for (const auto& [name, topics] : birth.namespaces) {
    if (topics.empty()) out.empty_namespaces.push_back(name);
    for (const auto& topic : topics) {
      topic_counts counts{name + "/" + topic.name, {}, topic.dead->size()};
      if (sought && topic.dead->contains(*sought)) out.sought = "a dead letter of " + counts.name;
      for (std::size_t i = 0; i < topic.cores.size(); ++i) {
        auto& core = *topic.cores[i];
        counts.queues.push_back(count(core, now_, counts.dead));
        const auto h = sought ? core.find(*sought) : no_entry;
        if (h != no_entry) out.sought = place_in(core, h) + " queue " + std::to_string(i) + " of " + counts.name;
      }
      out.topics.push_back(std::move(counts));
    }
  }
  return out;
}

std::uint64_t live_counts::live() const {
  std::uint64_t sum = 0;
  for (const auto& topic : topics)
    for (const auto& queue : topic.queues) sum += queue.ready + queue.leased + queue.delayed;
  return sum;
}

std::uint64_t live_counts::dead() const {
  std::uint64_t sum = 0;
  for (const auto& topic : topics) sum += topic.dead;
  return sum;
}

}  // namespace mqlite::check
