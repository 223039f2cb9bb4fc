#include "protocols/tcp/frame.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "protocols/tcp/command.hpp"
#include "test/fuzz/fuzz.hpp"
#include "test/fuzz/quiet_protobuf.hpp"

/// A connection's bytes are cut into the same frames however they arrive, and a frame that was read is written back the same.
using namespace mqlite;
using namespace mqlite::tcp;

namespace {

using kind = frame_step::kind;

constexpr std::uint64_t most_bytes = 1000;

struct seen {
  kind what;
  std::string payload;
  std::size_t size;
  bool operator==(const seen&) const = default;
};

void check_written_back(const frame_step& step, length_count count, std::string_view held) {
  std::string again;
  frame_writer frame(again, step.as);
  again += step.payload;
  frame.finish(count);
  MQLITE_REQUIRE(again == held.substr(0, step.size));
}

void check(const frame_step& step, const frame_reader& frames, std::string_view held) {
  MQLITE_REQUIRE(step.size > 0 && step.size <= held.size());
  if (step.what == kind::bad) {
    MQLITE_REQUIRE(step.why.code == error_code::invalid_argument && !step.why.text.empty());
    return;
  }
  MQLITE_REQUIRE(!step.payload.empty() && step.payload.size() <= most_bytes);
  check_written_back(step, frames.count(), held);
}

/// What a peer would be told whose bytes arrive in pieces of this size, and then no more.
std::vector<seen> read(std::string_view stream, std::size_t piece) {
  frame_reader frames(most_bytes, is_document);
  std::vector<seen> result;
  std::string held;
  for (;;) {
    const auto step = frames.next(held);
    if (step.what == kind::fatal) {
      MQLITE_REQUIRE(step.why.code == error_code::too_large);
      result.push_back({step.what, {}, 0});
      return result;
    }
    if (step.what == kind::incomplete || step.what == kind::ambiguous) {
      if (!stream.empty()) {
        held += stream.substr(0, piece);
        stream.remove_prefix(std::min(piece, stream.size()));
      } else if (step.what == kind::ambiguous) {
        frames.settle();
      } else {
        return result;
      }
      continue;
    }
    check(step, frames, held);
    result.push_back({step.what, std::string(step.payload), step.size});
    held.erase(0, step.size);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::input in(data, size);
  const auto piece = 1 + in.byte() % 16;
  const auto whole = read(in.rest(), std::max<std::size_t>(in.rest().size(), 1));
  MQLITE_REQUIRE(whole == read(in.rest(), piece));
  return 0;
}
