#pragma once

#include <string_view>

namespace mqlite {

/// The dashboard as one page, put together from the files in dashboard/.
std::string_view dashboard_text() noexcept;

}  // namespace mqlite
