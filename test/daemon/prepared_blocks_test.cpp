#include "daemon/prepared_blocks.hpp"

#include <doctest/doctest.h>

#include <cstdint>
#include <cstring>
#include <set>
#include <thread>
#include <vector>

namespace {

using blocks = mqlite::prepared_blocks;

/// Takes until it has been given `count`.
std::vector<void*> take(blocks& from, std::size_t count) {
  std::vector<void*> taken;
  while (taken.size() < count) {
    if (auto* one = from.take(); one != nullptr)
      taken.push_back(one);
    else
      std::this_thread::yield();
  }
  return taken;
}

/// A thread that prepares.
class preparer {
 public:
  explicit preparer(blocks& all) : all_(all), thread_([&all] { all.run(); }) {}
  ~preparer() {
    all_.end();
    thread_.join();
  }
  preparer(const preparer&) = delete;
  preparer& operator=(const preparer&) = delete;

 private:
  blocks& all_;
  std::thread thread_;
};

}  // namespace

TEST_CASE("nothing is ready where nobody prepares") {
  blocks none;
  CHECK(none.take() == nullptr);
  CHECK(none.take() == nullptr);
}

TEST_CASE("who takes in a row is given blocks of its own, aligned and empty") {
  blocks all;
  const preparer one(all);
  const auto taken = take(all, 40);  // more than the system is asked for at once
  CHECK(std::set<void*>(taken.begin(), taken.end()).size() == taken.size());
  const std::vector<char> empty(blocks::size, 0);
  for (auto* block : taken) {
    CHECK(reinterpret_cast<std::uintptr_t>(block) % blocks::size == 0);
    CHECK(std::memcmp(block, empty.data(), blocks::size) == 0);
    std::memset(block, 1, blocks::size);  // those that come later are empty still: they do not overlap
  }
}

TEST_CASE("what is ready stays so when its preparer has ended, and another may go on") {
  blocks all;
  {
    const preparer one(all);
    take(all, 1);
  }
  {
    const preparer two(all);
    CHECK(take(all, 5).size() == 5);
  }
}

TEST_CASE("an end that comes before the run is one") {
  blocks all;
  all.end();
  all.run();
  CHECK(all.take() == nullptr);
}
