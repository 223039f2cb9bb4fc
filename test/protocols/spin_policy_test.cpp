#include "protocols/net/spin_policy.hpp"

#include <doctest/doctest.h>

namespace mqlite {
namespace {

constexpr std::size_t small = 4'000;
constexpr std::size_t large = 4'096;

const int peers[2] = {};
const void* const one = &peers[0];
const void* const other = &peers[1];

/// Has `peer` send alone until that is known.
void settle(spin_policy& policy, const void* peer) {
  for (int i = 0; i < 17; ++i) {
    policy.heard(peer, small);
    policy.spins();
  }
}

/// Waits until the next look.
int waits_without_a_look(spin_policy& policy) {
  int waits = 0;
  while (waits < 1'000 && !policy.spins()) ++waits;
  return waits;
}

/// Looks that find nothing, up to the first one that is not paid for.
int failures(spin_policy& policy) {
  int looks = 0;
  while (looks < 1'000 && policy.spins()) {
    policy.found_nothing();
    ++looks;
  }
  return looks;
}

}  // namespace

TEST_CASE("while no peer has sent, a loop does not look for events") {
  spin_policy policy;
  CHECK(failures(policy) == 0);
}

TEST_CASE("a loop looks for the next request of a peer that is alone, and not of peers that take turns") {
  spin_policy policy;
  for (int i = 0; i < 16; ++i) {
    policy.heard(one, small);
    CHECK_FALSE(policy.spins());
  }
  policy.heard(one, small);
  CHECK(policy.spins());
  policy.heard(other, small);
  CHECK_FALSE(policy.spins());
  for (int i = 0; i < 100; ++i) {
    policy.heard(i % 2 == 0 ? one : other, small);
    CHECK_FALSE(policy.spins());
  }
  settle(policy, other);
  CHECK(policy.spins());
}

TEST_CASE("behind a large burst a loop looks, whoever sent it, and until the next burst is small") {
  spin_policy policy;
  policy.heard(one, large / 2);
  policy.heard(other, large / 2);
  CHECK(policy.spins());
  policy.found();
  CHECK(policy.spins());  // woken by something else than a peer
  policy.found();
  policy.heard(one, small);
  CHECK_FALSE(policy.spins());
}

TEST_CASE("a look that finds nothing is paid for by four that did with a small burst, and by one with a large one") {
  spin_policy policy;
  settle(policy, one);
  for (int i = 0; i < 8; ++i) policy.found();
  CHECK(failures(policy) == 3);

  spin_policy busy;
  busy.heard(one, large);
  for (int i = 0; i < 8; ++i) busy.found();
  CHECK(failures(busy) == 9);
}

TEST_CASE("credit has a limit") {
  spin_policy policy;
  settle(policy, one);
  for (int i = 0; i < 1'000; ++i) policy.found();
  CHECK(failures(policy) == 5);
}

TEST_CASE("without credit a loop looks rarely, and begins again when that finds something") {
  spin_policy policy;
  settle(policy, one);
  CHECK(failures(policy) == 1);
  CHECK(waits_without_a_look(policy) == 31);
  policy.found_nothing();
  CHECK(waits_without_a_look(policy) == 32);
  for (int i = 0; i < 8; ++i) policy.found();
  CHECK(failures(policy) == 3);
}

}  // namespace mqlite
