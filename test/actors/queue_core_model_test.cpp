#include <algorithm>
#include <deque>
#include <map>
#include <set>

#include "actors/queue/queue_core.hpp"
#include "test/actors/support.hpp"

// Three queues and a plain model of them do the same things at random; after every step they must agree on everything.
namespace mqlite::test {
namespace {

constexpr auto never = timer_heap<entry_handle>::never;

struct model_message {
  message_ptr message;
  std::uint32_t deliveries = 0;
  mqlite::place place = place::arrived;
  std::int64_t until = never;  ///< of a lease or a delay
  lease_owner owner = pulled;
  std::uint64_t batch = 0;
  bool unexpiring = false;
};

/// What a queue promises, said as plainly as possible.
struct model_queue {
  std::map<message_id, model_message> all;
  std::vector<message_id> arrived;
  std::vector<lease_owner> freed;
  topic_settings settings;

  std::int64_t expiry(const model_message& m) const {
    if (m.unexpiring) return never;
    const auto own = m.message->expires_at() == 0 ? never : m.message->expires_at();
    const auto ttl = settings.message_ttl.count();
    return ttl == 0 ? own : std::min(own, m.message->id().timestamp() + ttl);
  }
  static bool waits(const model_message& m) {
    return m.place == place::arrived || m.place == place::returned || m.place == place::delayed;
  }
  std::vector<message_id> ready() const {
    std::vector<message_id> result;
    for (const auto& [id, m] : all)
      if (m.place == place::returned) result.push_back(id);
    result.insert(result.end(), arrived.begin(), arrived.end());
    return result;
  }
  std::size_t count(mqlite::place where) const {
    return static_cast<std::size_t>(
        std::count_if(all.begin(), all.end(), [&](const auto& m) { return m.second.place == where; }));
  }
  std::uint64_t bytes() const {
    std::uint64_t sum = 0;
    for (const auto& [id, m] : all) sum += m.message->payload().size() + m.message->attributes().size();
    return sum;
  }
  std::int64_t next_due() const {
    auto next = never;
    for (const auto& [id, m] : all) {
      if (m.place == place::leased || m.place == place::delayed) next = std::min(next, m.until);
      if (waits(m)) next = std::min(next, expiry(m));
    }
    return next;
  }
  void put(const message_id& id, mqlite::place where, std::int64_t until = never) {
    auto& m = all.at(id);
    if (m.place == place::leased && m.owner != pulled) freed.push_back(m.owner);
    if (m.place == place::arrived) std::erase(arrived, id);
    m.place = where;
    m.until = until;
    if (where != place::leased) m.owner = pulled;
    if (where == place::arrived) arrived.push_back(id);
  }
  void add(message_ptr message, std::uint32_t deliveries, mqlite::place where, std::int64_t until, bool unexpiring) {
    const auto id = message->id();
    all[id] = {std::move(message), deliveries, place::none};
    all[id].unexpiring = unexpiring;
    put(id, where, until);
  }
  /// What may be dropped: those that wait, in their order, and the delayed ones among them by their age.
  std::vector<message_id> oldest() {
    std::vector<message_id> delayed;
    if (settings.overflow == overflow_policy::drop_oldest && settings.max_bytes > 0)
      for (const auto& [id, m] : all)
        if (m.place == place::delayed) delayed.push_back(id);
    std::vector<message_id> merged;
    auto next = delayed.begin();
    for (const auto& id : ready()) {
      while (next != delayed.end() && *next < id) merged.push_back(*next++);
      merged.push_back(id);
    }
    merged.insert(merged.end(), next, delayed.end());
    return merged;
  }
  model_message remove(const message_id& id) {
    put(id, place::none);
    auto node = all.extract(id);
    return std::move(node.mapped());
  }
  std::optional<dead_reason> fail(const message_id& id, std::int64_t now, std::int64_t not_before) {
    const auto& m = all.at(id);
    const auto reason = settings.max_deliveries > 0 && m.deliveries >= settings.max_deliveries
                            ? dead_reason::max_deliveries
                        : expiry(m) <= now ? dead_reason::expired
                                           : dead_reason::none;
    if (reason != dead_reason::none) {
      put(id, place::settling);
      return reason;
    }
    not_before > now ? put(id, place::delayed, not_before) : put(id, place::returned);
    return std::nullopt;
  }
};

class model_run {
 public:
  explicit model_run(std::uint64_t seed) : random_(seed), ids_(seed) {}

