#include "test/actors/broker_fixture.hpp"

using namespace mqlite;
using namespace mqlite::test;
using namespace std::chrono_literals;

// -- deleting -----------------------------------------------------------------------------------------------------------------

TEST_CASE_FIXTURE(broker_fixture, "whoever waits in a topic that is deleted is told that it is gone") {
  start(2);
  const auto waiting = consume(0, 1, 60s);
  const auto any = consume(any_queue, 1, 60s);
  const auto s = subscribe(1);
  run();
  const auto deleted = request<done>([&](auto then) { front().delete_topic("n", "t", then); });
  run();
  CHECK(deleted->ok());
  CHECK(waiting->code() == error_code::not_found);
  CHECK(any->code() == error_code::not_found);
  CHECK(s.sink->closes == 1);
  const auto late = publish("1");
  const auto later_one = consume(0);
  run();
  CHECK(late->code() == error_code::not_found);
  CHECK(later_one->code() == error_code::not_found);
}

TEST_CASE_FIXTURE(broker_fixture, "of two topics the one that was deleted is NOT_FOUND, whichever was asked for last") {
  start(1);
  create_topic("other", 1);
  const auto waiting = consume(0, 1, 60s);
  const auto other = request<consumed>([&](auto then) { front().consume("n", "other", 0, {1, false, 60s, {}}, then); });
  run();
  const auto deleted = request<done>([&](auto then) { front().delete_topic("n", "t", then); });
  run();
  CHECK(deleted->ok());
  CHECK(waiting->code() == error_code::not_found);
  CHECK_FALSE(other->came());
}

TEST_CASE_FIXTURE(broker_fixture, "a deletion whose record fails deletes nothing") {
  start(1);
  publish_many(1);
  script->failing = true;
  const auto refused = request<done>([&](auto then) { front().delete_topic("n", "t", then); });
  const auto refused_too = request<done>([&](auto then) { front().delete_namespace("n", then); });
  run();
  CHECK(refused->code() == error_code::unavailable);
  CHECK(refused_too->code() == error_code::unavailable);
  script->failing = false;
  CHECK(peek(0) == texts(1, 1));
}

TEST_CASE_FIXTURE(broker_fixture, "a topic that is made anew under the same name is empty, and works") {
  start(1);
  publish_many(3);
  for (int i = 0; i < 3; ++i) {
    const auto deleted = request<done>([&](auto then) { front().delete_topic("n", "t", then); });
    run();
    REQUIRE(deleted->ok());
    create_topic("t", 2);
    CHECK(peek(0).empty());
    publish_many(2, 1);
    CHECK(peek(1) == texts(1, 2));
  }
}

TEST_CASE("a topic may be deleted at any moment of a publish, a consume, a steal: every request is answered once") {
  for (const auto seed : seeds(150)) {
    CAPTURE(seed);
    broker_fixture f;
    chance random(seed);
    f.start(4);
    f.random_order(seed);
    for (queue_number q = 0; q < 4; ++q) f.publish_many(static_cast<int>(random.below(6)), q);
    std::vector<answer_ptr<consumed>> consumed_answers;
    std::vector<answer_ptr<published>> published_answers;
    std::vector<answer_ptr<settled>> settled_answers;
    std::vector<answer_ptr<topic_details>> other_answers;
    answer_ptr<done> deleted;
    const auto when = random.below(20);
    for (std::uint64_t i = 0; i < 20; ++i) {
      const auto q = static_cast<queue_number>(random.below(5)) - 1;
      f.script->holding = random.percent(30);
      if (!f.script->holding) f.script->release();
      switch (random.below(4)) {
        case 0:
          published_answers.push_back(f.publish("x", q));
          break;
        case 1:
          consumed_answers.push_back(f.consume(q, 3, random.percent(50) ? 0s : 5s, random.percent(30)));
          break;
        case 2:
          settled_answers.push_back(f.settle(settlement::ack, std::max(q, 0), {{message_id{1, i}, 0}}));
          break;
        case 3:
          other_answers.push_back(f.request<topic_details>([&](auto then) { f.front().get_topic("n", "t", then); }));
          break;
      }
      if (i == when) deleted = f.request<done>([&](auto then) { f.front().delete_topic("n", "t", then); });
      for (auto steps = random.below(30); steps > 0; --steps) f.step();
    }
    f.script->holding = false;
    f.script->release();
    f.run();
    f.pass(10s);
    CHECK(deleted->ok());
    for (const auto& a : consumed_answers) REQUIRE(a->count == 1);
    for (const auto& a : published_answers) REQUIRE(a->count == 1);
    for (const auto& a : settled_answers) REQUIRE(a->count == 1);
    for (const auto& a : other_answers) REQUIRE(a->count == 1);
  }
}

