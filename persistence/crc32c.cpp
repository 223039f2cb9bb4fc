#include "persistence/crc32c.hpp"

#include <algorithm>

#include <isa-l/crc.h>

namespace mqlite {

std::uint32_t crc32c(std::string_view bytes, std::uint32_t before) {
  constexpr std::size_t largest_call = 1u << 30;  // the library counts in int
  auto crc = ~before;
  while (!bytes.empty()) {
    auto part = bytes.substr(0, std::min(bytes.size(), largest_call));
    // The library takes a non-const pointer but only reads.
    auto* from = reinterpret_cast<unsigned char*>(const_cast<char*>(part.data()));
    crc = crc32_iscsi(from, static_cast<int>(part.size()), crc);
    bytes.remove_prefix(part.size());
  }
  return ~crc;
}

}  // namespace mqlite
