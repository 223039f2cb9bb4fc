#include "persistence/manifest.hpp"

#include <cstdio>
#include <string>

#include "persistence/crc32c.hpp"
#include "persistence/format.hpp"
#include "test/fuzz/fuzz.hpp"

/// Manifests: what is accepted is written and read again the same, and any change of one byte is noticed.
using namespace mqlite;

namespace {

std::string with_checksum(std::string text) {
  if (!text.empty() && text.back() != '\n') text += '\n';
  char line[32];
  std::snprintf(line, sizeof line, "crc32c %08x\n", crc32c(text));
  return text + line;
}

void check_entry(const manifest_entry& entry, std::string_view prefix) {
  MQLITE_REQUIRE(entry.name.starts_with(prefix) && log_file_number(entry.name));
  MQLITE_REQUIRE(entry.name.find('/') == std::string::npos);
  MQLITE_REQUIRE(entry.state == file_state::open || entry.length >= format::file_header_size);
}

void check(const std::string& text, std::size_t place) {
  const auto read = manifest::parse(text, "manifest");
  if (!read) {
    MQLITE_REQUIRE(!read.error().reason.empty());
    return;
  }
  if (read->base) check_entry(*read->base, "base-");
  for (const auto& entry : read->incrs) check_entry(entry, "incr-");
  const auto again = manifest::parse(read->text(), "manifest");
  MQLITE_REQUIRE(again && *again == *read);
  auto changed = text;
  changed[place % changed.size()] ^= 1;
  MQLITE_REQUIRE(!manifest::parse(changed, "manifest"));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::input in(data, size);
  const auto place = in.byte();
  const std::string text(in.rest());
  check(text, place);
  check(with_checksum(text), place);
  check(with_checksum("mqlite manifest 1\n" + text), place);
  return 0;
}
