#include "protocols/translate/error_names.hpp"

#include <cstddef>
#include <iterator>

namespace mqlite {

const error_names& names_of(error_code code) noexcept {
  static constexpr error_names table[] = {
      {"INVALID_ARGUMENT", 400, 3}, {"UNAUTHENTICATED", 401, 16},   {"PERMISSION_DENIED", 403, 7},
      {"NOT_FOUND", 404, 5},        {"ALREADY_EXISTS", 409, 6},     {"FAILED_PRECONDITION", 409, 9},
      {"TOO_LARGE", 413, 8},        {"RESOURCE_EXHAUSTED", 429, 8}, {"UNAVAILABLE", 503, 14},
      {"INTERNAL", 500, 13},
  };
  const auto index = static_cast<std::size_t>(code);
  return index < std::size(table) ? table[index] : table[std::size(table) - 1];
}

}  // namespace mqlite
