#pragma once

#include <cstdint>
#include <string_view>

namespace mqlite {

/// CRC-32C (Castagnoli, as in RFC 3720 appendix B.4) of `bytes`; `before` is the CRC of what comes before them, 0 for nothing.
std::uint32_t crc32c(std::string_view bytes, std::uint32_t before = 0);

}  // namespace mqlite
