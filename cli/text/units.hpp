#pragma once

#include <chrono>
#include <cstdint>
#include <string>

/// Numbers as people read them.
namespace mqlite::cli {

/// 1234567 as "1,234,567".
std::string count_text(std::int64_t count);

/// "1023 B", "1.5 KB", "20.0 MB": powers of 1024.
std::string bytes_text(std::int64_t bytes);

/// "250ms", "1.5s", "30s", "2m 5s", "3h 10m", "4d 2h".
std::string duration_text(std::chrono::milliseconds duration);

/// How often a second: "0", "0.3", "12", "1,234".
std::string rate_text(double per_second);

/// A time in unix nanoseconds as "2026-11-23 22:11:15.123", in the local time zone.
std::string time_text(std::int64_t nanoseconds);

}  // namespace mqlite::cli
