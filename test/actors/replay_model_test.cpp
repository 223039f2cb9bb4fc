#include <algorithm>

#include "actors/log/records.hpp"
#include "actors/log/replay.hpp"
#include "actors/log/snapshot_records.hpp"
#include "persistence/published_record.hpp"
#include "test/actors/log_image.hpp"

// Topics that live in memory and write down what happens to them; the log replayed must give the same topics.
namespace mqlite::test {
namespace {

constexpr std::int64_t far = beginning + 1'000'000 * second;  // leases and delays end behind the test

std::string published_to(std::uint64_t topic, queue_number queue, const std::vector<message_ptr>& messages,
                         std::int64_t not_before = 0) {
  published_record record(topic);
  for (const auto& m : messages) {
    unsigned char id[16];
    m->id().to_bytes(id);
    stored_message_view view;
    view.id = id;
    view.queue = static_cast<std::uint32_t>(queue);
    view.payload = m->payload();
    view.attributes = m->attributes();
    view.not_before = not_before;
    record.add(view);
  }
  return std::move(record).finish();
}

class living_broker {
 public:
  living_broker(std::uint64_t seed, bool resizes, bool subscriptions = true)
      : random_(seed), ids_(seed), resizes_(resizes), subscriptions_(subscriptions) {}

  std::vector<std::string> log;

  void step() {
    const auto what = random_.below(100);
    if (birth_.namespaces.empty() || what == 0) return create_namespace();
    if (what == 1 && random_.percent(20)) return delete_namespace();
    if (what == 2) return create_topic();
    auto* topic = some_topic();
    if (topic == nullptr) return create_topic();
    if (what == 3 && random_.percent(30)) return delete_topic(*topic);
    if (what < 6) return update(*topic);
    if (what < 40) return publish(*topic);
    if (what < 55) return lease(*topic);
    if (what < 60) return extend(*topic);
    if (what < 68) return give_back(*topic);
    if (what < 78) return acknowledge(*topic);
    if (what < 90) return move(*topic);
    if (what < 94) return bury(*topic);
    if (what < 98) return redrive(*topic);
    purge_dead(*topic);
  }

  log_image image() const { return log_image(birth_); }

  /// The records of a snapshot that is taken topic after topic and slice by slice, with up to `steps` steps between two slices.
  std::vector<std::string> snapshot(std::size_t most, std::uint64_t steps) {
    std::vector<std::string> base{records::topic_deleted(last_topic_)};
    std::vector<std::shared_ptr<topic_birth>> topics;
    for (const auto& [name, all] : birth_.namespaces) {
      base.push_back(records::namespace_created(name));
      for (const auto& t : all) topics.push_back(std::make_shared<topic_birth>(t));
    }
    if (birth_.namespaces.empty()) base.pop_back();
    for (const auto& t : topics) add_topic(*t, base, most, steps);
    return base;
  }

 private:
  topic_birth* some_topic() {
    auto ns = birth_.namespaces.begin();
    std::advance(ns, random_.below(birth_.namespaces.size()));
    return ns->second.empty() ? nullptr : &random_.one_of(ns->second);
  }
  std::pair<queue_number, queue_core&> some_queue(topic_birth& t) {
    const auto q = random_.below(t.cores.size());
    return {static_cast<queue_number>(q), *t.cores[q]};
  }
  /// Some entries of a queue that are in one of these places.
  std::vector<entry_handle> some_of(queue_core& core, std::initializer_list<place> places) {
    std::vector<entry_handle> result;
    for (const auto h : core.all())
      if (std::find(places.begin(), places.end(), core[h].place()) != places.end() && random_.percent(40))
        result.push_back(h);
    return result;
  }

