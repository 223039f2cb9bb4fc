#include "protocols/tcp/json_requests.hpp"

#include <limits>

#include "protocols/translate/names.hpp"

namespace mqlite::tcp {
namespace {

constexpr std::string_view fields_of_requests[] = {"namespace",     "topic", "name",  "queue_id", "auto_ack",
                                                   "max_in_flight", "limit", "state", "token",    "topics"};

/// The fields that HTTP has in its paths and queries.
class data_fields : public json_fields {
 public:
  explicit data_fields(std::string_view object) : json_fields(object, fields_of_requests) {}

  std::string required_name(std::string_view field) {
    if (!has(field)) refuse("`" + std::string(field) + "` is required");
    auto name = string(field).value_or("");
    if (auto problem = name_problem(field, name)) refuse(std::move(problem->text));
    return name;
  }

  template <class Request>
  Request at_topic(std::string_view topic_field = "topic") {
    Request request;
    request.name_space = required_name("namespace");
    request.topic = required_name(topic_field);
    return request;
  }
  template <class Request>
  Request at_queue() {
    auto request = at_topic<Request>();
    request.queue = read_queue(*this, 0);
    return request;
  }
  /// Where any_queue makes no sense.
  template <class Request>
  Request at_one_queue() {
    auto request = at_queue<Request>();
    if (request.queue == any_queue) refuse(range_text("queue_id", 0, std::numeric_limits<std::int64_t>::max()));
    return request;
  }

  std::size_t limit() { return static_cast<std::size_t>(integer("limit", 1, most_limit).value_or(usual_limit)); }

