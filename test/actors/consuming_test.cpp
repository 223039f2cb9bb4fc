#include "test/actors/broker_fixture.hpp"

using namespace mqlite;
using namespace mqlite::test;
using namespace std::chrono_literals;

TEST_CASE_FIXTURE(broker_fixture, "a consume waits for its lease's record, and goes on when that fails") {
  start(1);
  publish_many(2);
  script->holding = true;
  const auto first = consume(0);
  run();
  CHECK_FALSE(first->came());
  script->release();
  run();
  CHECK(payloads(first) == texts(1, 1));
  const auto second = consume(0);
  run();
  script->fail_waiting();
  run();
  CHECK(payloads(second) == texts(2, 2));
}

TEST_CASE_FIXTURE(broker_fixture, "a lease's clock starts when the messages were written to the connection") {
  start(1);
  publish_many(1);
  const auto taken = consume(0);
  run();
  pass(100s);
  CHECK(peek(0).empty());
  (*taken)->confirm();
  pass(29s);
  CHECK(peek(0).empty());
  pass(1s);
  CHECK(peek(0) == texts(1, 1));
}

TEST_CASE_FIXTURE(broker_fixture,
                  "messages that never reached their consumer are at the front again, with their old count") {
  start(1);
  publish_many(3);
  auto taken = consume(0, 2);
  run();
  CHECK(payloads(taken) == texts(1, 2));
  taken.reset();
  run();
  CHECK(peek(0) == texts(1, 3));
  const auto again = consume(0, 2);
  run();
  CHECK(payloads(again) == texts(1, 2));
  CHECK((*again)->deliveries[0].deliveries == 1);
}

TEST_CASE_FIXTURE(broker_fixture, "auto_ack acknowledges at hand-off, and not before") {
  start(1);
  publish_many(2);
  auto lost = consume(0, 2, 0s, true);
  run();
  lost.reset();
  run();
  CHECK(peek(0) == texts(1, 2));
  const auto taken = consume(0, 1, 0s, true);
  run();
  (*taken)->confirm();
  run();
  CHECK(details().queues[0].leased == 0);
  CHECK(peek(0) == texts(2, 2));
}

TEST_CASE_FIXTURE(broker_fixture, "the next answer says that what auto_ack handed over is written") {
  start(1);
  publish_many(1);
  const auto taken = consume(0, 1, 0s, true);
  run();
  script->holding = true;
  (*taken)->confirm();
  const auto next = consume(0);
  run();
  CHECK_FALSE(next->came());
  script->syncing_later = true;  // written is enough
  script->release();
  run();
  CHECK(payloads(next).empty());
  script->sync();
  run();
  const auto later = consume(0);
  run();
  CHECK(later->came());  // and waits for nothing
}

TEST_CASE_FIXTURE(
    broker_fixture,
    "an acknowledged message is gone once the record is stored; when that fails, it is leased as before") {
  start(1);
  publish_many(1);
  const auto taken = consume(0);
  run();
  (*taken)->confirm();
  run();
  script->holding = true;
  const auto failed = settle(settlement::ack, 0, receipts(taken));
  run();
  CHECK_FALSE(failed->came());
  script->fail_waiting();
  script->holding = false;
  run();
  CHECK(failed->code() == error_code::unavailable);
  CHECK(details().queues[0].leased == 1);
  const auto acked = settle(settlement::ack, 0, receipts(taken));
  run();
  CHECK((*acked)->count == 1);
  CHECK(details().queues[0].leased == 0);
  pass(60s);
  CHECK(peek(0).empty());
}

TEST_CASE_FIXTURE(broker_fixture, "a lease whose failed acknowledgement took longer than the lease itself ends") {
  start(1);
  publish_many(1);
  const auto taken = consume(0);
  run();
  (*taken)->confirm();
  run();
  script->holding = true;
  const auto failed = settle(settlement::ack, 0, receipts(taken));
  pass(60s);
  script->fail_waiting();
  script->holding = false;
  pass(1s);
  CHECK_FALSE(failed->ok());
  CHECK(peek(0) == texts(1, 1));
}

TEST_CASE_FIXTURE(broker_fixture, "a lease whose clock was started while its acknowledgement was failing ends") {
  start(1);
  publish_many(1);
  const auto taken = consume(0);
  run();
  script->holding = true;
  const auto failed = settle(settlement::ack, 0, receipts(taken));
  run();
  (*taken)->confirm();
  run();
  script->fail_waiting();
  script->holding = false;
  run();
  CHECK_FALSE(failed->ok());
  pass(31s);
  CHECK(peek(0) == texts(1, 1));
}

TEST_CASE_FIXTURE(broker_fixture,
                  "a message that was dropped while its acknowledgement was failing is at the front again") {
  start(1);
  publish_many(2);
  auto taken = consume(0);
  run();
  script->holding = true;
  const auto failed = settle(settlement::ack, 0, receipts(taken));
  run();
  taken.reset();
  run();
  script->fail_waiting();
  script->holding = false;
  pass(31s);
  CHECK_FALSE(failed->ok());
  CHECK(peek(0) == texts(1, 2));
}

