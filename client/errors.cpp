#include "mqlite/client/errors.hpp"

#include <iterator>

namespace mqlite::client {

std::string_view name_of(errc code) noexcept {
  static constexpr std::string_view names[] = {"OK",
                                               "INVALID_ARGUMENT",
                                               "UNAUTHENTICATED",
                                               "PERMISSION_DENIED",
                                               "NOT_FOUND",
                                               "ALREADY_EXISTS",
                                               "FAILED_PRECONDITION",
                                               "TOO_LARGE",
                                               "RESOURCE_EXHAUSTED",
                                               "UNAVAILABLE",
                                               "INTERNAL"};
  const auto index = static_cast<std::size_t>(code);
  return index < std::size(names) ? names[index] : names[std::size(names) - 1];
}

}  // namespace mqlite::client