  void step() {
    now_ += random_.percent(60) ? 0 : static_cast<std::int64_t>(random_.below(second / 10));
    const auto which = random_.below(queues);
    switch (random_.below(21)) {
      case 0:
      case 1:
      case 2:
      case 3:
        arrive(which);
        break;
      case 4:
      case 5:
      case 6:
        take(which);
        break;
      case 7:
        start_lease(which);
        break;
      case 8:
        undo(which);
        break;
      case 9:
        nack(which);
        break;
      case 10:
      case 11:
        settle(which);
        break;
      case 12:
      case 13:
        finish(which);
        break;
      case 14:
      case 15:
        pass_time(which);
        break;
      case 16:
        steal(which);
        break;
      case 17:
        drop_oldest(which);
        break;
      case 18:
        change_settings(which);
        break;
      case 19:
        arrive_again(which);
        break;
      case 20:
        give_in_vain(which);
        break;
    }
    for (std::size_t q = 0; q < queues; ++q) compare(q);
    if (random_.below(50) == 0) look_closely(which);
  }

  /// Nothing that was removed may be anywhere, and everything else is in exactly one place.
  void end() {
    std::size_t held = 0;
    for (auto& m : models_) held += m.all.size();
    CHECK(made_ == held + gone_.size());
    for (const auto& id : gone_)
      for (auto& core : cores_) {
        REQUIRE_FALSE(core.holds(id));
        REQUIRE(core.find(id) == no_entry);
      }
  }

 private:
  static constexpr std::size_t queues = 3;

  std::optional<message_id> any_in(std::size_t q, mqlite::place where) {
    std::vector<message_id> found;
    for (const auto& [id, m] : models_[q].all)
      if (m.place == where) found.push_back(id);
    if (found.empty()) return std::nullopt;
    return random_.one_of(found);
  }

  // -- what happens ---------------------------------------------------------------------------------------------------------

  void arrive(std::size_t q) {
    if (models_[q].all.size() > 60) return;
    const auto expires = random_.percent(15) ? now_ + static_cast<std::int64_t>(random_.below(3 * second)) : 0;
    auto m = message::make(std::string(random_.below(20), 'x'), {}, expires, ids_.next(now_));
    const auto not_before =
        random_.percent(15) ? now_ - second / 10 + static_cast<std::int64_t>(random_.below(second)) : 0;
    const auto deliveries = random_.percent(5) ? static_cast<std::uint32_t>(random_.below(4)) : 0;
    const bool unexpiring = random_.percent(10);
    cores_[q].arrive({m, deliveries, unexpiring}, not_before, now_);
    const auto where = not_before > now_ ? place::delayed : deliveries > 0 ? place::returned : place::arrived;
    models_[q].add(std::move(m), deliveries, where, where == place::delayed ? not_before : never, unexpiring);
    ++made_;
  }

  void arrive_again(std::size_t q) {
    if (models_[q].all.empty()) return;
    auto i = models_[q].all.begin();
    std::advance(i, random_.below(models_[q].all.size()));
    cores_[q].arrive({i->second.message}, 0, now_);
  }

  void take(std::size_t q) {
    const auto most = random_.below(6);
    const auto owner = random_.below(4);
    const auto batch = ++batch_;
    const auto taken = cores_[q].take(most, UINT64_MAX, owner, batch);
    auto expected = models_[q].ready();
    expected.resize(std::min<std::size_t>(most, expected.size()));
    REQUIRE(taken.size() == expected.size());
    for (std::size_t i = 0; i < taken.size(); ++i) {
      REQUIRE(cores_[q][taken[i]].message->id() == expected[i]);
      models_[q].put(expected[i], place::leased);
      auto& m = models_[q].all.at(expected[i]);
      ++m.deliveries;
      m.owner = owner;
      m.batch = batch;
    }
  }

  void start_lease(std::size_t q) {
    const auto id = any_in(q, place::leased);
    if (!id) return;
    const auto until = random_.percent(10) ? never : now_ + static_cast<std::int64_t>(random_.below(second));
    cores_[q].start_lease(cores_[q].find(*id), until);
    models_[q].all.at(*id).until = until;
  }

  void undo(std::size_t q) {
    const auto id = any_in(q, place::leased);
    if (!id) return;
    cores_[q].undo_delivery(cores_[q].find(*id));
    models_[q].put(*id, place::returned);
    --models_[q].all.at(*id).deliveries;
  }

  void nack(std::size_t q) {
    const auto id = any_in(q, place::leased);
    if (!id) return;
    const auto not_before = random_.percent(50) ? 0 : now_ + static_cast<std::int64_t>(random_.below(second));
    const auto burial = cores_[q].fail_delivery(cores_[q].find(*id), now_, not_before);
    const auto expected = models_[q].fail(*id, now_, not_before);
    REQUIRE(burial.has_value() == expected.has_value());
    if (burial) REQUIRE(burial->reason == *expected);
  }

