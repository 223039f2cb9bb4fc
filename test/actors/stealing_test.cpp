#include "test/actors/broker_fixture.hpp"

using namespace mqlite;
using namespace mqlite::test;
using namespace std::chrono_literals;

// -- what is taken ------------------------------------------------------------------------------------------------------------

TEST_CASE_FIXTURE(broker_fixture,
                  "a consume that finds its queue empty takes half of the busiest sibling's messages, from the tail") {
  start(3);
  publish_many(3, 1);
  publish_many(7, 2);
  const auto taken = consume(0, 10);
  run();
  CHECK(payloads(taken) == texts(4, 7));
  CHECK((*taken)->deliveries[0].queue == 0);
  CHECK(peek(2) == texts(1, 3));
  CHECK(peek(1) == texts(1, 3));
}

TEST_CASE_FIXTURE(broker_fixture, "the only message of a sibling is taken, too") {
  start(2);
  publish_many(1, 1);
  const auto taken = consume(0, 10);
  run();
  CHECK(payloads(taken) == texts(1, 1));
}

TEST_CASE_FIXTURE(broker_fixture, "a queue that is alone asks nobody") {
  start(1);
  count_anew();
  const auto at_once = consume(0);
  const auto waits = consume(0, 1, 10s);
  run();
  CHECK(payloads(at_once).empty());
  CHECK_FALSE(waits->came());
  publish_many(1);
  CHECK(payloads(waits) == texts(1, 1));
  CHECK(received<rebalance>() == 0);
}

TEST_CASE_FIXTURE(broker_fixture, "a queue that was alone steals for those that waited already, once it has siblings") {
  start(1);
  const auto waits = consume(0, 10, 10s);
  run();
  const auto grown = request<resized>([&](auto then) { front().resize_topic("n", "t", 2, then); });
  run();
  REQUIRE(grown->ok());
  publish_many(3, 1);
  CHECK(payloads(waits) == texts(2, 3));
  CHECK(peek(1) == texts(1, 1));
}

TEST_CASE_FIXTURE(broker_fixture, "the busiest sibling is found although departures are not reported to the topic") {
  start(3);
  publish_many(9, 1);
  publish_many(5, 2);
  const auto gone = consume(1, 7, 0s, true);  // queue 1 has two left, and the topic does not know
  run();
  (*gone)->confirm();
  run();
  const auto taken = consume(0, 10);
  run();
  CHECK(payloads(taken) == texts(3, 5));
  CHECK(peek(2) == texts(1, 2));
  CHECK(peek(1) == texts(8, 9));
}

TEST_CASE_FIXTURE(broker_fixture, "leased and delayed messages stay where they are") {
  start(2);
  publish_many(2, 1);
  publish("later", 1, now() + 100 * second);
  const auto leased = consume(1);
  run();
  const auto taken = consume(0, 10);
  run();
  CHECK(payloads(taken) == texts(2, 2));
  CHECK(peek(1, peek_state::leased) == texts(1, 1));
  CHECK(peek(1, peek_state::delayed) == std::vector<std::string>{"later"});
}

TEST_CASE_FIXTURE(broker_fixture, "a topic with steal = off keeps every message in its queue") {
  topic_settings_patch off;
  off.steal = steal_policy::off;
  start(2, off);
  publish_many(4, 1);
  const auto nothing = consume(0, 10);
  const auto waiting = consume(0, 10, 1s);
  pass(1s);
  CHECK(payloads(nothing).empty());
  CHECK(payloads(waiting).empty());
  CHECK(peek(1) == texts(1, 4));
  const auto refused = subscribe(any_queue);
  run();
  CHECK(refused.line->code() == error_code::failed_precondition);
}

TEST_CASE_FIXTURE(broker_fixture, "a subscriber lives by stealing") {
  start(4);
  for (const queue_number q : {0, 1, 2, 3}) publish_many(10, q);
  const auto s = subscribe(2);
  run();
  CHECK(s.sink->got.size() == 40);
  CHECK(details().totals.steals > 0);
}

// -- when ---------------------------------------------------------------------------------------------------------------------

TEST_CASE_FIXTURE(broker_fixture, "a starving queue is woken by a publish to a busy sibling") {
  start(2);
  const auto waiting = consume(0, 1, 60s);
  pass(1s);
  publish_many(2, 1);
  CHECK(payloads(waiting).size() == 1);
}

TEST_CASE_FIXTURE(broker_fixture, "a starving queue is woken by messages that come back to a sibling") {
  start(2);
  publish_many(1, 1);
  const auto taken = consume(1);
  run();
  (*taken)->confirm();
  const auto waiting = consume(0, 1, 60s);
  pass(1s);
  CHECK_FALSE(waiting->came());
  settle(settlement::nack, 1, receipts(taken));
  run();
  CHECK(payloads(waiting) == texts(1, 1));
}

