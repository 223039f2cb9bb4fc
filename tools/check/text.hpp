#pragma once

#include <cstdint>
#include <string>
#include <string_view>

/// How numbers and times are printed.
namespace mqlite::check {

/// `1 record`, `2 records`.
std::string counted(std::uint64_t count, std::string_view noun);

/// Unix nanoseconds as `2026-11-23T08:30:08.153Z`.
std::string time_text(std::int64_t nanoseconds);

/// Now, as unix nanoseconds.
std::int64_t now();

}  // namespace mqlite::check