// -- resizing -----------------------------------------------------------------------------------------------------------------

namespace {

answer_ptr<resized> resize(broker_fixture& f, std::int64_t count) {
  return f.request<resized>([&](auto then) { f.front().resize_topic("n", "t", count, then); });
}

std::vector<message_id> ready_in_order(broker_fixture& f, queue_number queue) {
  const auto all =
      f.request<std::vector<peeked>>([&](auto then) { f.front().peek("n", "t", queue, peek_state::ready, 100, then); });
  f.run();
  REQUIRE(all->ok());
  std::vector<message_id> ids;
  for (const auto& p : **all) ids.push_back(p.message->id());
  return ids;
}

/// As they would be after a restart.
std::vector<message_id> logged_in_order(broker_fixture& f, queue_number queue) {
  const auto birth = replayed(f.script->records, f.now());
  return queue_image(*birth.namespaces.at("n").at(0).cores[static_cast<std::size_t>(queue)]).ready;
}

/// Each with three messages.
void start_with_six_queues(broker_fixture& f) {
  f.start(6);
  for (queue_number q = 0; q < 6; ++q) f.publish_many(3, q);
}

void require_two_queues_as_logged(broker_fixture& f) {
  REQUIRE(f.details().queues.size() == 2);
  for (queue_number q = 0; q < 2; ++q) REQUIRE(ready_in_order(f, q) == logged_in_order(f, q));
}

}  // namespace

TEST_CASE_FIXTURE(broker_fixture, "growing is immediate") {
  start(1);
  const auto grown = resize(*this, 3);
  run();
  REQUIRE(grown->ok());
  CHECK((*grown)->queue_count == 3);
  CHECK((*grown)->version == 2);
  CHECK_FALSE((*grown)->draining);
  publish_many(2, 2);
  CHECK(peek(2) == texts(1, 2));
}

TEST_CASE_FIXTURE(broker_fixture,
                  "shrinking drains: no publishes by id, and after drain_timeout the rest moves to the others, leases "
                  "and delays included") {
  start(4);
  publish_many(3, 2);
  publish_many(2, 3);
  publish("later", 3, now() + 100 * second);
  const auto leased = consume(3);
  run();
  (*leased)->confirm();
  run();
  const auto extended = settle(settlement::extend, 3, receipts(leased), 90s);
  const auto shrunk = resize(*this, 2);
  run();
  CHECK(extended->ok());
  REQUIRE(shrunk->ok());
  CHECK((*shrunk)->draining);
  const auto refused = publish("x", 2);
  const auto again = resize(*this, 1);
  run();
  CHECK(refused->code() == error_code::not_found);
  CHECK(again->code() == error_code::failed_precondition);
  CHECK(peek(2) == texts(1, 3));
  pass(31s);
  const auto d = details();
  CHECK(d.queues.size() == 2);
  CHECK_FALSE(d.draining);
  CHECK(d.queues[0].ready + d.queues[1].ready == 4);
  CHECK(d.queues[0].leased + d.queues[1].leased == 1);
  CHECK(d.queues[0].delayed + d.queues[1].delayed == 1);
  const auto acked = settle(settlement::ack, 0, receipts(leased));
  run();
  CHECK((*acked)->count == 1);
  // and a restart gives the same
  const auto birth = replayed(script->records, now());
  std::size_t ready = 0, delayed = 0;
  for (const auto& core : birth.namespaces.at("n").at(0).cores) {
    ready += core->ready();
    delayed += core->delayed();
  }
  CHECK(ready == 4);
  CHECK(delayed == 1);
}

TEST_CASE("what the dropped queues leave has one order, live and in the log, however the actors run") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    CAPTURE(seed);
    broker_fixture f;
    start_with_six_queues(f);
    f.random_order(seed);
    resize(f, 2);
    f.pass(31s);
    require_two_queues_as_logged(f);
    REQUIRE(ready_in_order(f, 0).size() == 11);
    REQUIRE(ready_in_order(f, 1).size() == 7);
  }
}

