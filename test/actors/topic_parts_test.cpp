#include "actors/topic/dead_letters.hpp"
#include "actors/topic/depth_board.hpp"
#include "actors/topic/outbox.hpp"
#include "test/actors/support.hpp"

using namespace mqlite;
using namespace mqlite::test;

// -- depth_board --------------------------------------------------------------------------------------------------------------

TEST_CASE("the busiest queue is the one with the highest bound, and the second's bound comes with it") {
  depth_board board;
  board.resize(4);
  CHECK_FALSE(board.busiest(any_queue));
  board.sent(0, 5);
  board.sent(1, 9);
  board.sent(3, 7);
  const auto busiest = board.busiest(2);
  REQUIRE(busiest);
  CHECK(busiest->queue == 1);
  CHECK(busiest->bound == 9);
  CHECK(busiest->next_bound == 7);
  CHECK(board.busiest(1)->queue == 3);
  CHECK(board.busiest(1)->next_bound == 5);
}

TEST_CASE("the thief is never its own victim") {
  depth_board board;
  board.resize(2);
  board.sent(1, 5);
  CHECK_FALSE(board.busiest(1));
  CHECK(board.busiest(0)->queue == 1);
}

TEST_CASE("a correction keeps what is still on its way") {
  depth_board board;
  board.resize(1);
  board.sent(0, 10);
  CHECK(board.on_the_way(0, 0) == 10);
  board.corrected(0, 3, 8);  // 8 arrived, 5 of them went, 2 are under way
  CHECK(board.bound(0) == 5);
  board.replenished(0, 2);
  CHECK(board.bound(0) == 7);
  board.corrected(0, 0, 10);
  CHECK(board.bound(0) == 0);
}

TEST_CASE("starving queues are woken in the order in which they began to starve, each once") {
  depth_board board;
  board.resize(5);
  for (const auto q : {3, 1, 4, 3, 1}) board.starves(q);
  CHECK(board.anyone_starves());
  CHECK(board.next_starving() == 3);
  CHECK(board.next_starving() == 1);
  CHECK(board.next_starving() == 4);
  CHECK_FALSE(board.next_starving());
  CHECK_FALSE(board.anyone_starves());
}

TEST_CASE("a queue that was fed is not woken, and one that is excepted keeps its place") {
  depth_board board;
  board.resize(3);
  for (const auto q : {0, 1, 2}) board.starves(q);
  CHECK(board.fed(1));
  CHECK_FALSE(board.fed(1));
  CHECK(board.next_starving(0) == 2);
  CHECK_FALSE(board.next_starving(0));
  CHECK(board.anyone_starves());
  CHECK(board.next_starving() == 0);
  CHECK_FALSE(board.anyone_starves());
}

TEST_CASE("queues that a resize drops starve no more") {
  depth_board board;
  board.resize(3);
  board.starves(2);
  board.resize(2);
  CHECK_FALSE(board.anyone_starves());
  CHECK_FALSE(board.next_starving());
  board.resize(3);
  CHECK_FALSE(board.anyone_starves());
  board.starves(2);
  CHECK(board.next_starving() == 2);
}

TEST_CASE("bounds are never below the depths, whatever departs unseen") {
  for (const auto seed : seeds(10)) {
    CAPTURE(seed);
    chance random(seed);
    constexpr queue_number queues = 6;
    depth_board board;
    board.resize(queues);
    struct queue {
      std::uint64_t under_way = 0, ready = 0, received = 0;
    } all[queues];
    for (int step = 0; step < 20'000; ++step) {
      const auto q = static_cast<queue_number>(random.below(queues));
      auto& real = all[q];
      switch (random.below(5)) {
        case 0: {
          const auto n = 1 + random.below(4);
          board.sent(q, n);
          real.under_way += n;
          break;
        }
        case 1:
          real.ready += real.under_way;
          real.received += real.under_way;
          real.under_way = 0;
          break;
        case 2:
          real.ready -= random.below(real.ready + 1);
          break;
        case 3:
          ++real.ready;
          board.replenished(q, 1);
          break;
        case 4:
          board.corrected(q, real.ready, real.received);
          REQUIRE(board.bound(q) == real.ready + real.under_way);
          break;
      }
      for (queue_number i = 0; i < queues; ++i) REQUIRE(board.bound(i) >= all[i].ready + all[i].under_way);
    }
  }
}

// -- outbox -------------------------------------------------------------------------------------------------------------------

TEST_CASE("a message for a queue that does not have plenty is due at once") {
  outbox box(3);
  box.resize(2);
  box.add(1, {message::make("1")}, false);
  box.add(1, {message::make("2")}, false);
  CHECK(box.take_due() == std::vector<queue_number>{1});
  CHECK(box.take(1).size() == 2);
  CHECK(box.empty(1));
  CHECK(box.take_due().empty());
}