TEST_CASE_FIXTURE(broker_fixture, "a starving queue is woken by leases and delays that end in a sibling") {
  start(2);
  publish("1", 1, now() + 2 * second);
  const auto first = consume(0, 1, 60s);
  run();
  const auto second_one = consume(0, 1, 60s);
  run();
  pass(2s);
  REQUIRE(payloads(first) == texts(1, 1));
  (*first)->confirm();
  CHECK_FALSE(second_one->came());
}

TEST_CASE_FIXTURE(broker_fixture, "starving queues ask nobody and set no timers: an idle topic is idle") {
  start(50);
  std::vector<subscribed> all;
  for (queue_number q = 0; q < 50; ++q) all.push_back(subscribe(q));
  run();
  count_anew();
  CHECK(timers() <= 50 * 2);  // of requests that were answered, until they expire
  pass(40s);
  count_anew();
  CHECK(timers() == 0);
  pass(600s);
  CHECK(received<rebalance>() == 0);
  CHECK(received<give>() == 0);
  CHECK(received<event::tick>() == 0);
}

TEST_CASE_FIXTURE(broker_fixture, "a message whose own queue's consumer has gone is found by a starving sibling") {
  start(2);
  const auto patient = consume(0, 1, 60s);
  const auto gone = consume(1, 1, 60s);
  const auto gone_token = last_token;
  run();
  front().cancel(gone_token);
  run();
  publish_many(1, 1);
  CHECK(patient->came());
}

TEST_CASE_FIXTURE(broker_fixture,
                  "a message whose own queue's consumer waited too long is found by a starving sibling") {
  start(2);
  const auto patient = consume(0, 1, 60s);
  const auto impatient = consume(1, 1, 1s);
  run();
  pass(2s);
  CHECK(payloads(impatient).empty());
  publish_many(1, 1);
  CHECK(patient->came());
}

TEST_CASE_FIXTURE(broker_fixture, "a message whose own queue's subscriber has gone is found by a starving sibling") {
  start(2);
  const auto patient = consume(0, 1, 60s);
  auto gone = subscribe(1);
  run();
  (*gone.line)->end();
  run();
  publish_many(1, 1);
  CHECK(patient->came());
}

TEST_CASE_FIXTURE(broker_fixture,
                  "a message whose own queue's subscriber has a full window is found by a starving sibling") {
  start(2);
  auto full = subscribe(1, 1);
  run();
  publish_many(1, 1);
  REQUIRE(full.sink->got.size() == 1);
  const auto patient = consume(0, 1, 60s);
  run();
  publish_many(1, 1);
  CHECK(patient->came());
}

// -- how much it costs --------------------------------------------------------------------------------------------------------

// The one that is woken and gets the message lets another look, because it cannot know that there was only one.
TEST_CASE_FIXTURE(broker_fixture, "of 1,000 starving queues one publish wakes one, or two, never all") {
  start(1000);
  std::vector<answer_ptr<consumed>> all;
  for (queue_number q = 1; q < 1000; ++q) all.push_back(consume(q, 1, 60s));
  run();
  CHECK(received<rebalance>() <= 999);
  CHECK(received<give>() == 0);
  count_anew();
  publish_many(1, 0);
  CHECK(received<event::wake>() <= 2);
  CHECK(received<rebalance>() <= 3);
  CHECK(received<give>() <= 3);
  std::size_t served = 0;
  for (const auto& a : all) served += a->count;
  CHECK(served == 1);
}