  template <class Request>
  outcome<Request> result(Request request) {
    if (refusal()) return *refusal();
    return request;
  }
};

/// `request`, completed by `fill` with what one of the shared readers found.
template <class Request, class Read, class Fill>
outcome<Request> completed(data_fields& fields, Request request, Read read, Fill fill) {
  if (fields.refusal()) return *fields.refusal();
  auto rest = read();
  if (!rest) return std::move(rest.why());
  fill(request, std::move(*rest));
  return request;
}

template <class Request>
outcome<Request> only_topic(std::string_view object, std::string_view topic_field) {
  data_fields fields(object);
  return fields.result(fields.at_topic<Request>(topic_field));
}

}  // namespace

// -- namespaces and topics ------------------------------------------------------------------------------------------------------

template <>
outcome<request::create_namespace> read_json(std::string_view object, const publish_terms&) {
  data_fields fields(object);
  return fields.result(request::create_namespace{fields.required_name("name")});
}

template <>
outcome<request::delete_namespace> read_json(std::string_view object, const publish_terms&) {
  data_fields fields(object);
  return fields.result(request::delete_namespace{fields.required_name("name")});
}

template <>
outcome<request::list_namespaces> read_json(std::string_view, const publish_terms&) {
  return request::list_namespaces{};
}

template <>
outcome<request::create_topic> read_json(std::string_view object, const publish_terms&) {
  data_fields fields(object);
  return completed(
      fields, fields.at_topic<request::create_topic>("name"), [&] { return read_create_topic(object); },
      [](auto& request, create_topic_request read) {
        request.queue_count = read.queue_count;
        request.settings = read.settings;
      });
}

template <>
outcome<request::delete_topic> read_json(std::string_view object, const publish_terms&) {
  return only_topic<request::delete_topic>(object, "name");
}

template <>
outcome<request::list_topics> read_json(std::string_view object, const publish_terms&) {
  data_fields fields(object);
  return fields.result(request::list_topics{fields.required_name("namespace")});
}

template <>
outcome<request::get_topic> read_json(std::string_view object, const publish_terms&) {
  return only_topic<request::get_topic>(object, "name");
}

template <>
outcome<request::update_topic> read_json(std::string_view object, const publish_terms&) {
  data_fields fields(object);
  return completed(
      fields, fields.at_topic<request::update_topic>("name"), [&] { return read_topic_settings(object); },
      [](auto& request, topic_settings_patch settings) { request.settings = settings; });
}

template <>
outcome<request::resize_topic> read_json(std::string_view object, const publish_terms&) {
  data_fields fields(object);
  return completed(
      fields, fields.at_topic<request::resize_topic>("name"), [&] { return read_resize(object); },
      [](auto& request, std::int64_t count) { request.queue_count = count; });
}

template <>
outcome<request::rebalance_topic> read_json(std::string_view object, const publish_terms&) {
  return only_topic<request::rebalance_topic>(object, "name");
}

// -- messages -------------------------------------------------------------------------------------------------------------------

template <>
outcome<request::publish> read_json(std::string_view object, const publish_terms& terms) {
  data_fields fields(object);
  return completed(
      fields, fields.at_topic<request::publish>(), [&] { return read_publish(object, terms); },
      [](auto& request, draft message) { request.message = std::move(message); });
}

template <>
outcome<request::publish_batch> read_json(std::string_view object, const publish_terms& terms) {
  data_fields fields(object);
  return completed(
      fields, fields.at_topic<request::publish_batch>(), [&] { return read_publish_batch(object, terms); },
      [](auto& request, std::vector<outcome<draft>> messages) { request.messages = std::move(messages); });
}

template <>
outcome<request::consume> read_json(std::string_view object, const publish_terms&) {
  data_fields fields(object);
  return completed(
      fields, fields.at_queue<request::consume>(), [&] { return read_consume(object); },
      [](auto& request, consume_options options) { request.options = options; });
}

template <>
outcome<request::subscribe> read_json(std::string_view object, const publish_terms&) {
  data_fields fields(object);
  auto request = fields.at_queue<request::subscribe>();
  request.auto_ack = fields.boolean("auto_ack").value_or(false);
  request.max_in_flight =
      static_cast<std::size_t>(fields.integer("max_in_flight", 1, most_in_flight).value_or(usual_in_flight));
  return fields.result(std::move(request));
}

template <>
outcome<request::unsubscribe> read_json(std::string_view object, const publish_terms&) {
  data_fields fields(object);
  return fields.result(fields.at_queue<request::unsubscribe>());
}

outcome<request::settle> read_json_settle(std::string_view object, settlement what) {
  data_fields fields(object);
  auto request = fields.at_queue<request::settle>();
  request.what = what;
  return completed(
      fields, std::move(request), [&] { return read_settle(object, what); },
      [](auto& filled, settle_request read) {
        filled.messages = std::move(read.messages);
        filled.value = read.value;
      });
}

template <>
outcome<request::peek> read_json(std::string_view object, const publish_terms&) {
  data_fields fields(object);
  auto request = fields.at_one_queue<request::peek>();
  request.limit = fields.limit();
  if (const auto i = fields.choice("state", peek_choices)) request.state = static_cast<peek_state>(*i);
  return fields.result(std::move(request));
}

template <>
outcome<request::purge> read_json(std::string_view object, const publish_terms&) {
  data_fields fields(object);
  return fields.result(fields.at_one_queue<request::purge>());
}

// -- dead letters ---------------------------------------------------------------------------------------------------------------

template <>
outcome<request::list_dead> read_json(std::string_view object, const publish_terms&) {
  data_fields fields(object);
  auto request = fields.at_topic<request::list_dead>();
  request.limit = fields.limit();
  return fields.result(std::move(request));
}

template <>
outcome<request::redrive_dead> read_json(std::string_view object, const publish_terms&) {
  data_fields fields(object);
  return completed(
      fields, fields.at_topic<request::redrive_dead>(), [&] { return read_redrive(object); },
      [](auto& request, std::optional<std::vector<message_id>> ids) { request.ids = std::move(ids); });
}

template <>
outcome<request::purge_dead> read_json(std::string_view object, const publish_terms&) {
  return only_topic<request::purge_dead>(object, "topic");
}

// -- the broker -----------------------------------------------------------------------------------------------------------------

template <>
outcome<request::stats> read_json(std::string_view object, const publish_terms&) {
  data_fields fields(object);
  return fields.result(request::stats{fields.boolean("topics").value_or(false)});
}

template <>
outcome<request::ping> read_json(std::string_view, const publish_terms&) {
  return request::ping{};
}

template <>
outcome<request::auth> read_json(std::string_view object, const publish_terms&) {
  data_fields fields(object);
  return fields.result(request::auth{fields.string("token").value_or("")});
}

}  // namespace mqlite::tcp