TEST_CASE("messages for a queue that has plenty are due when they are enough, or when one is urgent") {
  outbox box(3);
  box.resize(2);
  box.set_plenty(0, true);
  box.add(0, {message::make("1")}, false);
  box.add(0, {message::make("2")}, false);
  CHECK(box.take_due().empty());
  CHECK_FALSE(box.empty(0));
  box.add(0, {message::make("3")}, false);
  CHECK(box.take_due() == std::vector<queue_number>{0});
  CHECK(box.take(0).size() == 3);
  box.add(0, {message::make("4")}, false);
  box.add(0, {message::make("5")}, true);
  CHECK(box.take_due() == std::vector<queue_number>{0});
  const auto batch = box.take(0);
  REQUIRE(batch.size() == 2);
  CHECK(batch[0].message->payload() == "4");
}

TEST_CASE("batches of queues that get messages in turn go at different moments, also after all were sent early") {
  outbox box(4);
  box.resize(4);
  for (queue_number q = 0; q < 4; ++q) box.set_plenty(q, true);
  for (int round = 0; round < 40; ++round) {
    for (queue_number q = 0; q < 4; ++q) box.add(q, {message::make("x")}, false);
    const auto due = box.take_due();
    CHECK(due.size() == 1);
    for (const auto q : due) box.take(q);
    if (round % 10 == 5)
      for (queue_number q = 0; q < 4; ++q) box.take(q);
  }
}

TEST_CASE("a queue that has run out gets each message at once again, and a new queue does not have plenty") {
  outbox box(3);
  box.resize(2);
  box.set_plenty(1, true);
  box.set_plenty(1, false);
  box.add(1, {message::make("1")}, false);
  CHECK(box.take_due() == std::vector<queue_number>{1});
  box.take(1);
  box.set_plenty(1, true);
  box.resize(1);
  box.resize(2);
  box.add(1, {message::make("2")}, false);
  CHECK(box.take_due() == std::vector<queue_number>{1});
}

// -- dead_letters -------------------------------------------------------------------------------------------------------------

TEST_CASE("dead letters are listed oldest first, and taken out by id") {
  dead_letters dead;
  for (std::uint64_t i = 1; i <= 4; ++i)
    dead.add({numbered(10 - i), 2, 3, dead_reason::max_deliveries, static_cast<std::int64_t>(i)});
  REQUIRE(dead.size() == 4);
  const auto two = dead.list(2);
  REQUIRE(two.size() == 2);
  CHECK(two[0].message->id() == numbered(9)->id());
  CHECK(two[1].dead_at == 2);
  const auto letter = dead.take(numbered(8)->id());
  REQUIRE(letter);
  CHECK(letter->queue == 2);
  CHECK(letter->deliveries == 3);
  CHECK(letter->reason == dead_reason::max_deliveries);
  CHECK_FALSE(dead.take(numbered(8)->id()));
  CHECK_FALSE(dead.contains(numbered(8)->id()));
  CHECK(dead.contains(numbered(7)->id()));
  CHECK(dead.ids() == std::vector{numbered(9)->id(), numbered(7)->id(), numbered(6)->id()});
  CHECK(dead.list(100).size() == 3);
}

TEST_CASE("dead letters have the order of their deaths, however they came") {
  dead_letters dead;
  for (const std::uint64_t i : {3, 1, 4, 2})
    dead.add({numbered(i), 0, 1, dead_reason::expired, static_cast<std::int64_t>(i > 2 ? i : 2)});
  CHECK(dead.ids() == std::vector{numbered(1)->id(), numbered(2)->id(), numbered(3)->id(), numbered(4)->id()});
  auto letter = dead.take(numbered(3)->id());
  REQUIRE(letter);
  dead.begin_snapshot();
  dead.add({numbered(9), 0, 1, dead_reason::expired, 1});  // the clock was set back; it came too late for the snapshot
  dead.add(std::move(*letter));                            // a redrive that could not be recorded
  CHECK(dead.ids() ==
        std::vector{numbered(9)->id(), numbered(1)->id(), numbered(2)->id(), numbered(3)->id(), numbered(4)->id()});
  std::vector<peeked> given;
  while (dead.next_slice(1, given)) continue;
  REQUIRE(given.size() == 3);
  CHECK(given[2].message->id() == numbered(4)->id());
}

TEST_CASE("a dead letter that is here already is left alone") {
  dead_letters dead;
  dead.add({numbered(1), 0, 3, dead_reason::expired, 5});
  dead.add({numbered(1), 1, 4, dead_reason::overflow, 6});
  REQUIRE(dead.size() == 1);
  CHECK(dead.list(1).front().reason == dead_reason::expired);
}