TEST_CASE_FIXTURE(broker_fixture, "1,000 starving queues share 1,000 messages of one queue with few messages each") {
  start(1001);
  std::vector<answer_ptr<consumed>> all;
  for (queue_number q = 1; q <= 1000; ++q) all.push_back(consume(q, 1, 60s));
  run();
  count_anew();
  publish_many(1000, 0);
  std::size_t served = 0;
  for (const auto& a : all) served += a->count;
  CHECK(served == 1000);
  const auto exchanged = received<rebalance>() + received<give>() + received<event::wake>() + received<event::sated>();
  MESSAGE("messages exchanged for 1,000 steals: " << exchanged);
  CHECK(exchanged <= 20'000);
}

TEST_CASE_FIXTURE(broker_fixture, "a publish to each of 1,000 queues with a consumer each moves nothing") {
  start(1000);
  std::vector<answer_ptr<consumed>> all;
  for (queue_number q = 0; q < 1000; ++q) all.push_back(consume(q, 1, 60s));
  run();
  count_anew();
  for (queue_number q = 0; q < 1000; ++q) publish("x", q);
  run();
  for (const auto& a : all) REQUIRE(a->ok());
  CHECK(received<give>() == 0);
  CHECK(received<event::wake>() == 0);
}

// -- while it is under way ----------------------------------------------------------------------------------------------------

TEST_CASE_FIXTURE(
    broker_fixture,
    "a move reaches the thief after its record, and when that fails, the messages are back in their order") {
  start(2);
  publish_many(4, 1);
  script->holding = true;
  const auto taken = consume(0, 10);
  run();
  CHECK_FALSE(taken->came());
  CHECK(peek(1) == texts(1, 2));
  script->fail_waiting();
  script->holding = false;
  run();
  CHECK(payloads(taken).size() <= 3);
  auto left = peek(1);
  const auto rest = peek(0);
  CHECK(payloads(taken).size() + left.size() + rest.size() == 4);
}

TEST_CASE_FIXTURE(broker_fixture, "messages of a failed move stand before those that were published meanwhile") {
  start(2);
  publish_many(4, 1);
  script->holding = true;
  const auto taken = consume(0, 10, 60s);
  run();
  auto move = std::move(script->waiting);
  script->waiting.clear();
  script->holding = false;  // the publish's record goes through
  publish("5", 1);
  run();
  script->waiting = std::move(move);
  script->fail_waiting();
  run();
  pass(1s);  // the refused move is tried again after a pause
  auto order = peek(1);
  for (const auto& text : payloads(taken)) order.push_back(text);
  CHECK(order == texts(1, 5));
}

TEST_CASE_FIXTURE(broker_fixture,
                  "while the log fails nobody goes round in circles, and when it is well again messages move") {
  start(2);
  publish_many(4, 1);
  script->failing = true;
  const auto waiting = consume(0, 1, 60s);
  const auto before = script->appends;
  for (int i = 0; i < 10'000; ++i) step();
  CHECK(script->appends - before < 100);
  script->failing = false;
  run();
  publish_many(1, 1);
  CHECK(waiting->came());
}

TEST_CASE_FIXTURE(broker_fixture, "an acknowledgement that asks while its message moves finds it") {
  start(3);
  publish_many(2, 1);
  std::vector<receipt> ids;
  {
    auto a = request<std::vector<peeked>>([&](auto then) { front().peek("n", "t", 1, peek_state::ready, 10, then); });
    run();
    for (const auto& p : **a) ids.push_back({p.message->id(), 0});
  }
  script->holding = true;
  const auto taken = consume(0, 1, 60s);  // message 2 is on its way from queue 1 to queue 0
  run();
  const auto via_other = settle(settlement::ack, 2, {ids[1]});
  const auto via_victim = settle(settlement::ack, 1, {ids[1]});
  run();
  CHECK_FALSE(via_other->came());
  script->holding = false;
  script->release();
  run();
  REQUIRE(via_other->ok());
  REQUIRE(via_victim->ok());
  CHECK((*via_other)->count + (*via_victim)->count == 1);
}

TEST_CASE_FIXTURE(broker_fixture, "an acknowledgement at the thief, while its message is on its way there, finds it") {
  start(2);
  publish_many(2, 1);
  auto a = request<std::vector<peeked>>([&](auto then) { front().peek("n", "t", 1, peek_state::ready, 10, then); });
  run();
  const receipt second_one{(**a)[1].message->id(), 0};
  script->holding = true;
  const auto taken = consume(0, 1, 60s);
  run();
  const auto acked = settle(settlement::ack, 0, {second_one});
  run();
  CHECK_FALSE(acked->came());
  script->holding = false;
  script->release();
  run();
  REQUIRE(acked->ok());
  CHECK((*acked)->count == 1);
  CHECK((*acked)->unknown.empty());
}

TEST_CASE_FIXTURE(broker_fixture, "a move that the log holds up for minutes does not confuse the topic for good") {
  start(3);
  publish_many(10, 1);
  script->holding = true;
  const auto taken = consume(0, 1, 600s);
  pass(120s);
  script->holding = false;
  script->release();
  run();
  CHECK(payloads(taken).size() == 1);
  for (const queue_number q : {0, 1, 2}) {
    const auto all = consume(q, 100, 0s, true);
    run();
    REQUIRE(all->ok());
    (*all)->confirm();
    run();
  }
  const auto rest = consume(2, 100);
  run();
  CHECK(payloads(rest).empty());
  publish_many(2, 0);
  const auto found = consume(any_queue, 10);
  run();
  CHECK(payloads(found) == texts(1, 2));
  const auto nothing = consume(2);
  run();
  CHECK(payloads(nothing).empty());
}

TEST_CASE_FIXTURE(broker_fixture, "rebalance deals what waits evenly") {
  start(4);
  publish_many(40, 0);
  publish_many(3, 2);
  const auto done_ = request<done>([&](auto then) { front().rebalance_topic("n", "t", then); });
  run();
  CHECK(done_->ok());
  std::uint64_t total = 0;
  for (const auto& q : details().queues) {
    CHECK(q.ready >= 10);
    CHECK(q.ready <= 11);
    total += q.ready;
  }
  CHECK(total == 43);
}
