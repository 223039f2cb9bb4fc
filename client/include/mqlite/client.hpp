#pragma once

/// The whole client library. See connection.hpp for programs, interfaces.hpp for actors.
#include "mqlite/client/connection.hpp"
#include "mqlite/client/interfaces.hpp"