  void settle(std::size_t q) {
    constexpr mqlite::place places[] = {place::arrived, place::returned, place::delayed, place::leased, place::leased};
    const auto id = any_in(q, places[random_.below(5)]);
    if (!id) return;
    const auto before = models_[q].all.at(*id);
    pending_[q][*id] = {cores_[q].settle(cores_[q].find(*id)), before};
    models_[q].put(*id, place::settling);
  }

  /// The record of a settlement was written, or failed; burials are only written.
  void finish(std::size_t q) {
    const auto id = any_in(q, place::settling);
    if (!id) return;
    const auto pending = pending_[q].find(*id);
    if (pending != pending_[q].end() && random_.percent(40)) {
      const auto& [from, was] = pending->second;
      cores_[q].restore(from);
      const auto where = was.place == place::arrived ? place::returned : was.place;
      models_[q].put(*id, where, was.until);
      models_[q].all.at(*id).owner = was.owner;
      models_[q].all.at(*id).batch = was.batch;
    } else {
      const auto carried = cores_[q].remove(cores_[q].find(*id));
      REQUIRE(carried.message->id() == *id);
      REQUIRE(carried.deliveries == models_[q].all.at(*id).deliveries);
      models_[q].remove(*id);
      gone_.insert(*id);
    }
    if (pending != pending_[q].end()) pending_[q].erase(pending);
  }

  void pass_time(std::size_t q) {
    auto& model = models_[q];
    const auto due = cores_[q].due(now_);
    std::map<message_id, dead_reason> burials;
    std::uint64_t timed_out = 0;
    std::vector<message_id> leases;
    std::vector<std::pair<std::int64_t, message_id>> delays;
    for (const auto& [id, m] : model.all) {
      if (m.place == place::leased && m.until <= now_) leases.push_back(id);
      if (m.place == place::delayed && m.until <= now_) delays.emplace_back(m.until, id);
    }
    for (const auto& id : leases) {
      ++timed_out;
      if (const auto reason = model.fail(id, now_, 0)) burials[id] = *reason;
    }
    std::sort(delays.begin(), delays.end());
    for (const auto& [until, id] : delays)
      model.put(id, model.all.at(id).deliveries > 0 ? place::returned : place::arrived);
    for (auto& [id, m] : model.all)
      if (model_queue::waits(m) && model.expiry(m) <= now_) {
        model.put(id, place::settling);
        burials[id] = dead_reason::expired;
      }
    REQUIRE(due.timed_out == timed_out);
    REQUIRE(due.burials.size() == burials.size());
    for (const auto& b : due.burials) REQUIRE(burials.at(cores_[q][b.entry].message->id()) == b.reason);
  }

  void steal(std::size_t victim) {
    const auto thief = (victim + 1 + random_.below(queues - 1)) % queues;
    const auto ready = models_[victim].ready();
    const auto count = random_.percent(70) ? (ready.size() + 1) / 2 : random_.below(ready.size() + 2);
    auto given = cores_[victim].give(count, now_);
    REQUIRE(given.size() == std::min<std::size_t>(count, ready.size()));
    std::vector<message_id> to_tail;
    for (std::size_t i = 0; i < given.size(); ++i) {
      const auto& id = ready[ready.size() - given.size() + i];
      REQUIRE(given[i].message->id() == id);
      auto m = models_[victim].remove(id);
      REQUIRE(given[i].deliveries == m.deliveries);
      REQUIRE(given[i].unexpiring == m.unexpiring);
      models_[thief].all[id] = {m.message, m.deliveries, place::none};
      models_[thief].all[id].unexpiring = m.unexpiring;
      if (m.deliveries > 0) {
        models_[thief].put(id, place::returned);
      } else {
        models_[thief].all[id].place = place::arrived;
        to_tail.push_back(id);
      }
    }
    models_[thief].arrived.insert(models_[thief].arrived.begin(), to_tail.begin(), to_tail.end());
    cores_[thief].arrive_stolen(given);
  }

  /// A move that could not be recorded: what was given comes back, while others have arrived.
  void give_in_vain(std::size_t q) {
    auto& model = models_[q];
    const auto ready = model.ready();
    auto given = cores_[q].give(random_.below(ready.size() + 1), now_);
    std::vector<model_message> back;
    for (const auto& g : given) back.push_back(model.remove(g.message->id()));
    for (auto i = random_.below(3); i > 0; --i) arrive(q);
    auto before = model.arrived.size();
    for (auto i = back.size(); i-- > 0;) {
      const auto id = back[i].message->id();
      model.all[id] = {back[i].message, back[i].deliveries, place::none};
      model.all[id].unexpiring = back[i].unexpiring;
      if (back[i].deliveries > 0) {
        model.put(id, place::returned);
        continue;
      }
      while (before > 0 && model.arrived[before - 1] > id) --before;
      model.all[id].place = place::arrived;
      model.arrived.insert(model.arrived.begin() + static_cast<std::ptrdiff_t>(before), id);
    }
    cores_[q].take_back(given);
  }

