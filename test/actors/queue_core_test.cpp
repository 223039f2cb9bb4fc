#include "actors/queue/queue_core.hpp"

#include <algorithm>

#include "test/actors/support.hpp"

using namespace mqlite;
using namespace mqlite::test;

namespace {

constexpr auto never = timer_heap<entry_handle>::never;
using numbers = std::vector<std::uint64_t>;

/// A queue of messages with the payloads "1", "2", ..., spoken of by these numbers.
struct queue_fixture {
  queue_core core;
  std::int64_t now = beginning + second;

  void arrive(std::uint64_t from, std::uint64_t through) {
    for (auto i = from; i <= through; ++i) core.arrive({numbered(i, std::to_string(i))}, 0, now);
  }
  static std::uint64_t number(const message& m) { return std::stoull(std::string(m.payload())); }
  std::uint64_t number(entry_handle h) const { return number(*core[h].message); }
  entry_handle entry(std::uint64_t n) { return core.find(numbered(n)->id()); }

  numbers ready() const {
    numbers result;
    core.each_ready(1000, [&](const message_ptr& m, std::uint32_t) { result.push_back(number(*m)); });
    return result;
  }
  /// Leased until `until`.
  numbers take(std::size_t most, std::int64_t until = never, lease_owner owner = pulled, std::uint64_t batch = 1) {
    numbers result;
    for (const auto h : core.take(most, UINT64_MAX, owner, batch)) {
      if (until != never) core.start_lease(h, until);
      result.push_back(number(h));
    }
    return result;
  }
  numbers give(std::size_t count, std::vector<carried_message>* to = nullptr) {
    auto given = core.give(count, beginning);
    numbers result;
    for (const auto& m : given) result.push_back(number(*m.message));
    if (to != nullptr) *to = std::move(given);
    return result;
  }
  void set_max_deliveries(std::uint32_t n) {
    auto s = core.settings();
    s.max_deliveries = n;
    core.settings(s);
  }
  void set_ttl(std::chrono::nanoseconds ttl) {
    auto s = core.settings();
    s.message_ttl = ttl;
    core.settings(s);
  }
};

}  // namespace

TEST_CASE_FIXTURE(queue_fixture, "messages that were given in vain and are here again are taken back once") {
  arrive(1, 6);
  auto given = core.give(3, now);
  arrive(5, 5);
  core.take_back(given);
  CHECK(ready() == numbers{1, 2, 3, 4, 5, 6});
}

TEST_CASE_FIXTURE(queue_fixture, "entries are charged to the memory of messages for as long as they are there") {
  const auto before = message::memory();
  {
    queue_core other;
    for (std::uint64_t i = 1; i <= 100; ++i) other.arrive({numbered(i)}, 0, now);
    const auto waiting = message::memory();
    other.take(10, UINT64_MAX, pulled, 1);
    CHECK(message::memory() == waiting + 10 * entry_store::bookkeeping);
    other.remove(other.take(1, UINT64_MAX, pulled, 2)[0]);
    CHECK(message::memory() < waiting + 10 * entry_store::bookkeeping);
  }
  CHECK(message::memory() == before);
}

TEST_CASE_FIXTURE(queue_fixture, "messages that wait for their first delivery need no entry, unless they may expire") {
  arrive(1, 500);
  CHECK(core.size() == 500);
  CHECK(core.entries() == 0);
  CHECK(core.holds(numbered(77)->id()));
  CHECK_FALSE(core.holds(numbered(501)->id()));
  CHECK(core.entries() == 0);
  take(3);
  CHECK(core.entries() == 3);
  for (const auto& m : core.give(200, now)) CHECK(m.deliveries == 0);
  CHECK(core.size() == 300);
  CHECK(core.entries() == 3);
  topic_settings settings;
  settings.message_ttl = std::chrono::nanoseconds(second);
  core.settings(settings);
  CHECK(core.entries() == 300);
}

TEST_CASE_FIXTURE(queue_fixture, "a queue is first in, first out") {
  arrive(1, 5);
  CHECK(take(2) == numbers{1, 2});
  arrive(6, 6);
  CHECK(take(10) == numbers{3, 4, 5, 6});
  CHECK(core.ready() == 0);
  CHECK(core.leased() == 6);
}

TEST_CASE_FIXTURE(queue_fixture, "taking ends when there are enough bytes, and gives one message at least") {
  arrive(1, 5);
  const auto each = core[entry(1)].message->footprint();
  CHECK(core.take(5, 0, pulled, 1).size() == 1);
  CHECK(core.take(5, 1, pulled, 1).size() == 1);
  CHECK(core.take(5, 2 * each, pulled, 1).size() == 2);
  CHECK(core.take(5, UINT64_MAX, pulled, 1).size() == 1);
}

