#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "actors/operations.hpp"
#include "protocols/http/exchange.hpp"

/// What handlers take from a request's path, query and body. Where something is wrong these answer the request themselves and give
/// nothing.
namespace mqlite {

/// What the path of a request names; the texts are the request's own.
struct path_names {
  std::string_view name_space;
  std::string_view topic;
  queue_number queue = any_queue;
};

/// Of paths `/v1/namespaces/{ns}`, `.../topics/{t}` and `.../queues/{q}`.
std::optional<path_names> namespace_in_path(exchange& x);
std::optional<path_names> topic_in_path(exchange& x);
std::optional<path_names> queue_in_path(exchange& x);

/// The body's object, `{}` for an empty body.
std::optional<std::string_view> object_in_body(exchange& x);

/// The value of a query parameter, decoded; nothing when it is absent. Of a repeated one the last counts.
std::optional<std::string> query_value(const http_request& request, std::string_view name);

/// A whole number in the query; `value` stays as it is when the parameter is absent. False: refused.
bool read_query(exchange& x, std::string_view name, std::int64_t least, std::int64_t most, std::int64_t& value);
/// `true`, `false`, `1` or `0` in the query.
bool read_query(exchange& x, std::string_view name, bool& value);

}  // namespace mqlite
