#pragma once

#include <optional>
#include <string_view>

#include "actors/errors.hpp"

namespace mqlite {

/// Whether `name` can be the name of a namespace or topic: 1 to 255 characters of A-Z a-z 0-9 . _ -, not starting with . or -.
bool is_name(std::string_view name) noexcept;

/// Nothing, or INVALID_ARGUMENT; `what` is the field, as in "topic".
std::optional<failure> name_problem(std::string_view what, std::string_view name);

}  // namespace mqlite
