#include "actors/log/records.hpp"
#include "test/actors/broker_fixture.hpp"

using namespace mqlite;
using namespace mqlite::test;
using namespace std::chrono_literals;

// What is done to more messages than one record may name.
namespace {

constexpr int many = 2 * records::most_ids + 1;

struct parts_fixture : broker_fixture {
  std::size_t records_of(const std::function<void()>& act) {
    const auto before = script->records.size();
    act();
    run();
    return script->records.size() - before;
  }
  template <class Act>
  answer_ptr<std::uint64_t> counted(Act act) {
    return request<std::uint64_t>(act);
  }
  std::size_t ready() { return details().queues.at(0).ready; }
};

}  // namespace

TEST_CASE_FIXTURE(parts_fixture, "a purge takes as many records as it needs, and answers once") {
  start(1);
  publish_many(many);
  answer_ptr<std::uint64_t> purged;
  const auto records = records_of([&] { purged = counted([&](auto then) { front().purge("n", "t", 0, then); }); });
  CHECK(records == 3);
  REQUIRE(purged->ok());
  CHECK(**purged == many);
  CHECK(ready() == 0);
}

TEST_CASE_FIXTURE(parts_fixture, "of a purge whose second record fails the first part is gone, and the rest stays") {
  start(1);
  publish_many(many);
  script->holding = true;
  const auto purged = counted([&](auto then) { front().purge("n", "t", 0, then); });
  run();
  REQUIRE(script->waiting.size() == 3);
  script->release(1);
  script->fail_waiting();
  script->holding = false;
  run();
  CHECK(purged->code() == error_code::unavailable);
  CHECK(ready() == many - records::most_ids);
}

TEST_CASE_FIXTURE(parts_fixture, "what expires at once is buried, redriven and purged in parts") {
  topic_settings_patch settings;
  settings.message_ttl = 1s;
  start(1, settings);
  publish_many(many);
  CHECK(records_of([&] { scheduler().advance_time(2s); }) == 3);
  CHECK(details().dead == many);

  answer_ptr<std::uint64_t> redriven, purged;
  auto redrive = [&] { redriven = counted([&](auto then) { front().redrive_dead("n", "t", std::nullopt, then); }); };
  CHECK(records_of(redrive) == 3);
  REQUIRE(redriven->ok());
  CHECK(**redriven == many);
  CHECK(ready() == many);

  publish_many(many);
  scheduler().advance_time(2s);
  run();
  CHECK(records_of([&] { purged = counted([&](auto then) { front().purge_dead("n", "t", then); }); }) == 3);
  REQUIRE(purged->ok());
  CHECK(**purged == many);
}
