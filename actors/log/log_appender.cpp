#include "actors/log/log_appender.hpp"

#include <iterator>
#include <vector>

#include "actors/compat.hpp"

namespace mqlite {

void log_appender::append(std::string records, durability level, continuation then) {
  if (!log_) return then(nullptr);
  const auto ticket = ++last_ticket_;
  waiting(level).push_back({ticket, std::move(then)});
  tell(log_, event::append{std::move(records), level, ticket, self_});
}

void log_appender::appended(const event::appended& report) {
  const failure* problem = report.problem ? &*report.problem : nullptr;
  auto& queue = waiting(report.level);
  // Almost always the report is about the oldest; after a failure it may be about newer ones while older ones are being synced.
  std::deque<pending> older;
  while (!queue.empty() && queue.front().ticket < report.from) {
    older.push_back(std::move(queue.front()));
    queue.pop_front();
  }
  std::vector<continuation> done;
  while (!queue.empty() && queue.front().ticket <= report.through) {
    done.push_back(std::move(queue.front().then));
    queue.pop_front();
  }
  std::move(older.rbegin(), older.rend(), std::front_inserter(queue));
  for (auto& then : done) then(problem);
}

void log_appender::close() {
  log_ = nullptr;
  self_ = nullptr;
}

}  // namespace mqlite
