#pragma once

#include <string_view>

#include "actors/errors.hpp"

namespace mqlite {

/// How a refusal is called on each protocol.
struct error_names {
  std::string_view name;  ///< in JSON and in TCP's Protobuf
  int http;               ///< status
  int grpc;               ///< status code, as gRPC numbers them
};

/// The one table of errors for every protocol.
const error_names& names_of(error_code code) noexcept;

}  // namespace mqlite
