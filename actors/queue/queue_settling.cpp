#include <algorithm>
#include <functional>
#include <map>
#include <set>

#include "actors/compat.hpp"
#include "actors/part_count.hpp"
#include "actors/queue/queue_actor.hpp"

// How messages leave a queue, or come back to it: acknowledged, returned, extended, buried, purged.
namespace mqlite {
namespace {

// Messages that may be gone without the topic's knowing while it has no limits.
constexpr std::int64_t most_untold = 256;

struct named_entry {
  entry_handle entry;
  std::uint32_t position;  ///< in the client's list
};

/// Whether all entries rise, or fall: as those of one batch mostly do. Then none is there twice.
bool in_order(const std::vector<named_entry>& named) {
  const auto break_in = [&](auto before) {
    return std::adjacent_find(named.begin(), named.end(), [before](const auto& a, const auto& b) {
             return !before(a.entry, b.entry);
           }) != named.end();
  };
  return !break_in(std::less<>()) || !break_in(std::greater<>());
}

/// The entries, each once. Had one that was named before been sent on its own behind that, an ack would find nothing, and a nack no
/// delivery.
std::vector<entry_handle> once_each(const std::vector<named_entry>& named, settlement what, settled& so_far) {
  std::vector<entry_handle> entries;
  entries.reserve(named.size());
  const bool distinct = in_order(named);
  std::set<entry_handle> seen;
  for (const auto& n : named) {
    if (distinct || seen.insert(n.entry).second)
      entries.push_back(n.entry);
    else if (what == settlement::ack)
      so_far.unknown.push_back(n.position);
    else if (what == settlement::nack)
      so_far.stale.push_back(n.position);
  }
  if (!distinct) std::sort(so_far.stale.begin(), so_far.stale.end());
  return entries;
}

}  // namespace

void queue_state::on_settle(command::settle& command) {
  catch_up();
  std::vector<settle_target> rest;
  const auto found = held(command, rest);
  command.targets = std::move(rest);
  command.asked.push_back(number_);
  auto request = std::make_shared<command::settle>(std::move(command));
  const auto count = found.size();
  auto settled_here = [this, request, count](const failure* problem) {
    if (problem != nullptr) return request->answer(*problem);
    if (request->what != settlement::nack) request->so_far.count += count;
    if (request->targets.empty()) return request->answer(std::move(request->so_far));
    tell(topic_, event::unheld{std::move(*request)});
  };
  if (found.empty()) {
    settled_here(nullptr);
  } else if (request->what == settlement::ack) {
    let_go(found, std::move(settled_here));
  } else if (request->what == settlement::nack) {
    const auto not_before = request->value.count() == 0 ? 0 : later(now(), request->value);
    take_back(found, not_before, request->so_far, std::move(settled_here));
  } else {
    extend(found, later(now(), lease_of(request->value)), std::move(settled_here));
  }
  serve();
}

std::vector<entry_handle> queue_state::held(command::settle& command, std::vector<settle_target>& rest) const {
  std::vector<named_entry> found;
  found.reserve(command.targets.size());
  for (const auto& target : command.targets) {
    const auto h = core_->find(target.which.id);
    if (h == no_entry) {
      rest.push_back(target);
      continue;
    }
    const auto& e = (*core_)[h];
    const bool current = target.which.deliveries == 0 || target.which.deliveries == e.deliveries;
    if (e.place() == place::settling) {
      command.so_far.unknown.push_back(target.position);  // its end is being written
    } else if (!current || (command.what != settlement::ack && e.place() != place::leased)) {
      command.so_far.stale.push_back(target.position);
    } else {
      found.push_back({h, target.position});
    }
  }
  return once_each(found, command.what, command.so_far);
}

void queue_state::let_go(const std::vector<entry_handle>& entries, then and_then) {
  records::id_list ids;
  std::vector<queue_core::settled_from> before;
  before.reserve(entries.size());
  for (const auto h : entries) {
    ids.add((*core_)[h].message->id());
    before.push_back(core_->settle(h));
  }
  log_.append(records::acknowledged(topic_id_, number_, ids), durability::promised,
              [this, before = std::move(before), and_then = std::move(and_then)](const failure* problem) {
                const auto ready = core_->ready();
                event::released released;
                for (const auto& b : before) {
                  if (problem != nullptr) {
                    restore(b);
                    continue;
                  }
                  if (!b.gone_for_limits) {
                    ++released.messages;
                    released.bytes += static_cast<std::int64_t>((*core_)[b.entry].message->content_size());
                  }
                  forget(b.entry);
                  ++totals_.acknowledged;
                }
                tell_released(released.messages, released.bytes);
                tell_replenished(ready);
                and_then(problem);
                if (problem != nullptr || draining_) serve();
              });
}

void queue_state::forget(entry_handle h) {
  if (!handed_while_settling_.empty()) handed_while_settling_.erase(h);
  core_->remove(h);
}

void queue_state::restore(queue_core::settled_from before) {
  std::optional<bool> reached;
  if (const auto found = handed_while_settling_.find(before.entry); found != handed_while_settling_.end()) {
    reached = found->second;
    handed_while_settling_.erase(found);
  }
  const bool leased = before.place == place::leased;
  auto* subscriber = leased && before.owner != pulled ? subscribers_.find(before.owner) : nullptr;
  if (leased && before.owner != pulled && subscriber == nullptr)
    before.place = place::returned;  // its subscription has ended
  if (leased && reached.value_or(false)) before.when = later(now(), core_->settings().ack_timeout);
  core_->restore(before);
  if (before.place != place::leased) return;
  if (subscriber != nullptr) ++subscriber->in_flight;
  if (reached == false) core_->undo_delivery(before.entry);
}

void queue_state::take_back(const std::vector<entry_handle>& entries, std::int64_t not_before, settled& so_far,
                            then and_then) {
  const auto before = core_->ready();
  records::id_list ids;
  std::vector<burial> burials;
  for (const auto h : entries) {
    const auto id = (*core_)[h].message->id();
    if (const auto b = core_->fail_delivery(h, now(), not_before)) {
      burials.push_back(*b);
    } else {
      ids.add(id, (*core_)[h].deliveries);
    }
  }
  so_far.count += ids.size();
  so_far.dead_lettered += burials.size();
  tell_replenished(before);
  bury(burials);
  log_.append(ids.empty() ? std::string() : records::returned(topic_id_, number_, ids, not_before),
              durability::promised, std::move(and_then));
}

void queue_state::extend(const std::vector<entry_handle>& entries, std::int64_t until, then and_then) {
  records::id_list ids;
  for (const auto h : entries) {
    core_->start_lease(h, until);
    if (core_->owner_of(h) == pulled) ids.add((*core_)[h].message->id(), (*core_)[h].deliveries);
  }
  // Leases of subscriptions end with the process: nothing has to be recorded of them.
  log_.append(ids.empty() ? std::string() : records::leased(topic_id_, number_, ids, until), durability::promised,
              std::move(and_then));
}

// When the record cannot be written the message is a dead letter all the same; after a restart it would fail once more.
void queue_state::bury(const std::vector<burial>& burials) {
  std::map<dead_reason, std::vector<entry_handle>> by_reason;
  for (const auto& b : burials) by_reason[b.reason].push_back(b.entry);
  for (const auto& [reason, entries] : by_reason)
    for (auto& part : records::in_parts(entries)) bury(std::move(part), reason);
}

void queue_state::bury(std::vector<entry_handle> entries, dead_reason reason) {
  records::id_list ids;
  for (const auto h : entries) ids.add((*core_)[h].message->id());
  const auto at = now();
  log_.append(records::buried(topic_id_, number_, ids, reason, at), durability::written,
              [this, reason, at, entries = std::move(entries)](const failure*) {
                const auto bytes = core_->bytes();
                event::buried event{number_, {}, reason, at};
                for (const auto h : entries) event.messages.push_back(core_->send_off(h, now()));
                totals_.dead_lettered += entries.size();
                tell_released(static_cast<std::int64_t>(entries.size()),
                              static_cast<std::int64_t>(bytes - core_->bytes()));
                tell(topic_, std::move(event));
                if (draining_) serve();
              });
}

oldest_found queue_state::on_find_oldest(const find_oldest& request) {
  catch_up();
  oldest_found found{{}, core_->ready(), received_};
  for (const auto h : core_->oldest(request.most)) {
    const auto& m = *(*core_)[h].message;
    found.messages.push_back({m.id(), m.content_size()});
  }
  return found;
}

caf::result<oldest_dropped> queue_state::on_drop_oldest(const event::drop_oldest& event) {
  catch_up();
  const auto dropped = core_->drop_oldest(event.count, event.through);
  bury(dropped);
  auto promise = self_->make_response_promise<oldest_dropped>();
  log_.append({}, durability::written, [this, promise, count = dropped.size()](const failure*) mutable {
    promise.deliver(oldest_dropped{count, core_->ready(), received_});
  });
  serve();
  return promise;
}

void queue_state::on_purge(command::purge& command) {
  catch_up();
  std::vector<entry_handle> waiting;
  for (const auto h : core_->all()) {
    const auto where = (*core_)[h].place();
    if (where == place::arrived || where == place::returned || where == place::delayed) waiting.push_back(h);
  }
  const auto parts = records::in_parts(waiting);
  const auto purged = part_count::of(parts.size(), std::move(command.answer));
  for (const auto& part : parts)
    let_go(part, [this, purged, size = part.size()](const failure* problem) {
      if (problem == nullptr) totals_.acknowledged -= size;  // purged is not acknowledged
      purged->over(size, problem);
    });
  tell_supply();
}

// -- telling the topic --------------------------------------------------------------------------------------------------------

// The topic counts what it holds for its limits. While there are none it may know a little late.
void queue_state::tell_released(std::int64_t messages, std::int64_t bytes) {
  released_.messages += messages;
  released_.bytes += bytes;
  const auto& settings = core_->settings();
  const bool limited = settings.max_length > 0 || settings.max_bytes > 0;
  if (released_.messages == 0 && released_.bytes == 0) return;
  if (!limited && std::abs(released_.messages) < most_untold) return;
  tell(topic_, std::exchange(released_, {}));
}

void queue_state::tell_replenished(std::size_t before) {
  if (core_->ready() <= before) return;
  tell(topic_, event::replenished{number_, core_->ready() - before});
  fed_by_topic();
}

}  // namespace mqlite
