#pragma once

#include <string_view>

#include "protocols/translate/operation_requests.hpp"

/// The `data` of JSON commands. Objects were checked by json_object_in(); the fields besides the names of what is meant are those
/// of HTTP bodies and queries.
namespace mqlite::tcp {

/// Reads one kind of request.
template <class Request>
outcome<Request> read_json(std::string_view object, const publish_terms& terms);

/// Ack, nack and extend have one request.
outcome<request::settle> read_json_settle(std::string_view object, settlement what);

}  // namespace mqlite::tcp