TEST_CASE("the same, where a queue gets a message back while the next ones give theirs to a slow log") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    CAPTURE(seed);
    broker_fixture f;
    start_with_six_queues(f);
    auto taken = f.consume(2);  // is not told that it has arrived
    f.run();
    REQUIRE(taken->ok());
    resize(f, 2);
    f.run();
    f.random_order(seed);
    f.pass(29900ms);
    f.script->holding = true;
    f.pass(200ms);
    f.script->release();  // what queue 2 gives; what queue 3 gives waits
    f.run();
    taken.reset();
    f.run();
    f.pass(1100ms);
    f.script->holding = false;
    f.script->release();
    f.pass(5s);
    require_two_queues_as_logged(f);
  }
}

TEST_CASE_FIXTURE(broker_fixture, "queues that are empty are dropped at once") {
  start(4);
  resize(*this, 1);
  run();
  CHECK(details().queues.size() == 1);
  CHECK_FALSE(details().draining);
  const auto grown = resize(*this, 2);
  run();
  CHECK((*grown)->version == 3);
}

TEST_CASE_FIXTURE(broker_fixture, "a queue that reported to be empty and got messages since is not dropped with them") {
  start(3);
  publish_many(1, 1);
  const auto leased = consume(1);
  run();
  (*leased)->confirm();
  const auto waiting = consume(2, 1, 60s);
  run();
  resize(*this, 1);
  run();
  publish_many(4, 0);  // the waiting consumer of queue 2 makes it steal
  settle(settlement::ack, 1, receipts(leased));
  run();
  std::uint64_t total = 0;
  for (const auto& q : details().queues) total += q.ready + q.leased + q.delayed;
  CHECK(total == 4);
  pass(120s);
  total = 0;
  for (const auto& q : details().queues) total += q.ready + q.leased + q.delayed;
  CHECK(total == 4);
}

TEST_CASE_FIXTURE(broker_fixture, "what a dropped queue has counted and released is not lost with it") {
  start(4);
  publish_many(100, 3);
  const auto taken = consume(3, 100);
  run();
  settle(settlement::ack, 3, receipts(taken));
  run();
  resize(*this, 1);
  run();
  const auto d = details();
  REQUIRE(d.queues.size() == 1);
  CHECK(d.totals.delivered == 100);
  CHECK(d.totals.acknowledged == 100);
  topic_settings_patch limits;
  limits.max_length = 50;
  request<done>([&](auto then) { front().update_topic("n", "t", limits, then); });
  run();
  publish_many(50, 0);
  CHECK(peek(0) == texts(1, 50));
}

TEST_CASE_FIXTURE(broker_fixture,
                  "messages are acknowledged by the number of the queue that gave them, dropped or not") {
  topic_settings_patch slow;
  slow.ack_timeout = 1h;
  start(2, slow);
  publish_many(3, 1);
  const auto taken = consume(1, 3);
  run();
  (*taken)->confirm();
  run();
  resize(*this, 1);
  pass(31s);
  REQUIRE(details().queues.size() == 1);
  const auto acked = settle(settlement::ack, 1, receipts(taken));
  const auto never_there = settle(settlement::ack, 2, receipts(taken));
  run();
  REQUIRE(acked->ok());
  CHECK((*acked)->count == 3);
  CHECK(never_there->code() == error_code::not_found);
}

TEST_CASE_FIXTURE(broker_fixture, "a subscription to any queue goes to one that stays") {
  start(2);
  publish_many(1, 1);
  const auto taken = consume(1);  // keeps queue 1 from being dropped
  const auto first = subscribe(0);
  run();
  resize(*this, 1);
  run();
  REQUIRE(details().draining);
  const auto any = subscribe(any_queue);
  run();
  publish_many(10, 0);
  run();
  CHECK(any.sink->got.size() + first.sink->got.size() == 10);
  CHECK(any.sink->got.size() > 0);
}