TEST_CASE_FIXTURE(broker_fixture,
                  "a subscription that ended while an acknowledgement of it was failing keeps nothing") {
  start(1);
  auto s = subscribe(0);
  run();
  publish_many(2);
  script->holding = true;
  const auto failed = settle(settlement::ack, 0, {{s.sink->got.at(0).message->id(), 1}});
  run();
  (*s.line)->end();
  run();
  script->fail_waiting();
  script->holding = false;
  run();
  CHECK_FALSE(failed->ok());
  CHECK(peek(0) == texts(1, 2));
}

TEST_CASE_FIXTURE(broker_fixture, "an id acknowledges whatever delivery is current, a receipt only its own") {
  start(1);
  publish_many(1);
  const auto first = consume(0);
  run();
  settle(settlement::nack, 0, receipts(first));
  run();
  const auto second = consume(0);
  run();
  const auto stale = settle(settlement::ack, 0, receipts(first));
  run();
  CHECK((*stale)->count == 0);
  CHECK((*stale)->stale == std::vector<std::uint32_t>{0});
  const auto acked = settle(settlement::ack, 0, {{(*first)->deliveries[0].message->id(), 0}});
  run();
  CHECK((*acked)->count == 1);
}

TEST_CASE_FIXTURE(broker_fixture, "a late acknowledgement removes a message that waits again") {
  start(1);
  publish_many(1);
  const auto taken = consume(0);
  run();
  (*taken)->confirm();
  pass(31s);
  CHECK(peek(0) == texts(1, 1));
  const auto acked = settle(settlement::ack, 0, receipts(taken));
  run();
  CHECK((*acked)->count == 1);
  CHECK(peek(0).empty());
}

TEST_CASE_FIXTURE(broker_fixture,
                  "what the named queue does not hold is settled in the others, and what none holds is unknown") {
  start(3);
  publish_many(2, 2);
  const auto taken = consume(2, 2);
  run();
  auto which = receipts(taken);
  which.insert(which.begin(), receipt{message_id{1, 2}, 0});
  const auto acked = settle(settlement::ack, 0, which);
  run();
  CHECK((*acked)->count == 2);
  CHECK((*acked)->unknown == std::vector<std::uint32_t>{0});
  const auto nothing = settle(settlement::nack, 1, {which[1]});
  run();
  CHECK((*nothing)->unknown == std::vector<std::uint32_t>{0});
}

TEST_CASE_FIXTURE(broker_fixture, "a nack with a delay brings the message back when that is over") {
  start(1);
  publish_many(2);
  const auto taken = consume(0);
  run();
  const auto nacked = settle(settlement::nack, 0, receipts(taken), 5s);
  run();
  CHECK((*nacked)->count == 1);
  CHECK(peek(0) == texts(2, 2));
  CHECK(peek(0, peek_state::delayed) == texts(1, 1));
  pass(5s);
  CHECK(peek(0) == texts(1, 2));
}

TEST_CASE_FIXTURE(broker_fixture, "extending keeps a lease beyond its end") {
  start(1);
  publish_many(1);
  const auto taken = consume(0);
  run();
  (*taken)->confirm();
  pass(20s);
  const auto extended = settle(settlement::extend, 0, receipts(taken), 60s);
  run();
  CHECK((*extended)->count == 1);
  pass(55s);
  CHECK(peek(0).empty());
  pass(6s);
  CHECK(peek(0) == texts(1, 1));
}

TEST_CASE_FIXTURE(broker_fixture, "a long poll is answered by the next message, or empty at its end") {
  start(1);
  const auto first = consume(0, 1, 2s);
  const auto second = consume(0, 1, 5s);
  pass(1s);
  publish("1");
  run();
  CHECK(payloads(first) == texts(1, 1));
  CHECK_FALSE(second->came());
  pass(3999ms);
  CHECK_FALSE(second->came());
  pass(1ms);
  CHECK(payloads(second).empty());
}

TEST_CASE_FIXTURE(broker_fixture, "a long poll over any queue is answered by any queue, or empty at its end") {
  start(3);
  const auto first = consume(any_queue, 1, 2s);
  const auto second = consume(any_queue, 1, 5s);
  pass(1s);
  publish("1", 2);
  run();
  CHECK(payloads(first) == texts(1, 1));
  pass(4s);
  CHECK(payloads(second).empty());
}

TEST_CASE_FIXTURE(broker_fixture, "a consume over any queue gathers from all of them, most waiting first") {
  start(3);
  publish_many(1, 0);
  publish_many(3, 1);
  publish_many(2, 2);
  const auto taken = consume(any_queue, 5);
  run();
  std::vector<queue_number> queues;
  REQUIRE(taken->ok());
  for (const auto& d : (*taken)->deliveries) queues.push_back(d.queue);
  CHECK(queues == std::vector<queue_number>{1, 1, 1, 2, 2});
}

