#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "persistence/format.hpp"
#include "proto/journal.pb.h"

namespace mqlite {

/// One record as persistence/format.hpp lays it out, with a salt of 0: the log writer puts its file's salt in. Throws
/// std::length_error when the record is empty or longer than format::max_record_length.
std::string frame(const journal::Record& record);

/// Fills the first format::record_header_size bytes of `framed`, whose body stands behind them. Throws as frame() does.
void seal_frame(std::span<char> framed);

/// Changes a frame's checksum from salt 0 to `salt`, or back.
void salt_frame(std::span<char> framed, std::uint32_t salt);

/// The checksum that stands in a record's header in a file with this salt.
std::uint32_t record_checksum(std::string_view length_bytes, std::string_view body, std::uint32_t salt);

/// A record's body, framed. Throws as frame() does.
std::string frame_body(std::string_view body);

/// A framed sync mark: the first `synced` bytes of the file it goes into are on the disk.
std::string sync_mark(std::uint64_t synced);

/// What a record's body says as a sync mark; nothing when it is none.
std::optional<std::uint64_t> read_sync_mark(std::string_view body);

/// What stands at the beginning of a log file.
std::string file_header(std::uint32_t salt, std::uint32_t version = format::version);

}  // namespace mqlite