TEST_CASE_FIXTURE(queue_fixture,
                  "messages that were given and could not go are where they were, before what came meanwhile") {
  arrive(1, 4);
  auto given = core.give(2, beginning);
  arrive(5, 5);
  core.take_back(given);
  auto all = ready();
  CHECK(core.size() == 5);
  CHECK(all.back() == 5);
  CHECK(core.bytes() == 5);
}

TEST_CASE_FIXTURE(queue_fixture, "a message without a time to live keeps that on its way to another queue") {
  set_ttl(std::chrono::seconds(1));
  core.arrive({numbered(1, "1", now + 1), 0, true}, 0, now);
  CHECK(core.next_due() == never);
  CHECK(core.due(now + 100 * second).burials.empty());
  std::vector<carried_message> given;
  give(1, &given);
  REQUIRE(given.size() == 1);
  CHECK(given[0].unexpiring);
}

TEST_CASE_FIXTURE(queue_fixture, "the first delivery has the count 1, the next one 2") {
  arrive(1, 1);
  take(1);
  CHECK(core[entry(1)].deliveries + 0 == 1);
  core.fail_delivery(entry(1), now);
  CHECK(core[entry(1)].deliveries + 0 == 1);
  take(1);
  CHECK(core[entry(1)].deliveries + 0 == 2);
}

TEST_CASE_FIXTURE(queue_fixture, "a message that is here already is left alone") {
  arrive(1, 2);
  take(1);
  arrive(1, 2);
  CHECK(core.size() == 2);
  CHECK(ready() == numbers{2});
}

TEST_CASE_FIXTURE(queue_fixture,
                  "failed deliveries return to the front, in their old order, whatever order they fail in") {
  arrive(1, 6);
  take(4);
  for (const auto n : {3, 1, 4}) core.fail_delivery(entry(static_cast<std::uint64_t>(n)), now);
  CHECK(ready() == numbers{1, 3, 4, 5, 6});
  core.fail_delivery(entry(2), now);
  CHECK(ready() == numbers{1, 2, 3, 4, 5, 6});
}

TEST_CASE_FIXTURE(queue_fixture,
                  "a lease that is not acknowledged ends at its time: back to the front, one delivery more") {
  arrive(1, 3);
  take(2, now + 30 * second);
  CHECK(core.next_due() == now + 30 * second);
  CHECK(core.due(now + 30 * second - 1).timed_out == 0);
  const auto due = core.due(now + 30 * second);
  CHECK(due.timed_out == 2);
  CHECK(due.burials.empty());
  CHECK(ready() == numbers{1, 2, 3});
  CHECK(take(1) == numbers{1});
  CHECK(core[entry(1)].deliveries + 0 == 2);
  CHECK(core.next_due() == never);
}

TEST_CASE_FIXTURE(queue_fixture, "a lease's clock stands still until it is started") {
  arrive(1, 1);
  take(1);
  CHECK(core.next_due() == never);
  CHECK(core.due(now + 1'000'000 * second).timed_out == 0);
  core.start_lease(entry(1), now + second);
  CHECK(core.due(now + second).timed_out == 1);
}

TEST_CASE_FIXTURE(queue_fixture, "extending moves the end of a lease") {
  arrive(1, 1);
  take(1, now + second);
  core.start_lease(entry(1), now + 5 * second);
  CHECK(core.due(now + 4 * second).timed_out == 0);
  core.start_lease(entry(1), now + 2 * second);
  CHECK(core.due(now + 2 * second).timed_out == 1);
}

TEST_CASE_FIXTURE(queue_fixture,
                  "a delivery that never reached anybody does not count, and the message is at the front again") {
  arrive(1, 3);
  take(2);
  core.undo_delivery(entry(2));
  core.undo_delivery(entry(1));
  CHECK(ready() == numbers{1, 2, 3});
  CHECK(core[entry(1)].deliveries + 0 == 0);
  take(1);
  CHECK(core[entry(1)].deliveries + 0 == 1);
}

TEST_CASE_FIXTURE(queue_fixture, "the n-th failed delivery makes a dead letter, and only that") {
  set_max_deliveries(2);
  arrive(1, 1);
  take(1);
  CHECK_FALSE(core.fail_delivery(entry(1), now));
  take(1);
  const auto burial = core.fail_delivery(entry(1), now);
  REQUIRE(burial);
  CHECK(burial->reason == dead_reason::max_deliveries);
  CHECK(core.ready() == 0);
  CHECK(core.leased() == 1);  // until it is recorded
  CHECK(core.remove(burial->entry).deliveries == 2);
  CHECK(core.size() == 0);
  CHECK(core.bytes() == 0);
}