TEST_CASE_FIXTURE(broker_fixture, "a cancelled consume takes nothing") {
  start(1);
  const auto waiting = consume(0, 1, 60s);
  run();
  front().cancel(last_token);
  run();
  publish_many(1);
  CHECK(peek(0) == texts(1, 1));
  CHECK(waiting->count == 1);
}

TEST_CASE_FIXTURE(broker_fixture, "a subscription is pushed at most its window, and more as it acknowledges") {
  start(1);
  const auto s = subscribe(0, 2);
  run();
  REQUIRE(s.line->ok());
  publish_many(5);
  CHECK(payloads(s.sink->got) == texts(1, 2));
  settle(settlement::ack, 0, {{s.sink->got[0].message->id(), 1}});
  run();
  CHECK(payloads(s.sink->got) == texts(1, 3));
}

TEST_CASE_FIXTURE(broker_fixture,
                  "when a subscription ends, what it has not acknowledged returns to the front at once") {
  start(1);
  auto s = subscribe(0, 3);
  run();
  publish_many(5);
  CHECK(s.sink->got.size() == 3);
  (*s.line)->end();
  run();
  CHECK(peek(0) == texts(1, 5));
  const auto next = consume(0);
  run();
  CHECK((*next)->deliveries.at(0).deliveries == 2);
}

TEST_CASE_FIXTURE(broker_fixture,
                  "what was pushed and never written returns with its old count when the subscription ends") {
  start(1);
  auto s = subscribe(0, 3);
  s.sink->confirming = false;
  run();
  publish_many(2);
  CHECK(s.sink->got.size() == 2);
  s.sink->batches.clear();
  (*s.line)->end();
  run();
  CHECK(peek(0) == texts(1, 2));
  const auto next = consume(0);
  run();
  CHECK((*next)->deliveries.at(0).deliveries == 1);
}

TEST_CASE_FIXTURE(broker_fixture, "what a failing log does not let go is not pushed again and again") {
  start(1);
  publish_many(3);
  script->failing = true;
  const auto s = subscribe(0, 256, true);
  run();
  pass(5s);
  CHECK(s.sink->got.empty());
  CHECK(script->appends < 1000);
  script->failing = false;
  pass(1s);
  CHECK(payloads(s.sink->got) == texts(1, 3));
}

TEST_CASE_FIXTURE(broker_fixture, "a consume over any queue ends with its budget of bytes") {
  start(3);
  for (const queue_number q : {0, 1, 2}) publish_many(99, q);
  const auto some = request<consumed>([&](auto then) {
    front().consume("n", "t", any_queue, {1000, false, {}, {}, 40 * message::make("99")->footprint()}, then);
  });
  run();
  REQUIRE(some->ok());
  CHECK((*some)->deliveries.size() >= 40);
  CHECK((*some)->deliveries.size() <= 45);
}

TEST_CASE_FIXTURE(broker_fixture, "subscribers of one queue share its messages") {
  start(1);
  const auto a = subscribe(0);
  const auto b = subscribe(0);
  run();
  publish_many(10);
  CHECK(a.sink->got.size() + b.sink->got.size() == 10);
  CHECK(a.sink->got.size() >= 4);
  CHECK(b.sink->got.size() >= 4);
}

TEST_CASE_FIXTURE(broker_fixture, "the n-th failed delivery is a dead letter, by timeout, too") {
  topic_settings_patch settings;
  settings.max_deliveries = 2;
  start(1, settings);
  publish_many(1);
  for (int i = 0; i < 2; ++i) {
    const auto taken = consume(0);
    run();
    (*taken)->confirm();
    pass(31s);
  }
  CHECK(peek(0).empty());
  REQUIRE(dead().size() == 1);
  CHECK(dead()[0].reason == dead_reason::max_deliveries);
  CHECK(dead()[0].deliveries == 2);
}

TEST_CASE_FIXTURE(broker_fixture, "timers do not pile up in a queue that always waits for something") {
  start(1);
  publish("much later", 0, now() + 1000 * second);
  run();
  const auto before = timers();
  for (int i = 0; i < 100; ++i) {
    publish("soon", 0, now() + second / 100);
    pass(20ms);
  }
  pass(100s);  // a timer that a shorter one overtook may go off once, for nothing; it must not set itself again
  CHECK(timers() <= before + 1);
}

TEST_CASE_FIXTURE(broker_fixture, "timers do not pile up in a topic whose long polls over any queue always overlap") {
  start(2);
  const auto patient = consume(any_queue, 1, 60s);
  run();
  const auto before = timers();
  for (int i = 0; i < 50; ++i) {
    consume(any_queue, 1, 10ms);
    pass(20ms);
  }
  pass(35s);
  CHECK(timers() <= before + 1);
}
