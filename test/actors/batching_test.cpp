#include "test/actors/broker_fixture.hpp"

// Messages on their way to queues that have plenty already: they go by the batch, and nobody can tell.
using namespace mqlite;
using namespace mqlite::test;
using namespace std::chrono_literals;

namespace {

/// A topic whose queues have plenty: "1" to "4" in each.
class plenty_fixture : public broker_fixture {
 public:
  void start_with_plenty(std::int64_t queues, topic_settings_patch settings = {}) {
    env().plenty = 4;
    env().arrival_batch = 10;
    start(queues, settings);
    for (queue_number q = 0; q < queues; ++q) publish_many(4, q);
    run();
    count_anew();
  }
  /// Publishes "5" and "6", which wait with the topic.
  void publish_waiting(queue_number queue = 0) {
    for (const auto* text : {"5", "6"}) {
      const auto a = publish(text, queue);
      run();
      REQUIRE(a->ok());
    }
    REQUIRE(received<event::arrived>() == 0);
  }
};

}  // namespace

TEST_CASE_FIXTURE(plenty_fixture, "publishes one by one reach a queue that has plenty by the batch, in their order") {
  start_with_plenty(1);
  for (int i = 5; i <= 34; ++i) {
    publish(std::to_string(i));
    run();
  }
  CHECK(received<event::arrived>() == 3);
  CHECK(peek(0) == texts(1, 34));
}

TEST_CASE_FIXTURE(plenty_fixture, "a queue that does not have plenty gets each publish") {
  env().plenty = 4;
  start(1);
  count_anew();
  for (int i = 1; i <= 4; ++i) {
    publish(std::to_string(i));
    run();
    CHECK(received<event::arrived>() == static_cast<std::uint64_t>(i));
  }
}

TEST_CASE_FIXTURE(plenty_fixture, "whoever asks a queue finds what was published before") {
  start_with_plenty(2);
  SUBCASE("consume") {
    publish_waiting();
    const auto found = consume(0, 10);
    run();
    CHECK(payloads(found) == texts(1, 6));
  }
  SUBCASE("consume from any") {
    publish_waiting();
    const auto found = consume(any_queue, 10);
    run();
    REQUIRE(found->ok());
    CHECK((*found)->deliveries.size() == 10);
  }
  SUBCASE("peek") {
    publish_waiting();
    CHECK(peek(0) == texts(1, 6));
  }
  SUBCASE("details") {
    publish_waiting();
    CHECK(details().queues[0].ready == 6);
  }
  SUBCASE("purge") {
    publish_waiting();
    const auto purged = request<std::uint64_t>([&](auto then) { front().purge("n", "t", 0, then); });
    run();
    REQUIRE(purged->ok());
    CHECK(**purged == 6);
    CHECK(peek(0).empty());
  }
  SUBCASE("acknowledge, by way of a sibling too") {
    for (const queue_number asked : {0, 1}) {
      const auto a = publish("x", 0);
      run();
      const auto acked = settle(settlement::ack, asked, {{(*a)->id, 0}});
      run();
      REQUIRE(acked->ok());
      CHECK((*acked)->count == 1);
    }
    CHECK(peek(0) == texts(1, 4));
  }
}

TEST_CASE_FIXTURE(plenty_fixture, "a queue that has run out is sent what waits, unasked and before it steals") {
  topic_settings_patch s;
  SUBCASE("where it may steal") { s.steal = steal_policy::half; }
  SUBCASE("where it may not") { s.steal = steal_policy::off; }
  start_with_plenty(2, s);
  const auto line = subscribe(0, 3, true);
  line.sink->confirming = false;
  run();
  publish_waiting();
  REQUIRE(payloads(line.sink->got) == texts(1, 3));
  count_anew();
  line.sink->confirm();  // there is room for three, and one in the queue
  run();
  CHECK(payloads(line.sink->got) == texts(1, 6));
  CHECK(received<event::arrived>() == 1);
  CHECK(received<rebalance>() == 0);
  line.sink->confirming = true;
  line.sink->confirm();
  run();
  CHECK(line.sink->got.size() == (s.steal == steal_policy::half ? 10 : 6));
  publish("7");  // to a queue that does not have plenty any more
  run();
  CHECK(line.sink->got.back().message->payload() == "7");
}

