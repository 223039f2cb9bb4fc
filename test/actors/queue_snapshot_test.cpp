#include <algorithm>

#include "actors/queue/queue_snapshot.hpp"
#include "actors/topic/dead_letters.hpp"
#include "test/actors/support.hpp"

// Snapshots of queues that go on meanwhile. That what they give is enough for a log is tested in replay_model_test.cpp.
namespace mqlite::test {
namespace {

struct queue_fixture {
  queue_core core;
  std::vector<snapshot_entry> got;

  void arrive(std::uint64_t from, std::uint64_t through) {
    for (auto i = from; i <= through; ++i) core.arrive({numbered(i)}, 0, beginning);
  }
  entry_handle at(std::uint64_t number) { return core.find(numbered(number)->id()); }
  bool slice(std::size_t most) { return core.next_slice(most, beginning, got); }
  void rest(std::size_t most = 3) {
    while (slice(most)) continue;
  }
  /// The numbers of what was given so far.
  std::vector<std::uint64_t> numbers() const {
    std::vector<std::uint64_t> result;
    for (const auto& e : got)
      for (std::uint64_t i = 0; i < 1000; ++i)
        if (numbered(i)->id() == e.message->id()) result.push_back(i);
    return result;
  }
  static std::vector<std::uint64_t> range(std::uint64_t from, std::uint64_t through) {
    std::vector<std::uint64_t> result;
    for (auto i = from; i <= through; ++i) result.push_back(i);
    return result;
  }
  /// Those that do not wait in line come in no particular order.
  void sort_behind(std::size_t waiting) {
    std::sort(got.begin() + static_cast<std::ptrdiff_t>(waiting), got.end(),
              [](const auto& a, const auto& b) { return a.message->id() < b.message->id(); });
  }
  std::vector<std::uint64_t> sorted() const {
    auto result = numbers();
    std::sort(result.begin(), result.end());
    return result;
  }
};

}  // namespace

TEST_CASE_FIXTURE(queue_fixture, "an empty queue has an empty snapshot") {
  core.begin_snapshot();
  rest();
  CHECK(got.empty());
  CHECK_FALSE(slice(1));
}

TEST_CASE_FIXTURE(queue_fixture, "waiting messages come in their order, a slice at a time") {
  arrive(1, 10);
  core.begin_snapshot();
  slice(4);  // nothing is at the front
  slice(4);
  CHECK(numbers() == range(1, 4));
  rest();
  CHECK(numbers() == range(1, 10));
}

TEST_CASE_FIXTURE(queue_fixture,
                  "a delay that ends before its turn is given as it was: what came meanwhile stands before it") {
  core.arrive({numbered(1)}, beginning + 5, beginning);
  arrive(2, 4);
  core.begin_snapshot();
  slice(2);
  core.due(beginning + 5);
  CHECK(core.delayed() == 0);
  rest();
  CHECK(sorted() == range(1, 4));
  for (const auto& e : got) CHECK(e.not_before == (e.message->id() == numbered(1)->id() ? beginning + 5 : 0));
}

TEST_CASE_FIXTURE(queue_fixture, "a message that is delivered before its turn is given once") {
  arrive(1, 700);
  core.begin_snapshot();
  slice(1);
  slice(5);
  for (const auto h : core.take(300, UINT64_MAX, pulled, 1)) core.start_lease(h, beginning + 9);
  rest(20);
  CHECK(sorted() == range(1, 700));
  for (const auto& e : got) {
    const bool leased = e.leased_until != 0;
    CHECK(leased == (numbered(5)->id() < e.message->id() && e.message->id() <= numbered(300)->id()));
  }
}

TEST_CASE_FIXTURE(queue_fixture, "what takes the places of those who have left is not given") {
  arrive(1, 10);
  core.begin_snapshot();
  slice(1);
  for (const auto h : core.take(2, UINT64_MAX, pulled, 1)) core.remove(h);
  auto given = core.give(3, beginning);
  std::vector<carried_message> stolen{{numbered(500)}, {numbered(501)}};
  core.arrive_stolen(stolen);
  arrive(600, 605);
  rest();
  CHECK(sorted() == range(3, 10));
}

TEST_CASE_FIXTURE(queue_fixture, "who stands alone in the places of those who have left is not given") {
  arrive(100, 110);
  core.begin_snapshot();
  slice(1);
  for (const auto h : core.take(3, UINT64_MAX, pulled, 1)) core.remove(h);
  std::vector<carried_message> stolen{{numbered(1)}, {numbered(2)}};
  core.arrive_stolen(stolen);
  CHECK(core.entries() == 0);
  rest();
  CHECK(sorted() == range(103, 110));
}

TEST_CASE_FIXTURE(queue_fixture, "what came after the beginning is not given when it is delivered or goes elsewhere") {
  arrive(1, 4);
  core.begin_snapshot();
  slice(1);
  arrive(5, 9);
  core.settle(at(6));
  auto given = core.give(2, beginning);
  core.take(9, UINT64_MAX, pulled, 1);
  rest();
  CHECK(sorted() == range(1, 4));
}

TEST_CASE_FIXTURE(queue_fixture,
                  "what waits comes first, in its order, so that it can stand alone when the log is replayed") {
  arrive(1, 10);
  core.begin_snapshot();
  auto given = core.give(3, beginning);
  rest();
  auto first = numbers();
  first.resize(7);
  CHECK(first == range(1, 7));
  CHECK(sorted() == range(1, 10));
}

TEST_CASE_FIXTURE(queue_fixture, "a snapshot is given up when messages come back into the line") {
  arrive(1, 10);
  core.begin_snapshot();
  auto given = core.give(3, beginning);
  core.take_back(given);
  CHECK_FALSE(core.has_snapshot());
  CHECK_FALSE(slice(10));
}

TEST_CASE_FIXTURE(queue_fixture, "what comes after the beginning is not given, however much it is") {
  arrive(1, 4);
  core.begin_snapshot();
  slice(1);
  slice(2);
  arrive(5, 600);
  std::vector<carried_message> stolen{{numbered(700)}, {numbered(0)}};
  core.arrive_stolen(stolen);
  rest(1000);
  CHECK(numbers() == range(1, 4));
}

TEST_CASE_FIXTURE(queue_fixture, "what is acknowledged before its turn is left out, also where the snapshot stands") {
  arrive(1, 6);
  core.begin_snapshot();
  slice(9);
  slice(2);
  for (const std::uint64_t gone : {3, 4, 6}) {
    core.settle(at(gone));
    core.remove(at(gone));
  }
  rest();
  CHECK(numbers() == std::vector<std::uint64_t>{1, 2, 5});
}

TEST_CASE_FIXTURE(queue_fixture, "the last ones may go, and others come behind them") {
  arrive(1, 4);
  core.begin_snapshot();
  slice(9);
  slice(2);
  for (const std::uint64_t gone : {3, 4}) {
    core.settle(at(gone));
    core.remove(at(gone));
  }
  arrive(5, 9);
  rest();
  CHECK(numbers() == range(1, 2));
}

TEST_CASE_FIXTURE(queue_fixture,
                  "what goes elsewhere before its turn is given as it was, and what was given is not given again") {
  arrive(1, 8);
  core.begin_snapshot();
  slice(9);
  slice(6);
  auto given = core.give(4, beginning);  // 5 to 8; 5 and 6 were given
  rest();
  CHECK(sorted() == range(1, 8));
  got.clear();
  core.take_back(given);
  core.begin_snapshot();
  rest();
  CHECK(numbers() == range(1, 8));
}

TEST_CASE_FIXTURE(queue_fixture, "what changes its place meanwhile is given once") {
  arrive(1, 9);
  core.begin_snapshot();
  slice(9);
  slice(3);
  for (const auto h : core.take(5, UINT64_MAX, pulled, 1)) core.start_lease(h, beginning + second);  // 1 to 5
  core.fail_delivery(at(2), beginning);
  core.fail_delivery(at(4), beginning, beginning + second);
  slice(1);
  core.undo_delivery(at(5));
  rest();
  CHECK(sorted() == range(1, 9));
}

TEST_CASE_FIXTURE(queue_fixture, "each message is given as it is: leased, delayed, at the front") {
  arrive(1, 4);
  core.arrive({numbered(5)}, beginning + 7 * second, beginning);
  core.arrive({numbered(6), 2, true}, 0, beginning);
  for (const auto h : core.take(4, UINT64_MAX, pulled, 1)) core.start_lease(h, beginning + second);
  core.undo_delivery(at(1));
  core.fail_delivery(at(2), beginning);
  core.begin_snapshot();
  rest(100);
  sort_behind(3);
  CHECK(numbers() == std::vector<std::uint64_t>{1, 2, 4, 3, 5, 6});
  const auto& front = got[0];
  CHECK(front.to_front);
  CHECK(front.deliveries == 0);
  CHECK_FALSE(got[1].to_front);  // its delivery count brings it there
  CHECK(got[1].deliveries == 1);
  CHECK(got[2].deliveries == 0);
  CHECK(got[3].leased_until == beginning + second);
  CHECK(got[4].not_before == beginning + 7 * second);
  CHECK(got[5].unexpiring);
  CHECK(got[5].deliveries == 3);
  CHECK(got[5].leased_until == beginning + second);
}

TEST_CASE_FIXTURE(queue_fixture,
                  "of a lease that ends with the process the delivery count remains, of an auto_ack nothing") {
  arrive(1, 3);
  core.take(1, UINT64_MAX, 9, 1);  // a subscription
  core.gone_for_limits(core.take(1, UINT64_MAX, pulled, 2)[0]);
  core.take(1, UINT64_MAX, pulled, 3);  // on its way: its clock stands still
  core.begin_snapshot();
  rest(100);
  REQUIRE(numbers() == range(1, 3));
  CHECK(got[0].leased_until <= beginning);
  CHECK(got[0].leased_until > 0);
  CHECK(got[0].deliveries == 1);
  CHECK(got[1].leased_until == 0);
  CHECK(got[1].deliveries == 0);
  CHECK(got[1].to_front);
  CHECK(got[2].leased_until == beginning + core.settings().ack_timeout.count());
}

TEST_CASE_FIXTURE(queue_fixture, "what is being settled is given as it was before") {
  arrive(1, 3);
  core.arrive({numbered(4)}, beginning + 7 * second, beginning);
  const auto taken = core.take(1, UINT64_MAX, pulled, 1);
  core.start_lease(taken[0], beginning + second);
  std::vector<queue_core::settled_from> before;
  for (const std::uint64_t n : {1, 2, 4}) before.push_back(core.settle(at(n)));
  core.begin_snapshot();
  rest(100);
  sort_behind(1);
  REQUIRE(numbers() == std::vector<std::uint64_t>{3, 1, 2, 4});
  CHECK(got[1].leased_until == beginning + second);
  CHECK(got[1].deliveries == 1);
  CHECK(got[2].leased_until == 0);
  CHECK(got[3].not_before == beginning + 7 * second);
  for (const auto& b : before) core.restore(b);
  CHECK(core.leased_until(at(1)) == beginning + second);
  CHECK(core.delayed_until(at(4)) == beginning + 7 * second);
  CHECK(core.ready() == 2);
}

TEST_CASE_FIXTURE(queue_fixture, "a snapshot that was given up is of no consequence for the next one") {
  arrive(1, 5);
  core.begin_snapshot();
  slice(9);
  slice(2);
  core.end_snapshot();
  CHECK_FALSE(slice(2));
  arrive(6, 6);
  got.clear();
  core.begin_snapshot();
  rest();
  CHECK(numbers() == range(1, 6));
}

TEST_CASE("dead letters are given once each, also those that leave meanwhile, and none that come") {
  dead_letters dead;
  for (std::uint64_t i = 1; i <= 6; ++i) dead.add({numbered(i), 0, 1, dead_reason::expired, 3});
  dead.begin_snapshot();
  std::vector<peeked> got;
  CHECK(dead.next_slice(2, got));
  dead.take(numbered(1)->id());
  dead.take(numbered(4)->id());
  dead.add({numbered(7), 0, 1, dead_reason::expired, 3});
  while (dead.next_slice(2, got)) continue;
  std::vector<message_id> ids;
  for (const auto& l : got) ids.push_back(l.message->id());
  std::sort(ids.begin(), ids.end());
  std::vector<message_id> expected;
  for (std::uint64_t i = 1; i <= 6; ++i) expected.push_back(numbered(i)->id());
  CHECK(ids == expected);
  CHECK(dead.size() == 5);
}

}  // namespace mqlite::test
