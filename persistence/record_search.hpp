#pragma once

#include <cstdint>
#include <optional>

#include "persistence/file_system.hpp"

namespace mqlite {

/// The offset of the first good record that begins at or after `from` and ends at or before `limit`, in a file with this salt:
/// nothing when there is none.
///
/// Looks at every byte. A place counts as a candidate when its length is possible and its body is one Protobuf field that ends
/// where the record ends; only candidates are checksummed. Where that alone becomes too much work (somebody's payloads imitate
/// candidates by the million), the first candidate left is returned unchecked: better to stop a start than to throw records away.
io_result<std::optional<std::uint64_t>> search_record(readable_file& from_file, std::uint64_t from, std::uint64_t limit,
                                                      std::uint32_t salt);

}  // namespace mqlite
