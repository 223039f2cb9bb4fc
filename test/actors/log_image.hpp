#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <ostream>
#include <span>
#include <sstream>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "actors/log/replay.hpp"
#include "persistence/format.hpp"
#include "test/actors/support.hpp"

// What a log says, in a form that can be compared.
namespace mqlite::test {

/// Hands a framed record to the visitor.
inline void decode(const std::string& framed, record_visitor& visitor) {
  record_decoder decoder;
  REQUIRE(decoder.decode(std::string_view(framed).substr(format::record_header_size), visitor) ==
          record_decoder::outcome::visited);
}

/// What the broker would start with after these records.
inline broker_birth replayed(std::span<const std::string> records, std::int64_t now) {
  replay r(now);
  for (const auto& record : records) decode(record, r);
  return r.take();
}

struct message_image {
  char place = 'r';  ///< ready, leased, delayed
  std::uint32_t deliveries = 0;
  std::int64_t when = 0;
  bool operator==(const message_image&) const = default;
};

inline std::ostream& operator<<(std::ostream& out, const message_image& m) {
  return out << m.place << " delivered " << m.deliveries << " until " << m.when;
}

struct queue_image {
  std::vector<message_id> ready;  ///< in order
  std::map<message_id, message_image> all;
  bool operator==(const queue_image&) const = default;

  explicit queue_image(queue_core& core) {
    core.each_ready(core.ready(), [&](const message_ptr& m, std::uint32_t) { ready.push_back(m->id()); });
    for (const auto h : core.all()) {
      const auto& e = core[h];
      message_image m{'r', e.deliveries, 0};
      if (e.place() == place::leased) m = {'l', e.deliveries, core.leased_until(h)};
      if (e.place() == place::delayed) m = {'d', e.deliveries, core.delayed_until(h)};
      REQUIRE(all.emplace(e.message->id(), m).second);
    }
  }
};

struct topic_image {
  std::string name_space;
  std::string name;
  std::int32_t queue_count = 0;
  std::uint64_t version = 0;
  topic_settings settings;
  std::vector<queue_image> queues;
  std::vector<std::tuple<message_id, std::uint32_t, dead_reason, std::int64_t>> dead;
  bool operator==(const topic_image&) const = default;

  explicit topic_image(const topic_birth& birth)
      : name_space(birth.name_space),
        name(birth.name),
        queue_count(birth.queue_count),
        version(birth.version),
        settings(birth.settings) {
    for (const auto& core : birth.cores) queues.emplace_back(*core);
    for (const auto& l : birth.dead->list(birth.dead->size()))
      dead.emplace_back(l.message->id(), l.deliveries, l.reason, l.dead_at);
  }
};

struct log_image {
  std::map<std::string, std::map<std::uint64_t, topic_image>> namespaces;
  bool operator==(const log_image&) const = default;

  explicit log_image(const broker_birth& birth) {
    for (const auto& [name, topics] : birth.namespaces) {
      auto& all = namespaces[name];
      for (const auto& t : topics) all.emplace(t.id, topic_image(t));
    }
  }

  /// For a failed test.
  std::string text() const {
    std::ostringstream out;
    for (const auto& [name, topics] : namespaces) {
      out << name << '\n';
      for (const auto& [id, t] : topics) {
        out << "  topic " << id << " version " << t.version << " queues " << t.queue_count << '\n';
        for (const auto& q : t.queues) {
          out << "    queue:";
          for (const auto& r : q.ready) out << ' ' << r.text();
          for (const auto& [message, m] : q.all) out << "\n      " << message.text() << ' ' << m;
          out << '\n';
        }
        for (const auto& [message, deliveries, reason, at] : t.dead)
          out << "    dead " << message.text() << " delivered " << deliveries << " reason " << static_cast<int>(reason)
              << " at " << at << '\n';
      }
    }
    return out.str();
  }

  /// Without the order of what waits and of dead letters.
  void forget_order() {
    for (auto& [name, topics] : namespaces)
      for (auto& [id, t] : topics) {
        std::sort(t.dead.begin(), t.dead.end());
        for (auto& q : t.queues) std::sort(q.ready.begin(), q.ready.end());
      }
  }
};

}  // namespace mqlite::test
