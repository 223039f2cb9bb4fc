#pragma once

#include <string_view>

#include "protocols/translate/operation_requests.hpp"

/// The `data` of JSON commands. Objects were checked by json_object_in(); the fields besides the names of what is meant are those
/// of HTTP bodies and queries.
namespace mqlite::tcp {

/// Reads one kind of request.
template <class Request>
outcome<Request> read_json(std::string_view object, const publish_terms& terms);
template <>
outcome<request::create_namespace> read_json(std::string_view object, const publish_terms& terms);
template <>
outcome<request::delete_namespace> read_json(std::string_view object, const publish_terms& terms);
template <>
outcome<request::list_namespaces> read_json(std::string_view object, const publish_terms& terms);
template <>
outcome<request::create_topic> read_json(std::string_view object, const publish_terms& terms);
template <>
outcome<request::delete_topic> read_json(std::string_view object, const publish_terms& terms);
template <>
outcome<request::list_topics> read_json(std::string_view object, const publish_terms& terms);
template <>
outcome<request::get_topic> read_json(std::string_view object, const publish_terms& terms);
template <>
outcome<request::update_topic> read_json(std::string_view object, const publish_terms& terms);
template <>
outcome<request::resize_topic> read_json(std::string_view object, const publish_terms& terms);
template <>
outcome<request::rebalance_topic> read_json(std::string_view object, const publish_terms& terms);
template <>
outcome<request::publish> read_json(std::string_view object, const publish_terms& terms);
template <>
outcome<request::publish_batch> read_json(std::string_view object, const publish_terms& terms);
template <>
outcome<request::consume> read_json(std::string_view object, const publish_terms& terms);
template <>
outcome<request::subscribe> read_json(std::string_view object, const publish_terms& terms);
template <>
outcome<request::unsubscribe> read_json(std::string_view object, const publish_terms& terms);
template <>
outcome<request::peek> read_json(std::string_view object, const publish_terms& terms);
template <>
outcome<request::purge> read_json(std::string_view object, const publish_terms& terms);
template <>
outcome<request::list_dead> read_json(std::string_view object, const publish_terms& terms);
template <>
outcome<request::redrive_dead> read_json(std::string_view object, const publish_terms& terms);
template <>
outcome<request::purge_dead> read_json(std::string_view object, const publish_terms& terms);
template <>
outcome<request::stats> read_json(std::string_view object, const publish_terms& terms);
template <>
outcome<request::ping> read_json(std::string_view object, const publish_terms& terms);
template <>
outcome<request::auth> read_json(std::string_view object, const publish_terms& terms);

/// Ack, nack and extend have one request.
outcome<request::settle> read_json_settle(std::string_view object, settlement what);

}  // namespace mqlite::tcp