TEST_CASE_FIXTURE(broker_fixture, "settings that are changed while the last queue is drained are kept") {
  start(2);
  publish_many(1, 1);
  const auto taken = consume(1);
  run();
  resize(*this, 1);
  run();
  script->holding = true;
  settle(settlement::ack, 1, receipts(taken));
  run();
  topic_settings_patch limits;
  limits.max_length = 7;
  const auto updated = request<done>([&](auto then) { front().update_topic("n", "t", limits, then); });
  run();
  script->release(1);  // the acknowledgement: the queue is empty
  run();
  script->holding = false;
  script->release();
  run();
  REQUIRE(updated->ok());
  CHECK(details().queues.size() == 1);
  const auto birth = replayed(script->records, now());
  const auto& topic = birth.namespaces.at("n").at(0);
  CHECK(topic.settings.max_length == 7);
  CHECK(topic.cores.size() == 1);
}

TEST_CASE_FIXTURE(broker_fixture,
                  "a queue that is drained and could not give its last message is not dropped with it") {
  start(2);
  publish_many(1, 1);
  resize(*this, 1);
  run();
  REQUIRE(details().draining);
  script->holding = true;
  const auto waiting = consume(0, 1, 1h);
  run();  // the message is on its way to queue 0
  settle(settlement::ack, 0, {receipt{message_id{}, 0}});
  run();  // queue 1 is asked, and says that it is empty
  script->holding = false;
  script->fail_waiting();
  run();
  pass(100s);
  CHECK(payloads(waiting) == texts(1, 1));
}

TEST_CASE("dead letters have one order, live and in the log, however the actors run") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    CAPTURE(seed);
    broker_fixture f;
    topic_settings_patch brief;
    brief.message_ttl = 50ms;
    f.start(3, brief);
    f.random_order(seed);
    for (int i = 0; i < 9; ++i) {
      f.publish("x", i % 3);
      f.pass(1ms);
    }
    f.pass(1s);
    std::vector<message_id> ids;
    for (const auto& letter : f.dead()) ids.push_back(letter.message->id());
    REQUIRE(ids.size() == 9);
    REQUIRE(ids == replayed(f.script->records, f.now()).namespaces.at("n").at(0).dead->ids());
  }
}

TEST_CASE_FIXTURE(broker_fixture, "a resize whose record fails changes nothing") {
  start(2);
  publish_many(2, 1);
  script->failing = true;
  const auto refused = resize(*this, 1);
  run();
  CHECK(refused->code() == error_code::unavailable);
  script->failing = false;
  const auto d = details();
  CHECK(d.info.queue_count == 2);
  CHECK(d.info.version == 1);
  CHECK_FALSE(d.draining);
  const auto fine = publish("3", 1);
  run();
  CHECK(fine->ok());
}

// -- ending -------------------------------------------------------------------------------------------------------------------

TEST_CASE_FIXTURE(broker_fixture, "shutting down answers, closes the log, and ends every actor") {
  start(3);
  publish_many(5);
  const auto waiting = consume(1, 1, 60s);
  const auto s = subscribe(2);
  run();
  const auto ended = std::make_shared<answer<done>>();
  tell(broker(), command::shut_down{reply<done>([ended](outcome<done> how) {
         ++ended->count;
         ended->value.emplace(std::move(how));
       })});
  run();
  CHECK(ended->ok());
  CHECK(script->closed);
  CHECK(waiting->count == 1);
  CHECK(s.sink->closes == 1);
}

TEST_CASE("a broker may end at any moment, with requests outstanding: all are answered, and nothing is left") {
  const auto memory = message::memory();
  for (const auto seed : seeds(50)) {
    CAPTURE(seed);
    std::vector<answer_ptr<published>> published_answers;
    {
      broker_fixture f;
      chance random(seed);
      f.start(3);
      f.random_order(seed);
      std::vector<answer_ptr<consumed>> consumed_answers;
      std::vector<broker_fixture::subscribed> lines;
      for (int i = 0; i < 30; ++i) {
        const auto q = static_cast<queue_number>(random.below(4)) - 1;
        f.script->holding = random.percent(30);
        if (!f.script->holding) f.script->release();
        switch (random.below(3)) {
          case 0:
            published_answers.push_back(f.publish("x", q));
            break;
          case 1:
            consumed_answers.push_back(f.consume(q, 3, 60s));
            break;
          case 2:
            lines.push_back(f.subscribe(q));
            break;
        }
        for (auto steps = random.below(20); steps > 0; --steps) f.step();
      }
      lines.clear();
      consumed_answers.clear();
    }  // the actor system waits here for every actor to end
    published_answers.clear();
    REQUIRE(message::memory() == memory);
  }
}
