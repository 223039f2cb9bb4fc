#include "test/actors/broker_fixture.hpp"

using namespace mqlite;
using namespace mqlite::test;
using namespace std::chrono_literals;

TEST_CASE_FIXTURE(broker_fixture, "a publish is answered after its record is stored, and is not visible before") {
  start(1);
  script->holding = true;
  const auto published = publish("1");
  const auto waiting = consume(0, 1, 10s);
  const auto empty = consume(0);
  run();
  CHECK_FALSE(published->came());
  CHECK_FALSE(waiting->came());
  CHECK(payloads(empty).empty());
  CHECK(peek(0).empty());
  script->holding = false;
  script->release();
  run();
  CHECK(published->ok());
  CHECK(payloads(waiting) == texts(1, 1));
}

TEST_CASE_FIXTURE(broker_fixture, "a publish waits for the fsync when that is promised") {
  start(1);
  script->syncing_later = true;
  const auto published = publish("1");
  run();
  CHECK_FALSE(published->came());
  CHECK(peek(0).empty());
  script->sync();
  run();
  CHECK(published->ok());
  CHECK(peek(0) == texts(1, 1));
}

TEST_CASE_FIXTURE(broker_fixture, "a publish whose record fails is UNAVAILABLE, and its message never appears") {
  start(2);
  script->holding = true;
  const auto first = publish("1");
  const auto second = publish("2", 1);
  run();
  script->fail_waiting();
  script->holding = false;
  run();
  CHECK(first->code() == error_code::unavailable);
  CHECK(second->code() == error_code::unavailable);
  pass(120s);
  const auto found = consume(any_queue, 10);
  run();
  CHECK(payloads(found).empty());
  CHECK(peek(0).empty());
  CHECK(peek(1).empty());
}

TEST_CASE_FIXTURE(
    broker_fixture,
    "while the log fails publishes are refused, and reads go on; when it is well again, so is everything") {
  start(1);
  publish_many(2);
  script->failing = true;
  const auto refused = publish("3");
  const auto consumed = consume(0);
  run();
  CHECK(refused->code() == error_code::unavailable);
  CHECK(payloads(consumed) == texts(1, 1));
  CHECK(peek(0) == texts(2, 2));
  script->failing = false;
  const auto fine = publish("4");
  run();
  CHECK(fine->ok());
  CHECK(peek(0) == std::vector<std::string>{"2", "4"});
}

TEST_CASE_FIXTURE(broker_fixture, "one turn's publishes share one record, and have an answer each") {
  start(4);
  const auto before = script->appends;
  std::vector<answer_ptr<published>> answers;
  for (int i = 0; i < 50; ++i) answers.push_back(publish(std::to_string(i), i % 4));
  run();
  for (int i = 0; i < 50; ++i) {
    REQUIRE(answers[static_cast<std::size_t>(i)]->ok());
    CHECK((*answers[static_cast<std::size_t>(i)])->queue == i % 4);
  }
  CHECK(script->appends - before == 1);
  CHECK(script->records.size() == 3);
}

TEST_CASE_FIXTURE(broker_fixture,
                  "round robin starts at queue 0, keys pick queues, and a queue out of range is NOT_FOUND") {
  start(3);
  for (const queue_number expected : {0, 1, 2, 0}) {
    const auto a = publish("x", any_queue);
    run();
    CHECK((*a)->queue == expected);
  }
  const auto keyed = request<published>([&](auto then) {
    auto d = draft_of("x");
    d.has_key = true;
    d.key_hash = routing_hash("foobar");
    front().publish("n", "t", std::move(d), then);
  });
  const auto wrong = publish("x", 3);
  run();
  CHECK((*keyed)->queue == static_cast<queue_number>(0xbf9cf968U % 3));
  CHECK(wrong->code() == error_code::not_found);
}

TEST_CASE_FIXTURE(broker_fixture, "a full topic rejects, and takes messages again when some were acknowledged") {
  topic_settings_patch limits;
  limits.max_length = 2;
  start(2, limits);
  publish_many(2);
  const auto refused = publish("3");
  const auto taken = consume(0);
  run();
  CHECK(refused->code() == error_code::resource_exhausted);
  const auto acked = settle(settlement::ack, 0, receipts(taken));
  run();
  CHECK((*acked)->count == 1);
  const auto fits = publish("4", 1);
  const auto too_many = publish("5", 1);
  run();
  CHECK(fits->ok());
  CHECK(too_many->code() == error_code::resource_exhausted);
}

TEST_CASE_FIXTURE(broker_fixture, "refused publishes, failed or misdirected, take no room in a limited topic") {
  topic_settings_patch limits;
  limits.max_length = 1;
  start(1, limits);
  script->failing = true;
  const auto failed = publish("1");
  run();
  CHECK_FALSE(failed->ok());
  script->failing = false;
  const auto misdirected = publish("2", 7);
  run();
  CHECK(misdirected->code() == error_code::not_found);
  const auto fits = publish("3");
  run();
  CHECK(fits->ok());
}