TEST_CASE_FIXTURE(plenty_fixture, "a queue that was purged, or has given away its last, does not have plenty") {
  start_with_plenty(2);
  SUBCASE("purged") {
    request<std::uint64_t>([&](auto then) { front().purge("n", "t", 0, then); });
  }
  SUBCASE("robbed") {
    const auto most = consume(0, 3);
    const auto own = consume(1, 4);
    run();
    const auto stolen = consume(1, 1, 10s);
    run();
    REQUIRE(payloads(stolen) == texts(4, 4));
  }
  run();
  count_anew();
  publish("5");
  run();
  CHECK(received<event::arrived>() == 1);
}

TEST_CASE_FIXTURE(plenty_fixture, "a starving queue steals what waits with the topic for its sibling") {
  start_with_plenty(2);
  publish_waiting(1);
  const auto own = consume(0, 4);
  const auto stolen = consume(0, 10, 10s);
  run();
  CHECK(payloads(own) == texts(1, 4));
  CHECK(payloads(stolen) == texts(4, 6));  // half of the six
}

TEST_CASE_FIXTURE(plenty_fixture, "what has a time is sent at once, and with it what waits") {
  start_with_plenty(1);
  publish_waiting();
  publish("later", 0, now() + 5 * second);
  run();
  CHECK(received<event::arrived>() == 1);
  CHECK(peek(0, peek_state::delayed) == std::vector<std::string>{"later"});
  publish("more");
  run();
  message_attributes mortal;
  mortal.expires_at = now() + second;
  draft d;
  d.message = message::make("mortal", mortal.encode(), mortal.expires_at);
  d.queue = 0;
  count_anew();
  request<published>([&](auto then) { front().publish("n", "t", std::move(d), then); });
  run();
  CHECK(received<event::arrived>() == 1);
  topic_settings_patch s;
  s.message_ttl = 2s;
  request<done>([&](auto then) { front().update_topic("n", "t", s, then); });
  run();
  count_anew();
  publish("short-lived");
  run();
  CHECK(received<event::arrived>() == 1);
  pass(3s);
  CHECK(dead().size() == 10);  // all of them, and nobody has asked the queue
}

TEST_CASE_FIXTURE(plenty_fixture, "a queue that a resize drops takes along what waits with the topic") {
  start_with_plenty(2);
  publish_waiting(1);
  request<resized>([&](auto then) { front().resize_topic("n", "t", 1, then); });
  run();
  pass(40s);
  REQUIRE(details().queues.size() == 1);
  CHECK(details().queues[0].ready == 10);
}

TEST_CASE_FIXTURE(plenty_fixture, "a full topic drops the oldest, with what waits among them") {
  topic_settings_patch limits;
  limits.max_length = 12;
  limits.overflow = overflow_policy::drop_oldest;
  start_with_plenty(1, limits);
  for (int i = 5; i <= 15; ++i) {
    publish(std::to_string(i));
    run();
  }
  CHECK(peek(0) == texts(4, 15));
}

TEST_CASE_FIXTURE(plenty_fixture, "queues have plenty after a start too") {
  start_with_plenty(1);
  publish_waiting();
  broker_fixture again;
  again.env().plenty = 4;
  again.start_from(replayed(script->records, now()));
  again.count_anew();
  const auto a = again.publish("7");
  again.run();
  REQUIRE(a->ok());
  CHECK(again.received<event::arrived>() == 0);
  CHECK(again.peek(0) == texts(1, 7));
}