  void add_topic(const topic_birth& before, std::vector<std::string>& base, std::size_t most, std::uint64_t steps) {
    // As it is now, or, should it have been deleted meanwhile, as it was.
    auto t = before;
    if (const auto ns = birth_.namespaces.find(t.name_space); ns != birth_.namespaces.end())
      for (const auto& now : ns->second)
        if (now.id == t.id) t = now;
    base.push_back(records::topic_created(t.id, t.name_space, t.name, static_cast<std::uint32_t>(t.queue_count),
                                          t.settings, t.version));
    for (const auto& core : t.cores) core->begin_snapshot();
    t.dead->begin_snapshot();
    snapshot_records out(t.id, [&](std::string framed) {
      base.push_back(std::move(framed));
      return true;
    });
    const auto live = [&] {
      for (auto i = steps == 0 ? 0 : random_.below(steps + 1); i > 0; --i) step();
    };
    live();
    for (std::size_t q = 0; q < t.cores.size(); ++q) {
      std::vector<snapshot_entry> entries;
      for (bool more = true; more; live()) more = t.cores[q]->next_slice(most, beginning, entries);
      for (const auto& e : entries) out.add(static_cast<queue_number>(q), e);
    }
    std::vector<peeked> letters;
    for (bool more = true; more; live()) more = t.dead->next_slice(most, letters);
    for (const auto& l : letters) out.add(l);
    out.flush();
  }

