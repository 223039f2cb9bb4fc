#include "actors/queue/consumers.hpp"

#include "test/actors/support.hpp"

using namespace mqlite;
using namespace mqlite::test;

namespace {

command::consume consume_of(std::uint64_t consumer) {
  command::consume c;
  c.consumer = consumer;
  return c;
}

std::vector<std::uint64_t> names(const std::vector<waiter_list::waiter>& waiters) {
  std::vector<std::uint64_t> result;
  for (const auto& w : waiters) result.push_back(w.command.consumer);
  return result;
}

}  // namespace

TEST_CASE("waiting consumers are served first come, first served") {
  waiter_list list;
  list.add(consume_of(1), 100);
  list.add(consume_of(2), 0);
  list.add(consume_of(3), 50);
  CHECK(list.size() == 3);
  CHECK(list.pop().command.consumer == 1);
  CHECK(list.pop().command.consumer == 2);
  CHECK(list.pop().command.consumer == 3);
  CHECK(list.empty());
  CHECK(list.next_due() == timer_heap<int>::never);
}

TEST_CASE("waiters whose time is over leave in the order of their ends") {
  waiter_list list;
  list.add(consume_of(1), 100);
  list.add(consume_of(2), 0);
  list.add(consume_of(3), 50);
  list.add(consume_of(4), 101);
  CHECK(list.next_due() == 50);
  CHECK(names(list.due(49)).empty());
  CHECK(names(list.due(100)) == std::vector<std::uint64_t>{3, 1});
  CHECK(list.next_due() == 101);
  CHECK(list.size() == 2);
}

TEST_CASE("only those who did not want to wait are impatient") {
  waiter_list list;
  list.add(consume_of(1), 100);
  list.add(consume_of(2), 0);
  list.add(consume_of(3), 0);
  CHECK(names(list.impatient()) == std::vector<std::uint64_t>{2, 3});
  CHECK(list.impatient().empty());
  CHECK(list.size() == 1);
}

TEST_CASE("a cancelled waiter is gone with its timer, and an unknown one changes nothing") {
  bool abandoned = false;
  waiter_list list;
  auto c = consume_of(1);
  c.answer = reply<consumed>([&](const outcome<consumed>& how) { abandoned = !how && how.why().abandoned; });
  list.add(std::move(c), 100);
  list.add(consume_of(2), 200);
  list.cancel(7);
  list.cancel(1);
  list.cancel(1);
  CHECK(abandoned);
  CHECK(list.size() == 1);
  CHECK(list.next_due() == 200);
}

TEST_CASE("a waiter list agrees with a plain list") {
  for (const auto seed : seeds(5)) {
    CAPTURE(seed);
    chance random(seed);
    waiter_list list;
    struct expected_waiter {
      std::uint64_t consumer;
      std::int64_t until;
    };
    std::vector<expected_waiter> expected;
    std::int64_t now = 1;
    std::uint64_t last = 0;
    for (int step = 0; step < 20'000; ++step) {
      switch (random.below(6)) {
        case 0:
        case 1: {
          const auto until = random.percent(30) ? 0 : now + 1 + static_cast<std::int64_t>(random.below(40));
          list.add(consume_of(++last), until);
          expected.push_back({last, until});
          break;
        }
        case 2:
          if (expected.empty()) break;
          REQUIRE(list.pop().command.consumer == expected.front().consumer);
          expected.erase(expected.begin());
          break;
        case 3: {
          const auto consumer = 1 + random.below(last + 1);
          list.cancel(consumer);
          std::erase_if(expected, [&](const auto& w) { return w.consumer == consumer; });
          break;
        }
        case 4: {
          now += static_cast<std::int64_t>(random.below(20));
          const auto due = list.due(now);
          REQUIRE(due.size() == static_cast<std::size_t>(std::erase_if(
                                    expected, [&](const auto& w) { return w.until != 0 && w.until <= now; })));
          break;
        }
        case 5:
          if (random.percent(80)) break;
          REQUIRE(list.impatient().size() ==
                  static_cast<std::size_t>(std::erase_if(expected, [](const auto& w) { return w.until == 0; })));
          break;
      }
      std::int64_t next = timer_heap<int>::never;
      for (const auto& w : expected)
        if (w.until != 0) next = std::min(next, w.until);
      REQUIRE(list.next_due() == next);
      REQUIRE(list.size() == expected.size());
    }
  }
}

TEST_CASE("subscribers with room take turns") {
  subscriber_ring ring;
  for (const std::uint64_t id : {1, 2, 3}) ring.add(id, {{}, 2, false});
  std::vector<std::uint64_t> turns;
  while (ring.hungry()) {
    turns.push_back(ring.next());
    ++ring.find(turns.back())->in_flight;
  }
  CHECK(turns == std::vector<std::uint64_t>{1, 2, 3, 1, 2, 3});
}

TEST_CASE("a subscriber whose window is full waits until something of it is free") {
  subscriber_ring ring;
  ring.add(1, {{}, 2, false});
  REQUIRE(ring.hungry());
  ring.find(ring.next())->in_flight = 2;
  CHECK_FALSE(ring.hungry());
  CHECK(ring.line() == 0);
  ring.freed(1, 1, 0);
  REQUIRE(ring.hungry());
  CHECK(ring.find(1)->room() == 1);
  ring.freed(1, 5, 0);  // more than there was
  CHECK(ring.find(1)->in_flight == 0);
  CHECK(ring.line() == 1);
}

TEST_CASE("a subscriber with too many bytes on their way to it has no room, however wide its window") {
  subscriber_ring ring;
  ring.add(1, {{}, 1'000'000, false});
  ring.find(1)->unconfirmed = 10'000'000;
  CHECK(ring.find(1)->room() == 0);
  CHECK_FALSE(ring.hungry());
  ring.freed(1, 0, 10'000'000);
  CHECK(ring.hungry());
}

TEST_CASE("a subscriber that went takes no turn, and frees nothing") {
  subscriber_ring ring;
  for (const std::uint64_t id : {1, 2}) ring.add(id, {{}, 2, false});
  CHECK(ring.remove(1));
  CHECK_FALSE(ring.remove(1));
  ring.freed(1, 1, 1);
  CHECK(ring.hungry());
  CHECK(ring.next() == 2);
  CHECK(ring.remove(2));
  CHECK_FALSE(ring.hungry());
  CHECK(ring.size() == 0);
}