  void drop_oldest(std::size_t q) {
    if (!random_.percent(20)) return;
    const auto count = random_.below(4);
    auto ready = models_[q].oldest();
    const auto through =
        ready.empty() || random_.percent(50) ? message_id{~0ULL, ~0ULL} : ready[random_.below(ready.size())];
    const auto burials = cores_[q].drop_oldest(count, through);
    const auto end = std::find_if(ready.begin(), ready.end(), [&](const message_id& id) { return id > through; });
    ready.erase(end, ready.end());
    REQUIRE(burials.size() == std::min<std::size_t>(count, ready.size()));
    for (std::size_t i = 0; i < burials.size(); ++i) {
      REQUIRE(cores_[q][burials[i].entry].message->id() == ready[i]);
      REQUIRE(burials[i].reason == dead_reason::overflow);
      models_[q].put(ready[i], place::settling);
    }
  }

  void change_settings(std::size_t q) {
    if (!random_.percent(20)) return;
    auto& s = models_[q].settings;
    s.max_deliveries = static_cast<std::uint32_t>(random_.below(5));
    s.max_bytes = 1 << 30;
    s.overflow = random_.percent(50) ? overflow_policy::drop_oldest : overflow_policy::reject;
    s.message_ttl =
        std::chrono::nanoseconds(random_.percent(60) ? 0 : static_cast<std::int64_t>(random_.below(10 * second)));
    cores_[q].settings(s);
  }

  // -- what must hold -------------------------------------------------------------------------------------------------------

  void compare(std::size_t q) {
    const auto& core = cores_[q];
    auto& model = models_[q];
    std::vector<message_id> ready;
    core.each_ready(1000, [&](const message_ptr& m, std::uint32_t) { ready.push_back(m->id()); });
    REQUIRE(ready == model.ready());
    REQUIRE(core.ready() == ready.size());
    REQUIRE(core.leased() == model.count(place::leased) + model.count(place::settling));
    REQUIRE(core.delayed() == model.count(place::delayed));
    REQUIRE(core.size() == model.all.size());
    REQUIRE(core.bytes() == model.bytes());
    REQUIRE(core.next_due() == model.next_due());
    auto freed = cores_[q].take_freed();
    std::sort(freed.begin(), freed.end());
    std::sort(model.freed.begin(), model.freed.end());
    REQUIRE(freed == std::exchange(model.freed, {}));
  }

  void look_closely(std::size_t q) {
    auto& core = cores_[q];
    const auto& model = models_[q];
    for (const auto& [id, m] : model.all) {
      const auto h = core.find(id);
      REQUIRE(h != no_entry);
      REQUIRE(core[h].place() == m.place);
      REQUIRE(core[h].deliveries + 0 == m.deliveries);
      if (m.place == place::delayed) REQUIRE(core.delayed_until(h) == m.until);
      REQUIRE((core.find_leased(id, m.batch) != no_entry) == (m.place == place::leased));
      if (m.place != place::leased) continue;
      REQUIRE(core.leased_until(h) == m.until);
      REQUIRE(core.owner_of(h) == m.owner);
      REQUIRE(core.find_leased(id, m.batch + 1) == no_entry);
    }
    for (lease_owner owner = 1; owner < 4; ++owner) {
      std::set<message_id> found;
      for (const auto h : core.leases_of(owner)) found.insert(core[h].message->id());
      std::set<message_id> expected;
      for (const auto& [id, m] : model.all)
        if (m.place == place::leased && m.owner == owner) expected.insert(id);
      REQUIRE(found == expected);
    }
    std::set<message_id> all;
    for (const auto h : core.all()) REQUIRE(all.insert(core[h].message->id()).second);
    REQUIRE(all.size() == model.all.size());
    REQUIRE(core.leased_entries(1000).size() == model.count(place::leased));
    REQUIRE(core.delayed_entries(1000).size() == model.count(place::delayed));
  }

  chance random_;
  id_source ids_;
  std::int64_t now_ = beginning;
  queue_core cores_[queues];
  model_queue models_[queues];
  std::map<message_id, std::pair<queue_core::settled_from, model_message>> pending_[queues];
  std::set<message_id> gone_;
  std::size_t made_ = 0;
  std::uint64_t batch_ = 0;
};

}  // namespace

TEST_CASE("three queues do what a plain model does, whatever happens to them") {
  for (const auto seed : seeds(10)) {
    CAPTURE(seed);
    model_run run(seed);
    for (int i = 0; i < 10'000; ++i) {
      CAPTURE(i);
      run.step();
    }
    run.end();
  }
}

}  // namespace mqlite::test