TEST_CASE_FIXTURE(broker_fixture, "a topic that drops its oldest keeps the newest, and the others are dead letters") {
  topic_settings_patch limits;
  limits.max_length = 3;
  limits.overflow = overflow_policy::drop_oldest;
  start(1, limits);
  publish_many(5);
  run();
  CHECK(peek(0) == texts(3, 5));
  const auto letters = dead();
  REQUIRE(letters.size() == 2);
  CHECK(letters[0].message->payload() == "1");
  CHECK(letters[0].reason == dead_reason::overflow);
}

TEST_CASE_FIXTURE(broker_fixture, "the oldest are dropped wherever they wait, and never a message before older ones") {
  topic_settings_patch limits;
  limits.max_length = 3;
  limits.overflow = overflow_policy::drop_oldest;
  start(3, limits);
  for (const auto queue : {1, 1, 0, 0, 2, 0, 0}) {
    publish(std::to_string(queue), queue);
    run();
  }
  CHECK(peek(0) == std::vector<std::string>{"0", "0"});
  CHECK(peek(1).empty());
  CHECK(peek(2) == std::vector<std::string>{"2"});
  std::vector<std::string> dropped;
  for (const auto& d : dead()) dropped.emplace_back(d.message->payload());
  CHECK(dropped == std::vector<std::string>{"1", "1", "0", "0"});
}

TEST_CASE_FIXTURE(broker_fixture, "a burst over the limit leaves the newest of all queues") {
  topic_settings_patch limits;
  limits.max_length = 4;
  limits.overflow = overflow_policy::drop_oldest;
  start(2, limits);
  request<std::vector<outcome<published>>>([&](auto then) {
    std::vector<draft> drafts;
    for (const auto& text : texts(1, 10)) drafts.push_back(draft_of(text, any_queue, 0));
    front().publish_batch("n", "t", std::move(drafts), then);
  });
  run();
  CHECK(peek(0) == std::vector<std::string>{"7", "9"});
  CHECK(peek(1) == std::vector<std::string>{"8", "10"});
}

TEST_CASE_FIXTURE(broker_fixture,
                  "as many bytes are dropped as a new message needs; one that can never fit is refused") {
  topic_settings_patch limits;
  limits.max_bytes = 10;
  limits.overflow = overflow_policy::drop_oldest;
  start(2, limits);
  for (const auto* text : {"1111", "2222", "3"}) publish(text, 0);
  publish("44444", 1);
  const auto refused = publish("55555555555", 1);
  run();
  REQUIRE_FALSE(refused->ok());
  CHECK(refused->code() == error_code::resource_exhausted);
  CHECK(peek(0) == std::vector<std::string>{"2222", "3"});
  CHECK(peek(1) == std::vector<std::string>{"44444"});
}

TEST_CASE_FIXTURE(broker_fixture, "a limit that comes later counts what is there, not what was acknowledged") {
  start(1);
  publish_many(300);
  const auto taken = consume(0, 200);
  run();
  settle(settlement::ack, 0, receipts(taken));
  run();
  topic_settings_patch limits;
  limits.max_length = 150;
  limits.overflow = overflow_policy::drop_oldest;
  const auto updated = request<done>([&](auto then) { front().update_topic("n", "t", limits, then); });
  run();
  REQUIRE(updated->ok());
  CHECK(peek(0) == texts(201, 300));
  CHECK(dead().empty());
}

TEST_CASE_FIXTURE(broker_fixture, "a message published with a delay comes when it is over") {
  start(1);
  publish("later", 0, now() + 5 * second);
  const auto waiting = consume(0, 1, 20s);
  run();
  pass(4s);
  CHECK_FALSE(waiting->came());
  pass(1s);
  CHECK(payloads(waiting) == std::vector<std::string>{"later"});
}

TEST_CASE_FIXTURE(broker_fixture, "a time to live ends in the dead letters") {
  topic_settings_patch s;
  s.message_ttl = 2s;
  start(1, s);
  publish_many(2);
  pass(3s);
  CHECK(peek(0).empty());
  REQUIRE(dead().size() == 2);
  CHECK(dead()[0].reason == dead_reason::expired);
}

TEST_CASE_FIXTURE(broker_fixture, "redriven messages begin anew") {
  topic_settings_patch s;
  s.max_deliveries = 1;
  start(1, s);
  publish_many(1);
  const auto taken = consume(0);
  run();
  const auto nacked = settle(settlement::nack, 0, receipts(taken));
  run();
  CHECK((*nacked)->dead_lettered == 1);
  CHECK((*nacked)->count == 0);
  REQUIRE(dead().size() == 1);
  CHECK(dead()[0].deliveries == 1);
  const auto redriven = request<std::uint64_t>([&](auto then) { front().redrive_dead("n", "t", std::nullopt, then); });
  run();
  CHECK(**redriven == 1);
  CHECK(dead().empty());
  const auto again = consume(0);
  run();
  REQUIRE(payloads(again) == texts(1, 1));
  CHECK((*again)->deliveries[0].deliveries == 1);
}
