#pragma once

#include <optional>
#include <string_view>

#include "actors/errors.hpp"
#include "actors/topic_settings.hpp"

/// What names and settings are allowed, whichever way they come in.
namespace mqlite {

/// Why a text cannot be the name of a `kind` (namespace, topic): names have 1 to 255 characters of A-Z a-z 0-9 . _ - and do not
/// begin with . or -.
std::optional<failure> bad_name(std::string_view kind, std::string_view name);

/// Why settings make no sense, if they do not.
std::optional<failure> bad_settings(const topic_settings& settings);

}  // namespace mqlite
