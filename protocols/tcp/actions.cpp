#include "protocols/tcp/actions.hpp"

#include <algorithm>
#include <iterator>

#include "protocols/tcp/json_requests.hpp"
#include "protocols/translate/proto_requests.hpp"

namespace mqlite::tcp {
namespace {

template <class Request>
outcome<any_request> widened(outcome<Request> read) {
  if (!read) return std::move(read.why());
  return any_request(std::move(*read));
}

template <class Request>
outcome<any_request> from_json(std::string_view data, const publish_terms& terms) {
  return widened(read_json<Request>(data, terms));
}

template <settlement What>
outcome<any_request> settle_from_json(std::string_view data, const publish_terms&) {
  return widened(read_json_settle(data, What));
}

/// `Get` is the accessor of the command's field.
template <auto Get>
outcome<any_request> from_proto(const v1::TCPCommand& in, const publish_terms& terms) {
  const auto& request = (in.*Get)();
  if constexpr (requires { read_request(request, terms); })
    return widened(read_request(request, terms));
  else
    return widened(read_request(request));
}

using c = v1::TCPCommand;

// Sorted by name.
constexpr action actions[] = {
    {"ack", c::kAck, false, settle_from_json<settlement::ack>, from_proto<&c::ack>},
    {"auth", c::kAuth, true, from_json<request::auth>, from_proto<&c::auth>},
    {"consume", c::kConsume, false, from_json<request::consume>, from_proto<&c::consume>},
    {"create_namespace", c::kCreateNamespace, false, from_json<request::create_namespace>,
     from_proto<&c::create_namespace>},
    {"create_topic", c::kCreateTopic, false, from_json<request::create_topic>, from_proto<&c::create_topic>},
    {"delete_namespace", c::kDeleteNamespace, false, from_json<request::delete_namespace>,
     from_proto<&c::delete_namespace>},
    {"delete_topic", c::kDeleteTopic, false, from_json<request::delete_topic>, from_proto<&c::delete_topic>},
    {"extend", c::kExtend, false, settle_from_json<settlement::extend>, from_proto<&c::extend>},
    {"get_topic", c::kGetTopic, false, from_json<request::get_topic>, from_proto<&c::get_topic>},
    {"list_dead", c::kListDead, false, from_json<request::list_dead>, from_proto<&c::list_dead>},
    {"list_namespaces", c::kListNamespaces, true, from_json<request::list_namespaces>, from_proto<&c::list_namespaces>},
    {"list_topics", c::kListTopics, false, from_json<request::list_topics>, from_proto<&c::list_topics>},
    {"nack", c::kNack, false, settle_from_json<settlement::nack>, from_proto<&c::nack>},
    {"peek", c::kPeek, false, from_json<request::peek>, from_proto<&c::peek>},
    {"ping", c::kPing, true, from_json<request::ping>, from_proto<&c::ping>},
    {"publish_batch", c::kPublishBatch, false, from_json<request::publish_batch>, from_proto<&c::publish_batch>},
    {"purge", c::kPurge, false, from_json<request::purge>, from_proto<&c::purge>},
    {"purge_dead", c::kPurgeDead, false, from_json<request::purge_dead>, from_proto<&c::purge_dead>},
    {"rebalance_topic", c::kRebalanceTopic, false, from_json<request::rebalance_topic>,
     from_proto<&c::rebalance_topic>},
    {"redrive_dead", c::kRedriveDead, false, from_json<request::redrive_dead>, from_proto<&c::redrive_dead>},
    {"resize_topic", c::kResizeTopic, false, from_json<request::resize_topic>, from_proto<&c::resize_topic>},
    {"stats", c::kStats, true, from_json<request::stats>, from_proto<&c::stats>},
    {"subscribe", c::kSubscribe, false, from_json<request::subscribe>, from_proto<&c::subscribe>},
    {"unsubscribe", c::kUnsubscribe, false, from_json<request::unsubscribe>, from_proto<&c::unsubscribe>},
    {"update_topic", c::kUpdateTopic, false, from_json<request::update_topic>, from_proto<&c::update_topic>},
};
static_assert(std::is_sorted(std::begin(actions), std::end(actions),
                             [](const auto& a, const auto& b) { return a.name < b.name; }));

}  // namespace

const action* find_action(std::string_view name) noexcept {
  const auto at = std::lower_bound(std::begin(actions), std::end(actions), name,
                                   [](const action& a, std::string_view wanted) { return a.name < wanted; });
  return at != std::end(actions) && at->name == name ? at : nullptr;
}

}  // namespace mqlite::tcp
