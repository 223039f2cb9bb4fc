#include "protocols/tcp/placement.hpp"

#include <doctest/doctest.h>

#include <thread>
#include <vector>

namespace mqlite::tcp {

TEST_CASE("a connection joins those on an earlier loop, and stays where there are none") {
  placement places(3);
  CHECK(places.enter(2) == 2);
  CHECK(places.enter(1) == 1);
  CHECK(places.enter(2) == 1);
  CHECK(places.enter(0) == 0);
  CHECK(places.enter(2) == 0);
  places.leave(0);
  places.leave(0);
  CHECK(places.enter(2) == 1);
}

TEST_CASE("a loop gets no more than its share from others, and is crowded when its own make it more") {
  placement places(2);
  CHECK(places.stay(0) == 0);
  for (std::size_t i = 1; i < placement::most; ++i) CHECK(places.enter(1) == 0);
  CHECK(places.enter(1) == 1);
  CHECK_FALSE(places.crowded(0));
  CHECK(places.enter(0) == 0);
  CHECK(places.crowded(0));
  places.leave(0);
  CHECK_FALSE(places.crowded(0));
}

TEST_CASE("connections of several threads fill a loop and never crowd it") {
  placement places(2);
  places.stay(0);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 2'000; ++i) {
        std::vector<std::size_t> entered;
        for (int n = 0; n < 20; ++n) entered.push_back(places.enter(1));
        CHECK_FALSE(places.crowded(0));
        for (const auto loop : entered) places.leave(loop);
      }
    });
  for (auto& thread : threads) thread.join();
  for (std::size_t i = 1; i < placement::most; ++i) CHECK(places.enter(1) == 0);  // all places are free again
  CHECK(places.enter(1) == 1);
}

}  // namespace mqlite::tcp