TEST_CASE_FIXTURE(queue_fixture, "a timeout, too, can be the last delivery") {
  set_max_deliveries(1);
  arrive(1, 2);
  take(2, now + second);
  CHECK(core.due(now + second).burials.size() == 2);
}

TEST_CASE_FIXTURE(queue_fixture, "undone deliveries never make dead letters") {
  set_max_deliveries(1);
  arrive(1, 1);
  for (int i = 0; i < 10; ++i) {
    take(1);
    core.undo_delivery(entry(1));
  }
  CHECK(ready() == numbers{1});
}

TEST_CASE_FIXTURE(queue_fixture, "a delayed message waits for its time, then comes to the tail") {
  core.arrive({numbered(1, "1")}, now + 5 * second, now);
  arrive(2, 3);
  CHECK(core.delayed() == 1);
  CHECK(ready() == numbers{2, 3});
  CHECK(core.next_due() == now + 5 * second);
  core.due(now + 5 * second - 1);
  CHECK(core.delayed() == 1);
  core.due(now + 5 * second);
  CHECK(ready() == numbers{2, 3, 1});
}

TEST_CASE_FIXTURE(queue_fixture,
                  "delays that end together come in the order of their ends, equal ones in publishing order") {
  core.arrive({numbered(1, "1")}, now + 5, now);
  core.arrive({numbered(4, "4")}, now + 3, now);
  core.arrive({numbered(2, "2")}, now + 3, now);
  core.arrive({numbered(3, "3")}, now + 4, now);
  core.due(now + 100);
  CHECK(ready() == numbers{2, 4, 3, 1});
}

TEST_CASE_FIXTURE(queue_fixture, "a delay that is over at arrival is none") {
  core.arrive({numbered(1, "1")}, now, now);
  CHECK(ready() == numbers{1});
}

TEST_CASE_FIXTURE(queue_fixture, "a nack with a delay returns to the front when the delay ends") {
  arrive(1, 3);
  take(1);
  core.fail_delivery(entry(1), now, now + second);
  CHECK(core.delayed() == 1);
  CHECK(ready() == numbers{2, 3});
  core.due(now + second);
  CHECK(ready() == numbers{1, 2, 3});
}

TEST_CASE_FIXTURE(queue_fixture, "a waiting message expires at its own time to live") {
  core.arrive({numbered(1, "1", now + second)}, 0, now);
  arrive(2, 2);
  CHECK(core.next_due() == now + second);
  const auto due = core.due(now + second);
  REQUIRE(due.burials.size() == 1);
  CHECK(due.burials[0].reason == dead_reason::expired);
  CHECK(number(due.burials[0].entry) == 1);
  CHECK(ready() == numbers{2});
}

TEST_CASE_FIXTURE(queue_fixture, "a topic's time to live counts from publishing, and holds at once for what is here") {
  arrive(1, 1);
  CHECK(core.next_due() == never);
  set_ttl(std::chrono::seconds(10));
  CHECK(core.next_due() <= beginning + 10 * second + 1'000'000);
  CHECK(core.due(beginning + 9 * second).burials.empty());
  CHECK(core.due(beginning + 11 * second).burials.size() == 1);
}

TEST_CASE_FIXTURE(queue_fixture, "of a message's own and its topic's time to live the shorter one holds") {
  set_ttl(std::chrono::seconds(10));
  core.arrive({numbered(1, "1", beginning + 5 * second)}, 0, now);
  core.arrive({numbered(2, "2", beginning + 50 * second)}, 0, now);
  CHECK(core.due(beginning + 6 * second).burials.size() == 1);
  CHECK(core.due(beginning + 11 * second).burials.size() == 1);
}

TEST_CASE_FIXTURE(queue_fixture, "lifting the time to live saves what waits") {
  set_ttl(std::chrono::seconds(10));
  arrive(1, 1);
  set_ttl(std::chrono::seconds(0));
  CHECK(core.next_due() == never);
  CHECK(core.due(beginning + 100 * second).burials.empty());
}

TEST_CASE_FIXTURE(queue_fixture, "a leased message does not expire, and expires when it comes back") {
  core.arrive({numbered(1, "1", now + second)}, 0, now);
  take(1, now + 5 * second);
  CHECK(core.due(now + 2 * second).burials.empty());
  CHECK(core.ready() == 0);
  const auto due = core.due(now + 5 * second);
  REQUIRE(due.burials.size() == 1);
  CHECK(due.burials[0].reason == dead_reason::expired);
}