  void create_namespace() {
    const auto name = "n" + std::to_string(random_.below(4));
    if (birth_.namespaces.contains(name)) return;
    birth_.namespaces[name];
    log.push_back(records::namespace_created(name));
  }
  void delete_namespace() {
    const auto name = birth_.namespaces.begin()->first;
    birth_.namespaces.erase(name);
    log.push_back(records::namespace_deleted(name));
  }
  void create_topic() {
    auto& [name, topics] = *birth_.namespaces.begin();
    if (topics.size() > 3) return;
    topic_birth t;
    t.id = ++last_topic_;
    t.name_space = name;
    t.name = "t" + std::to_string(t.id);
    t.queue_count = static_cast<std::int32_t>(1 + random_.below(4));
    t.dead = std::make_shared<dead_letters>();
    for (std::int32_t i = 0; i < t.queue_count; ++i) t.cores.push_back(std::make_shared<queue_core>(t.settings));
    log.push_back(records::topic_created(t.id, t.name_space, t.name, static_cast<std::uint32_t>(t.queue_count),
                                         t.settings, t.version));
    topics.push_back(std::move(t));
  }
  void delete_topic(topic_birth& t) {
    log.push_back(records::topic_deleted(t.id));
    auto& topics = birth_.namespaces.at(t.name_space);
    const auto id = t.id;
    std::erase_if(topics, [&](const auto& other) { return other.id == id; });
  }
  void update(topic_birth& t) {
    t.settings.max_length = random_.below(1000);
    if (resizes_) {
      ++t.version;
      ++t.queue_count;
      t.cores.push_back(std::make_shared<queue_core>(t.settings));
    }
    log.push_back(records::topic_updated(t.id, static_cast<std::uint32_t>(t.queue_count), t.settings, t.version, 0));
  }
  void publish(topic_birth& t) {
    const auto [q, core] = some_queue(t);
    std::vector<message_ptr> messages;
    const auto not_before = random_.percent(10) ? far + static_cast<std::int64_t>(random_.below(1000)) : 0;
    const auto count = 1 + random_.below(4);
    for (std::uint64_t i = 0; i < count; ++i) {
      messages.push_back(message::make(std::string(random_.below(10), 'x'), {}, 0, ids_.next(beginning)));
      core.arrive({messages.back()}, not_before, beginning);
    }
    log.push_back(published_to(t.id, q, messages, not_before));
  }
  void lease(topic_birth& t) {
    const auto [q, core] = some_queue(t);
    const auto until = far + static_cast<std::int64_t>(random_.below(1000));
    records::id_list ids;
    for (const auto h : core.take(1 + random_.below(4), UINT64_MAX, subscriptions_ ? random_.below(3) : pulled, 1)) {
      core.start_lease(h, until);
      ids.add(core[h].message->id(), core[h].deliveries);
    }
    if (!ids.empty()) log.push_back(records::leased(t.id, q, ids, until));
  }
  void extend(topic_birth& t) {
    const auto [q, core] = some_queue(t);
    const auto until = far + static_cast<std::int64_t>(random_.below(1000));
    records::id_list ids;
    for (const auto h : some_of(core, {place::leased})) {
      core.start_lease(h, until);
      ids.add(core[h].message->id(), core[h].deliveries);
    }
    if (!ids.empty()) log.push_back(records::leased(t.id, q, ids, until));
  }
  void give_back(topic_birth& t) {
    const auto [q, core] = some_queue(t);
    const bool undo = random_.percent(30);
    const auto not_before = !undo && random_.percent(30) ? far + static_cast<std::int64_t>(random_.below(1000)) : 0;
    records::id_list ids;
    for (const auto h : some_of(core, {place::leased})) {
      if (undo) {
        core.undo_delivery(h);
        ids.add(core[h].message->id(), core[h].deliveries);
      } else {
        REQUIRE_FALSE(core.fail_delivery(h, beginning, not_before));
        ids.add(core[h].message->id());
      }
    }
    if (!ids.empty()) log.push_back(records::returned(t.id, q, ids, not_before));
  }
  void acknowledge(topic_birth& t) {
    const auto [q, core] = some_queue(t);
    records::id_list ids;
    for (const auto h :
         some_of(core, {place::leased, place::leased, place::arrived, place::returned, place::delayed})) {
      core.settle(h);
      ids.add(core.remove(h).message->id());
    }
    if (!ids.empty()) log.push_back(records::acknowledged(t.id, q, ids));
  }
  void move(topic_birth& t) {
    const auto [from, core] = some_queue(t);
    const auto to = random_.below(t.cores.size());
    if (static_cast<std::size_t>(from) == to || core.ready() == 0) return;
    auto messages = core.give((core.ready() + 1) / 2, beginning);
    records::id_list ids;
    for (const auto& m : messages) ids.add(m.message->id());
    t.cores[to]->arrive_stolen(messages);
    log.push_back(records::moved(t.id, from, static_cast<queue_number>(to), ids));
  }
  void bury(topic_birth& t) {
    const auto [q, core] = some_queue(t);
    records::id_list ids;
    for (const auto& b : core.drop_oldest(1 + random_.below(3), message_id{~0ULL, ~0ULL})) {
      auto carried = core.send_off(b.entry, beginning);
      ids.add(carried.message->id());
      t.dead->add({std::move(carried.message), q, carried.deliveries, dead_reason::overflow, 77});
    }
    if (!ids.empty()) log.push_back(records::buried(t.id, q, ids, dead_reason::overflow, 77));
  }
  void redrive(topic_birth& t) {
    records::id_list ids;
    std::vector<std::uint32_t> queues;
    for (const auto& id : t.dead->ids()) {
      if (random_.percent(50)) continue;
      ids.add(id);
      queues.push_back(static_cast<std::uint32_t>(random_.below(t.cores.size())));
      t.cores[queues.back()]->arrive({t.dead->take(id)->message, 0, true}, 0, beginning);
    }
    if (!ids.empty()) log.push_back(records::redriven(t.id, ids, queues, beginning));
  }
  void purge_dead(topic_birth& t) {
    records::id_list ids;
    for (const auto& id : t.dead->ids()) {
      ids.add(id);
      t.dead->take(id);
    }
    if (!ids.empty()) log.push_back(records::dead_purged(t.id, ids));
  }

