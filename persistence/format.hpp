#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

/// The bytes of a log folder.
///
///   lock                   flock'ed by the process that owns the folder; holds its pid
///   manifest               text: which files are the log, in which order (persistence/manifest.hpp)
///   base-<number>.log      at most one in force: the state as a rewrite found it
///   incr-<number>.log      what happened since, in the order of the manifest
///
/// A log file, all numbers little-endian:
///
///   offset  bytes
///   0       8      magic
///   8       4      format version
///   12      4      salt: random, another one in every file
///   16      4      CRC-32C of bytes 0 to 15
///   20      ...    records, then zeros to the end of the file (it is preallocated)
///
/// A record:
///
///   0       4      length of the body, 1 to max_record_length; 0 ends the log
///   4       4      CRC-32C over the four length bytes and the body, XOR the file's salt
///   8       length body: a serialized journal.Record, or a sync mark
///
/// A sync mark says that a file's beginning was known to be on the disk when the mark was written:
///
///   0       2      7a 08: field 15 of a journal.Record (reserved there), 8 bytes long
///   2       8      how many bytes of this file, from its beginning
///
/// The writer puts one before the first records that it writes after an fsync, and one at the end of a file that it closes. A power
/// cut may lose any sectors that were written since the last fsync and keep others, so a bad record may be followed by good ones.
/// Where no mark in the file vouches for it, and one of its sectors is missing (reads as zeros), it is the beginning of a torn tail;
/// anything else with good records behind it is damage. A base ends with a mark of its own length: without one it is unfinished.
///
/// The salt keeps a payload that looks like a record from being taken for one when a half-written record is examined: whoever
/// sends payloads does not know it.
///
/// If you change this:
///   1. Raise format_version, and keep reading every older version.
///   2. Magic and version stay where they are for ever: an old program must be able to say that a file is too new for it.
///   3. Keep a log folder written by the version before as test data, and a test that reads it.
///   4. mqlite_check shows and repairs what is described here: change it too.
///
/// Versions: 1 had no sync marks. 2 has them.
namespace mqlite::format {

inline constexpr std::string_view magic{"MQLog\r\n\x1a", 8};
inline constexpr std::uint32_t version = 2;
inline constexpr std::size_t file_header_size = 20;
inline constexpr std::size_t record_header_size = 8;

inline constexpr std::uint32_t first_version_with_marks = 2;
inline constexpr std::string_view mark_tag{"\x7a\x08", 2};
inline constexpr std::size_t mark_body_size = 10;
inline constexpr std::size_t mark_size = record_header_size + mark_body_size;

/// What a disk writes whole or not at all, in bytes: larger ones are multiples of it.
inline constexpr std::size_t sector_size = 512;

/// The largest body of a record in bytes; anything longer is damage.
inline constexpr std::uint32_t max_record_length = 256u << 20;

inline constexpr std::string_view manifest_name = "manifest";
inline constexpr std::string_view manifest_draft_name = "manifest.tmp";
inline constexpr std::string_view lock_name = "lock";

}  // namespace mqlite::format
