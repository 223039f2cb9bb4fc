#include "daemon/release_policy.hpp"

#include <doctest/doctest.h>

namespace {

constexpr std::size_t mib = std::size_t{1} << 20;

}  // namespace

TEST_CASE("what was free twice in a row goes back, but for a reserve") {
  mqlite::release_policy policy;
  CHECK(policy.look(1000 * mib, 20 * mib) == 0);
  CHECK(policy.look(900 * mib, 20 * mib) == (900 - 32) * mib);
  CHECK(policy.look(32 * mib, 100 * mib) == 0);
}

TEST_CASE("the reserve is larger where more is in use") {
  mqlite::release_policy policy;
  policy.look(500 * mib, 800 * mib);
  CHECK(policy.look(500 * mib, 800 * mib) == 400 * mib);
}

TEST_CASE("memory that is needed again and again stays") {
  mqlite::release_policy policy;
  for (int i = 0; i < 10; ++i) {
    CHECK(policy.look(900 * mib, 100 * mib) == 0);
    CHECK(policy.look(10 * mib, 990 * mib) == 0);
  }
}

TEST_CASE("what was given back counts as free no more") {
  mqlite::release_policy policy;
  policy.look(1032 * mib, 0);
  CHECK(policy.look(1032 * mib, 0) == 1000 * mib);
  CHECK(policy.look(500 * mib, 0) == 0);  // others have been freed since
  CHECK(policy.look(500 * mib, 0) == 468 * mib);
}

TEST_CASE("a small heap gives nothing back") {
  mqlite::release_policy policy;
  policy.look(60 * mib, 4 * mib);
  CHECK(policy.look(60 * mib, 4 * mib) == 0);
}
