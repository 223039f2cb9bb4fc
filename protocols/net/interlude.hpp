#pragma once

#include <functional>

namespace mqlite {

/// What a loop runs between two bursts of events. What it returns, unless null, is run next: it waits for something else than events,
/// and must not throw.
using interlude = std::function<std::function<void()>()>;

}  // namespace mqlite