  chance random_;
  id_source ids_;
  bool resizes_;
  bool subscriptions_;
  broker_birth birth_;
  std::uint64_t last_topic_ = 0;
};

/// The state at record `at`, with the records from `from` on replayed over it.
log_image replayed_over(const std::vector<std::string>& log, std::size_t from, std::size_t at) {
  replay r(beginning);
  for (std::size_t i = 0; i < at; ++i) decode(log[i], r);
  for (auto i = from; i < log.size(); ++i) decode(log[i], r);
  auto image = log_image(r.take());
  image.forget_order();
  return image;
}

}  // namespace

TEST_CASE("replaying the log gives what was there, order included, wherever it stops") {
  for (const auto seed : seeds(20)) {
    CAPTURE(seed);
    living_broker broker(seed, true);
    for (int i = 0; i < 1500; ++i) {
      broker.step();
      if (i % 60 != 59) continue;
      CAPTURE(i);
      REQUIRE(log_image(replayed(broker.log, beginning)).text() == broker.image().text());
    }
  }
}

TEST_CASE("records that a snapshot contains already change nothing when they are replayed over it") {
  for (const auto seed : seeds(30)) {
    CAPTURE(seed);
    living_broker broker(seed, false);
    for (int i = 0; i < 600; ++i) broker.step();
    auto expected = broker.image();
    expected.forget_order();
    chance random(seed);
    REQUIRE(replayed_over(broker.log, 0, broker.log.size()).text() == expected.text());  // twice
    for (int i = 0; i < 12; ++i) {
      const auto at = random.below(broker.log.size() + 1);
      const auto from = random.below(at + 1);
      CAPTURE(from);
      CAPTURE(at);
      REQUIRE(replayed_over(broker.log, from, at).text() == expected.text());
    }
  }
}

TEST_CASE("that holds for topics that grow, too: every message stays in its queue, with its lease") {
  for (const auto seed : seeds(10)) {
    CAPTURE(seed);
    living_broker broker(seed, true);
    for (int i = 0; i < 400; ++i) broker.step();
    auto expected = broker.image();
    expected.forget_order();
    REQUIRE(replayed_over(broker.log, 0, broker.log.size()).text() == expected.text());
  }
}

TEST_CASE("a snapshot of a broker that rests gives what is there, order included") {
  for (const auto seed : seeds(20)) {
    CAPTURE(seed);
    living_broker broker(seed, true, false);
    for (int i = 0; i < 20; ++i) {
      for (int step = 0; step < 60; ++step) broker.step();
      CAPTURE(i);
      const auto base = broker.snapshot(1 + seed % 5, 0);
      REQUIRE(log_image(replayed(base, beginning)).text() == broker.image().text());
    }
  }
}

TEST_CASE(
    "a snapshot of a broker that goes on between slices, and the records since its beginning, give what is there") {
  for (const auto seed : seeds(60)) {
    CAPTURE(seed);
    living_broker broker(seed, seed % 2 == 0, false);
    for (std::uint64_t step = 0; step < 100 + seed * 5; ++step) broker.step();
    for (std::uint64_t i = 0; i < 8; ++i) {
      CAPTURE(i);
      const auto from = broker.log.size();
      auto rewritten = broker.snapshot(1 + i % 4, 1 + i * 2);
      for (int step = 0; step < 40; ++step) broker.step();
      rewritten.insert(rewritten.end(), broker.log.begin() + static_cast<std::ptrdiff_t>(from), broker.log.end());
      auto expected = broker.image();
      expected.forget_order();
      auto found = log_image(replayed(rewritten, beginning));
      found.forget_order();
      REQUIRE(found.text() == expected.text());
      broker.log = std::move(rewritten);  // the next rewrite begins with this log
    }
  }
}

TEST_CASE("numbers of topics that are gone are not given again after a rewrite") {
  const std::vector<std::string> base{records::topic_deleted(7), records::namespace_created("n"),
                                      records::topic_created(3, "n", "t", 1, {}, 1)};
  const auto birth = replayed(base, beginning);
  CHECK(birth.last_topic_id == 7);
  CHECK(birth.namespaces.at("n").size() == 1);
}

TEST_CASE("a lease and a delay go along when their queue's messages move to others") {
  std::vector<std::string> log;
  log.push_back(records::namespace_created("n"));
  log.push_back(records::topic_created(1, "n", "t", 2, {}, 1));
  log.push_back(published_to(1, 1, {numbered(1)}));
  log.push_back(published_to(1, 1, {numbered(2)}, far));
  records::id_list leased;
  leased.add(numbered(1)->id(), 1);
  log.push_back(records::leased(1, 1, leased, far + 1));
  records::id_list moved;
  moved.add(numbered(1)->id());
  moved.add(numbered(2)->id());
  log.push_back(records::moved(1, 1, 0, moved));
  const auto birth = replayed(log, beginning);
  const queue_image heir(*birth.namespaces.at("n").at(0).cores.at(0));
  CHECK(heir.all.at(numbered(1)->id()) == message_image{'l', 1, far + 1});
  CHECK(heir.all.at(numbered(2)->id()) == message_image{'d', 0, far});
}

TEST_CASE("what was delayed until another one was published is before that, and what ends later is behind all") {
  constexpr std::int64_t ms = 1'000'000;
  id_source ids(1);
  const auto at = [&](std::int64_t when) { return message::make("x", {}, 0, ids.next(when * ms)); };
  const auto late = at(1000), first = at(1000), later = at(1001), second = at(1300), last = at(1400);
  const std::vector<std::string> log{
      records::namespace_created("n"),        records::topic_created(1, "n", "t", 1, {}, 1),
      published_to(1, 0, {late}, 1200 * ms),  published_to(1, 0, {first}),
      published_to(1, 0, {later}, 1350 * ms), published_to(1, 0, {second}),
      published_to(1, 0, {last}, 1500 * ms)};
  const auto order = [&](std::int64_t now) {
    const auto birth = replayed(log, now * ms);
    const auto& core = *birth.namespaces.at("n").at(0).cores.at(0);
    std::vector<message_id> found;
    core.each_ready(10, [&](const message_ptr& m, std::uint32_t) { found.push_back(m->id()); });
    return found;
  };
  CHECK(order(1400) == std::vector{first->id(), late->id(), second->id(), later->id()});
  CHECK(order(9000) == std::vector{first->id(), late->id(), second->id(), later->id(), last->id()});
}

TEST_CASE("ids that run ahead of a clock that was set back end no delay") {
  constexpr std::int64_t ms = 1'000'000;
  id_source ids(1);
  const auto ahead = [&] { return message::make("x", {}, 0, ids.next(5000 * ms)); };
  const auto delayed = ahead(), at_once = ahead();
  const std::vector<std::string> log{records::namespace_created("n"), records::topic_created(1, "n", "t", 1, {}, 1),
                                     published_to(1, 0, {delayed}, 2000 * ms), published_to(1, 0, {at_once})};
  CHECK(replayed(log, 1000 * ms).namespaces.at("n").at(0).cores.at(0)->delayed() == 1);
  CHECK(replayed(log, 2000 * ms).namespaces.at("n").at(0).cores.at(0)->delayed() == 0);
}

TEST_CASE("what a queue is given behind what waits stands behind what was delayed until then") {
  const std::vector<std::string> log = [] {
    std::vector<std::string> l{records::namespace_created("n"), records::topic_created(1, "n", "t", 2, {}, 1),
                               published_to(1, 0, {numbered(1)}, beginning + 50),
                               published_to(1, 1, {numbered(2)}, beginning + 60), published_to(1, 1, {numbered(3)})};
    records::id_list moved;
    moved.add(numbered(3)->id());
    moved.add(numbered(2)->id());
    l.push_back(records::moved(1, 1, 0, moved, beginning + 70));
    return l;
  }();
  const auto birth = replayed(log, beginning + 100);
  const auto& core = *birth.namespaces.at("n").at(0).cores.at(0);
  std::vector<message_id> found;
  core.each_ready(10, [&](const message_ptr& m, std::uint32_t) { found.push_back(m->id()); });
  CHECK(found == std::vector{numbered(1)->id(), numbered(3)->id(), numbered(2)->id()});
}

TEST_CASE("stolen messages go before what waits, those of a queue that is given up behind it") {
  for (const bool behind : {false, true}) {
    std::vector<std::string> log{records::namespace_created("n"), records::topic_created(1, "n", "t", 2, {}, 1),
                                 published_to(1, 0, {numbered(1), numbered(3)}),
                                 published_to(1, 1, {numbered(2), numbered(4)})};
    records::id_list moved;
    moved.add(numbered(2)->id());
    moved.add(numbered(4)->id());
    log.push_back(records::moved(1, 1, 0, moved, behind ? beginning : 0));
    const auto birth = replayed(log, beginning);
    const auto& core = *birth.namespaces.at("n").at(0).cores.at(0);
    std::vector<message_id> found;
    core.each_ready(10, [&](const message_ptr& m, std::uint32_t) { found.push_back(m->id()); });
    const auto front =
        behind ? std::vector{numbered(1)->id(), numbered(3)->id()} : std::vector{numbered(2)->id(), numbered(4)->id()};
    REQUIRE(found.size() == 4);
    CHECK(std::equal(front.begin(), front.end(), found.begin()));
  }
}

TEST_CASE("the most queues that a topic had are known, also from a snapshot") {
  std::vector<std::string> log{records::namespace_created("n"), records::topic_created(1, "n", "t", 2, {}, 1),
                               records::topic_updated(1, 3, {}, 2, 2), records::topic_updated(1, 1, {}, 3, 0)};
  CHECK(replayed(log, beginning).namespaces.at("n").at(0).had_queues == 5);
  log[1] = records::topic_created(1, "n", "t", 2, {}, 1, 0, 7);
  CHECK(replayed(log, beginning).namespaces.at("n").at(0).had_queues == 7);
}

TEST_CASE("a delay that is over by the time of the replay is none") {
  std::vector<std::string> log{records::namespace_created("n"), records::topic_created(1, "n", "t", 1, {}, 1),
                               published_to(1, 0, {numbered(1)}, far)};
  CHECK(replayed(log, far - 1).namespaces.at("n").at(0).cores.at(0)->delayed() == 1);
  CHECK(replayed(log, far).namespaces.at("n").at(0).cores.at(0)->ready() == 1);
}

TEST_CASE("ids go on behind the newest one of the log, dead letters included") {
  std::vector<std::string> log{records::namespace_created("n"), records::topic_created(1, "n", "t", 1, {}, 1),
                               published_to(1, 0, {numbered(5)}), published_to(1, 0, {numbered(9)})};
  records::id_list ids;
  ids.add(numbered(9)->id());
  log.push_back(records::buried(1, 0, ids, dead_reason::expired, 3));
  const auto birth = replayed(log, beginning);
  CHECK(birth.namespaces.at("n").at(0).newest == numbered(9)->id());
  CHECK(birth.last_topic_id == 1);
}

TEST_CASE("a deleted topic and its namesake are two") {
  std::vector<std::string> log{records::namespace_created("n"),
                               records::topic_created(1, "n", "t", 1, {}, 1),
                               published_to(1, 0, {numbered(1)}),
                               records::topic_deleted(1),
                               records::topic_created(2, "n", "t", 3, {}, 1),
                               published_to(1, 0, {numbered(2)})};
  const auto birth = replayed(log, beginning);
  REQUIRE(birth.namespaces.at("n").size() == 1);
  CHECK(birth.namespaces.at("n")[0].id == 2);
  CHECK(birth.namespaces.at("n")[0].cores.size() == 3);
  CHECK(birth.namespaces.at("n")[0].cores[0]->size() == 0);
  CHECK(birth.last_topic_id == 2);
}

}  // namespace mqlite::test