TEST_CASE_FIXTURE(queue_fixture, "a delayed message can expire before its delay ends") {
  core.arrive({numbered(1, "1", now + second)}, now + 5 * second, now);
  CHECK(core.due(now + second).burials.size() == 1);
  CHECK(core.delayed() == 0);
}

TEST_CASE_FIXTURE(queue_fixture, "half is given from the tail, order kept") {
  arrive(1, 7);
  CHECK(give(4) == numbers{4, 5, 6, 7});
  CHECK(ready() == numbers{1, 2, 3});
  CHECK(core.size() == 3);
  CHECK(give(100) == numbers{1, 2, 3});
  CHECK(core.bytes() == 0);
  CHECK(give(1).empty());
}

TEST_CASE_FIXTURE(queue_fixture, "leased and delayed messages are never given") {
  arrive(1, 4);
  core.arrive({numbered(5, "5")}, now + second, now);
  take(2);
  CHECK(give(100) == numbers{3, 4});
  CHECK(core.size() == 3);
  CHECK(core.leased() == 2);
  CHECK(core.delayed() == 1);
}

TEST_CASE_FIXTURE(queue_fixture, "what came back from a delivery is given last, and with its count") {
  arrive(1, 4);
  take(2);
  core.fail_delivery(entry(1), now);
  core.fail_delivery(entry(2), now);
  std::vector<carried_message> given;
  CHECK(give(3, &given) == numbers{2, 3, 4});
  CHECK(given[0].deliveries == 1);
  CHECK(given[1].deliveries == 0);
}

TEST_CASE_FIXTURE(queue_fixture, "stolen messages come in their order, before what has arrived at the thief") {
  arrive(1, 6);
  std::vector<carried_message> given;
  give(3, &given);
  queue_fixture thief;
  thief.arrive(7, 8);
  thief.core.arrive_stolen(given);
  CHECK(thief.ready() == numbers{4, 5, 6, 7, 8});
  CHECK(thief.take(10) == numbers{4, 5, 6, 7, 8});
}

TEST_CASE_FIXTURE(queue_fixture, "stealing nothing, or what is here already, changes nothing") {
  arrive(1, 3);
  core.arrive_stolen({});
  std::vector<carried_message> again{{numbered(2, "2"), 0}};
  core.arrive_stolen(again);
  CHECK(ready() == numbers{1, 2, 3});
  CHECK(take(5) == numbers{1, 2, 3});
}

TEST_CASE_FIXTURE(queue_fixture, "the oldest waiting messages are dropped first, for overflow") {
  arrive(1, 4);
  take(2);
  core.fail_delivery(entry(2), now);
  const auto dropped = core.drop_oldest(2, numbered(4)->id());
  REQUIRE(dropped.size() == 2);
  CHECK(number(dropped[0].entry) == 2);
  CHECK(number(dropped[1].entry) == 3);
  CHECK(dropped[0].reason == dead_reason::overflow);
  CHECK(ready() == numbers{4});
  CHECK(core.drop_oldest(2, numbered(3)->id()).empty());
}

TEST_CASE_FIXTURE(queue_fixture, "where the oldest are dropped, delayed ones count by their age") {
  core.arrive({numbered(1, "1")}, now + 5, now);
  arrive(2, 3);
  core.arrive({numbered(4, "4")}, now + 4, now);
  CHECK(core.oldest(9).size() == 2);
  topic_settings settings;
  settings.overflow = overflow_policy::drop_oldest;
  settings.max_length = 100;
  core.settings(settings);
  core.arrive({numbered(5, "5")}, now + 3, now);
  std::vector<std::uint64_t> ages;
  for (const auto h : core.oldest(4)) ages.push_back(number(h));
  CHECK(ages == numbers{1, 2, 3, 4});
  const auto dropped = core.drop_oldest(4, numbered(3)->id());
  REQUIRE(dropped.size() == 3);
  CHECK(number(dropped[0].entry) == 1);
  CHECK(core.delayed() == 2);
  CHECK(core.ready() == 0);
  core.due(now + 4);
  CHECK(ready() == numbers{5, 4});
  CHECK(core.oldest(9).size() == 2);
  core.settings({});
  core.arrive({numbered(6, "6")}, now + 9, now);
  CHECK(core.oldest(9).size() == 2);
}

