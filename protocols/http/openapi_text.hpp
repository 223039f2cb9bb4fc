#pragma once

#include <string_view>

namespace mqlite {

/// The interface as an OpenAPI 3.1 document; from openapi.json beside this file.
std::string_view openapi_text() noexcept;

}  // namespace mqlite
