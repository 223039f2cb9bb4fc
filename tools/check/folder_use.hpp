#pragma once

#include <filesystem>
#include <optional>

namespace mqlite::check {

/// The pid of the broker that holds the folder's lock; 0 where somebody holds it but the system does not say who. Found out without
/// taking the lock, so that a broker can start meanwhile.
std::optional<int> user_of(const std::filesystem::path& folder);

}  // namespace mqlite::check