TEST_CASE_FIXTURE(queue_fixture,
                  "a settled message is gone from its place, and counts as leased until the record is written") {
  arrive(1, 3);
  take(1, now + second);
  core.settle(entry(1));
  core.settle(entry(2));
  CHECK(core.leased() == 2);
  CHECK(ready() == numbers{3});
  CHECK(core.due(now + 10 * second).timed_out == 0);
  CHECK(give(5) == numbers{3});
  CHECK(core.size() == 2);
  core.remove(entry(1));
  core.remove(entry(2));
  CHECK(core.size() == 0);
  CHECK(core.leased() == 0);
}

TEST_CASE_FIXTURE(queue_fixture, "when the record of its end fails, a lease is what it was: end, owner, batch, count") {
  arrive(1, 2);
  take(1, now + second, 77, 5);
  const auto before = core.settle(entry(1));
  CHECK(core.leases_of(77).empty());
  CHECK(core.take_freed().size() == 1);
  core.restore(before);
  CHECK(core.leased_until(entry(1)) == now + second);
  CHECK(core.owner_of(entry(1)) == 77);
  CHECK(core.find_leased(numbered(1)->id(), 5) == entry(1));
  CHECK(core.find_leased(numbered(1)->id(), 6) == no_entry);
  CHECK(core[entry(1)].deliveries + 0 == 1);
  CHECK(core.leases_of(77).size() == 1);
  CHECK(core.due(now + second).timed_out == 1);
}

TEST_CASE_FIXTURE(
    queue_fixture,
    "when the record of its end fails, a delayed message waits again, and a waiting one is at the front") {
  arrive(1, 3);
  core.arrive({numbered(4, "4")}, now + second, now);
  const auto delayed = core.settle(entry(4));
  const auto first = core.settle(entry(1));
  core.restore(first);
  core.restore(delayed);
  CHECK(core.delayed_until(entry(4)) == now + second);
  CHECK(ready() == numbers{1, 2, 3});
  CHECK(core.leased() == 0);
}

TEST_CASE_FIXTURE(queue_fixture, "the leases of a subscription are known, and each end of one is told") {
  arrive(1, 6);
  take(2, never, 7, 1);
  take(2, never, 8, 2);
  take(1, never, 7, 3);
  CHECK(core.leases_of(7).size() == 3);
  CHECK(core.leases_of(8).size() == 2);
  CHECK(core.leases_of(9).empty());
  core.fail_delivery(entry(1), now);
  core.undo_delivery(entry(5));
  core.remove(entry(3));
  auto freed = core.take_freed();
  std::sort(freed.begin(), freed.end());
  CHECK(freed == std::vector<lease_owner>{7, 7, 8});
  CHECK(core.take_freed().empty());
  REQUIRE(core.leases_of(7).size() == 1);
  CHECK(number(core.leases_of(7)[0]) == 2);
}

TEST_CASE_FIXTURE(queue_fixture, "leased and delayed messages are listed in the order of their ends") {
  arrive(1, 3);
  take(3);
  core.start_lease(entry(1), now + 3);
  core.start_lease(entry(3), now + 1);
  core.arrive({numbered(4, "4")}, now + 9, now);
  core.arrive({numbered(5, "5")}, now + 8, now);
  numbers leased;
  for (const auto h : core.leased_entries(10)) leased.push_back(number(h));
  CHECK(leased == numbers{3, 1, 2});
  CHECK(core.leased_entries(1).size() == 1);
  numbers delayed;
  for (const auto h : core.delayed_entries(10)) delayed.push_back(number(h));
  CHECK(delayed == numbers{5, 4});
}

TEST_CASE_FIXTURE(queue_fixture, "a message remembers at most 2^24 - 1 deliveries and goes on being delivered") {
  core.arrive({numbered(1, "1"), 5'000'000'00}, 0, now);
  CHECK(core[entry(1)].deliveries + 0 == (1U << 24) - 1);
  take(1);
  CHECK(core[entry(1)].deliveries + 0 == (1U << 24) - 1);
}

TEST_CASE_FIXTURE(queue_fixture, "bytes count payloads and attributes of everything here") {
  message_attributes a;
  a.routing_key = "k";
  const auto encoded = a.encode();
  core.arrive({message::make("12345", encoded, 0, message_id{1, 1})}, 0, now);
  CHECK(core.bytes() == 5 + encoded.size());
  core.take(1, UINT64_MAX, pulled, 1);
  CHECK(core.bytes() == 5 + encoded.size());
  core.remove(core.find(message_id{1, 1}));
  CHECK(core.bytes() == 0);
}
