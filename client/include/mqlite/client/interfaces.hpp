#pragma once

#include <caf/error.hpp>
#include <caf/is_error_code_enum.hpp>
#include <caf/type_id.hpp>
#include <caf/typed_actor.hpp>

#include "mqlite/client/types.hpp"

/// The actors that a broker shows on its CAF port (6060), and the messages that they take and give.
///
/// A client asks the published remote_broker with `hello` for a session; the session gives handles of topics and queues. All of it
/// belongs to the client's connection: when that breaks, the handles are down and the client begins anew. Errors are caf::error of
/// category client::errc with a text.
///
/// If you change this: 1. keep `hello`, so that programs of other versions are told; 2. raise protocol_version when an older
/// program would misunderstand; 3. add types at the end of the block only.
namespace mqlite::client {

/// The version of everything below but `hello`.
inline constexpr std::uint32_t protocol_version = 1;

// -- what brokers say to clients ------------------------------------------------------------------------------------------------

/// Answered when everything before it was received: only then messages count as handed over.
struct ping {};

/// A client's own actor: the session lives as long as it.
using remote_peer = caf::typed_actor<caf::result<void>(ping)>;

/// Messages of a subscription. Answering it (the handler returns) says that they were taken: from then on their leases run.
struct delivered {
  std::uint64_t subscription = 0;
  std::vector<message> messages;
};

/// The subscription has ended, for example because its topic was deleted.
struct closed {
  std::uint64_t subscription = 0;
  errc code = errc::none;
  std::string text;
};

// clang-format off

/// Whoever wants messages pushed: a program's own actor. When it ends, what it was sent and did not acknowledge goes back.
using subscriber_actor = caf::typed_actor<
    caf::result<void>(delivered),
    caf::result<void>(closed)>;

// clang-format on

// -- topics and queues ----------------------------------------------------------------------------------------------------------

/// At most most_batch messages.
struct publish {
  std::vector<draft> messages;
};
/// One for each message, in the same order.
struct publish_results {
  std::vector<published> messages;
};
struct consume {
  consume_options options;
};
struct message_batch {
  std::vector<message> messages;
};
/// Ids or receipts, at most most_batch.
struct ack {
  std::vector<std::string> ids;
  std::int64_t queue = usual_queue;
};
struct nack {
  std::vector<std::string> ids;
  milliseconds delay{0};  ///< they wait so long before they are delivered again
  std::int64_t queue = usual_queue;
};
struct extend {
  std::vector<std::string> ids;
  std::optional<milliseconds> lease;  ///< from now on; absent = the topic's ack_timeout
  std::int64_t queue = usual_queue;
};
struct subscribe {
  subscribe_options options;
  subscriber_actor subscriber;
};
struct subscribed {
  std::uint64_t subscription = 0;
};
struct unsubscribe {
  std::uint64_t subscription = 0;
};
/// Looks at messages in the state "ready", "leased" or "delayed".
struct peek {
  std::string state = "ready";
  std::int64_t limit = 10;
  std::int64_t queue = usual_queue;
};
struct peeked_batch {
  std::vector<peeked> messages;
};
/// Drops what waits in a queue.
struct purge {
  std::int64_t queue = usual_queue;
};
/// How many messages were purged or redriven.
struct counted {
  std::uint64_t count = 0;
};
struct list_dead {
  std::int64_t limit = 10;
};
/// All of them when `ids` is absent.
struct redrive_dead {
  std::optional<std::vector<std::string>> ids;
};
struct purge_dead {};
struct get_topic {};
struct update_topic {
  topic_settings settings;
};
struct resize_topic {
  std::int64_t queue_count = 0;
};
struct rebalance_topic {};

// clang-format off

/// A topic, or one of its queues.
using remote_topic = caf::typed_actor<
    caf::result<publish_results>(publish),
    // Answers at once, or when a first message comes within options.wait.
    caf::result<message_batch>(consume),
    caf::result<settled>(ack),
    caf::result<settled>(nack),
    caf::result<settled>(extend),
    // Pushes to an actor of the asking program.
    caf::result<subscribed>(subscribe),
    // What was pushed and not acknowledged goes back.
    caf::result<void>(unsubscribe),
    caf::result<peeked_batch>(peek),
    caf::result<counted>(purge),
    caf::result<peeked_batch>(list_dead),
    caf::result<counted>(redrive_dead),
    caf::result<counted>(purge_dead),
    caf::result<topic_details>(get_topic),
    caf::result<void>(update_topic),
    caf::result<resized>(resize_topic),
    caf::result<void>(rebalance_topic)>;

// clang-format on

// -- the broker -----------------------------------------------------------------------------------------------------------------

struct create_namespace {
  std::string name;
};
struct delete_namespace {
  std::string name;
};
struct list_namespaces {};
struct name_list {
  std::vector<std::string> names;
};
struct create_topic {
  std::string name_space;
  std::string name;
  std::int64_t queue_count = 1;
  topic_settings settings;
};
struct delete_topic {
  std::string name_space;
  std::string name;
};
struct list_topics {
  std::string name_space;
};
struct topic_list {
  std::vector<topic_info> topics;
};
struct get_stats {};
/// The broker's statistics: a JSON object, the same as over HTTP.
struct stats {
  std::string json;
};
/// Asks for a topic's handle, or for one of its queues' (0 and up). Both have to be there now; they may come and go while the handle
/// is kept.
struct resolve {
  std::string name_space;
  std::string topic;
  std::int64_t queue = any_queue;
};
struct resolved {
  remote_topic topic;
};

// clang-format off

/// One client's session.
using remote_session = caf::typed_actor<
    caf::result<void>(create_namespace),
    caf::result<void>(delete_namespace),
    caf::result<name_list>(list_namespaces),
    caf::result<void>(create_topic),
    caf::result<void>(delete_topic),
    caf::result<topic_list>(list_topics),
    caf::result<stats>(get_stats),
    caf::result<resolved>(resolve)>;

// clang-format on

/// A client begins.
struct hello {
  std::uint32_t version = protocol_version;
  remote_peer peer;  ///< of the asking program
};
struct welcome {
  remote_session session;
  std::string broker_version;
  std::uint64_t max_message_bytes = 0;  ///< payload, headers and key of one message
  std::uint64_t max_request_bytes = 0;  ///< one message between actors
};

/// What is published at the port.
using remote_broker = caf::typed_actor<caf::result<welcome>(hello)>;

// -- serialisation --------------------------------------------------------------------------------------------------------------

template <class Inspector>
bool inspect(Inspector& f, errc& x) {
  const auto get = [&x] { return static_cast<std::uint8_t>(x); };
  const auto set = [&x](std::uint8_t value) {
    x = value <= static_cast<std::uint8_t>(errc::internal) ? static_cast<errc>(value) : errc::internal;
    return true;
  };
  return f.apply(get, set);
}

// Every message and its fields, in their order on the wire.
#define MQLITE_FIELD(name) f.field(#name, x.name)
#define MQLITE_INSPECT(type, ...)           \
  template <class Inspector>                \
  bool inspect(Inspector& f, type& x) {     \
    return f.object(x).fields(__VA_ARGS__); \
  }
#define MQLITE_INSPECT_EMPTY(type)      \
  template <class Inspector>            \
  bool inspect(Inspector& f, type& x) { \
    return f.object(x).fields();        \
  }

MQLITE_INSPECT(message_id, MQLITE_FIELD(high), MQLITE_FIELD(low))
MQLITE_INSPECT(draft, MQLITE_FIELD(payload), MQLITE_FIELD(routing_key), MQLITE_FIELD(headers), MQLITE_FIELD(queue),
               MQLITE_FIELD(delay), MQLITE_FIELD(deliver_at), MQLITE_FIELD(time_to_live))
MQLITE_INSPECT(published, MQLITE_FIELD(id), MQLITE_FIELD(queue), MQLITE_FIELD(code), MQLITE_FIELD(text))
MQLITE_INSPECT(message, MQLITE_FIELD(id), MQLITE_FIELD(queue), MQLITE_FIELD(delivery_count), MQLITE_FIELD(payload),
               MQLITE_FIELD(routing_key), MQLITE_FIELD(headers))
MQLITE_INSPECT(peeked, MQLITE_FIELD(message), MQLITE_FIELD(reason), MQLITE_FIELD(dead_at))
MQLITE_INSPECT(consume_options, MQLITE_FIELD(batch_size), MQLITE_FIELD(auto_ack), MQLITE_FIELD(wait),
               MQLITE_FIELD(lease), MQLITE_FIELD(queue))
MQLITE_INSPECT(subscribe_options, MQLITE_FIELD(auto_ack), MQLITE_FIELD(max_in_flight), MQLITE_FIELD(queue))
MQLITE_INSPECT(settled, MQLITE_FIELD(count), MQLITE_FIELD(dead_lettered), MQLITE_FIELD(unknown), MQLITE_FIELD(stale))
MQLITE_INSPECT(topic_settings, MQLITE_FIELD(ack_timeout), MQLITE_FIELD(max_deliveries), MQLITE_FIELD(message_ttl),
               MQLITE_FIELD(max_length), MQLITE_FIELD(max_bytes), MQLITE_FIELD(overflow), MQLITE_FIELD(steal))
MQLITE_INSPECT(topic_info, MQLITE_FIELD(name), MQLITE_FIELD(queue_count), MQLITE_FIELD(version))
MQLITE_INSPECT(queue_info, MQLITE_FIELD(queue), MQLITE_FIELD(ready), MQLITE_FIELD(leased), MQLITE_FIELD(delayed),
               MQLITE_FIELD(bytes), MQLITE_FIELD(consumers))
MQLITE_INSPECT(topic_details, MQLITE_FIELD(info), MQLITE_FIELD(settings), MQLITE_FIELD(dead), MQLITE_FIELD(queues))
MQLITE_INSPECT(resized, MQLITE_FIELD(queue_count), MQLITE_FIELD(version), MQLITE_FIELD(draining))

MQLITE_INSPECT_EMPTY(ping)
MQLITE_INSPECT(delivered, MQLITE_FIELD(subscription), MQLITE_FIELD(messages))
MQLITE_INSPECT(closed, MQLITE_FIELD(subscription), MQLITE_FIELD(code), MQLITE_FIELD(text))

MQLITE_INSPECT(publish, MQLITE_FIELD(messages))
MQLITE_INSPECT(publish_results, MQLITE_FIELD(messages))
MQLITE_INSPECT(consume, MQLITE_FIELD(options))
MQLITE_INSPECT(message_batch, MQLITE_FIELD(messages))
MQLITE_INSPECT(ack, MQLITE_FIELD(ids), MQLITE_FIELD(queue))
MQLITE_INSPECT(nack, MQLITE_FIELD(ids), MQLITE_FIELD(delay), MQLITE_FIELD(queue))
MQLITE_INSPECT(extend, MQLITE_FIELD(ids), MQLITE_FIELD(lease), MQLITE_FIELD(queue))
MQLITE_INSPECT(subscribe, MQLITE_FIELD(options), MQLITE_FIELD(subscriber))
MQLITE_INSPECT(subscribed, MQLITE_FIELD(subscription))
MQLITE_INSPECT(unsubscribe, MQLITE_FIELD(subscription))
MQLITE_INSPECT(peek, MQLITE_FIELD(state), MQLITE_FIELD(limit), MQLITE_FIELD(queue))
MQLITE_INSPECT(peeked_batch, MQLITE_FIELD(messages))
MQLITE_INSPECT(purge, MQLITE_FIELD(queue))
MQLITE_INSPECT(counted, MQLITE_FIELD(count))
MQLITE_INSPECT(list_dead, MQLITE_FIELD(limit))
MQLITE_INSPECT(redrive_dead, MQLITE_FIELD(ids))
MQLITE_INSPECT_EMPTY(purge_dead)
MQLITE_INSPECT_EMPTY(get_topic)
MQLITE_INSPECT(update_topic, MQLITE_FIELD(settings))
MQLITE_INSPECT(resize_topic, MQLITE_FIELD(queue_count))
MQLITE_INSPECT_EMPTY(rebalance_topic)

MQLITE_INSPECT(create_namespace, MQLITE_FIELD(name))
MQLITE_INSPECT(delete_namespace, MQLITE_FIELD(name))
MQLITE_INSPECT_EMPTY(list_namespaces)
MQLITE_INSPECT(name_list, MQLITE_FIELD(names))
MQLITE_INSPECT(create_topic, MQLITE_FIELD(name_space), MQLITE_FIELD(name), MQLITE_FIELD(queue_count),
               MQLITE_FIELD(settings))
MQLITE_INSPECT(delete_topic, MQLITE_FIELD(name_space), MQLITE_FIELD(name))
MQLITE_INSPECT(list_topics, MQLITE_FIELD(name_space))
MQLITE_INSPECT(topic_list, MQLITE_FIELD(topics))
MQLITE_INSPECT_EMPTY(get_stats)
MQLITE_INSPECT(stats, MQLITE_FIELD(json))
MQLITE_INSPECT(resolve, MQLITE_FIELD(name_space), MQLITE_FIELD(topic), MQLITE_FIELD(queue))
MQLITE_INSPECT(resolved, MQLITE_FIELD(topic))
MQLITE_INSPECT(hello, MQLITE_FIELD(version), MQLITE_FIELD(peer))
MQLITE_INSPECT(welcome, MQLITE_FIELD(session), MQLITE_FIELD(broker_version), MQLITE_FIELD(max_message_bytes),
               MQLITE_FIELD(max_request_bytes))

#undef MQLITE_INSPECT_EMPTY
#undef MQLITE_INSPECT
#undef MQLITE_FIELD

}  // namespace mqlite::client

CAF_ERROR_CODE_ENUM(mqlite::client::errc)

/// Far from where a program's own types begin.
CAF_BEGIN_TYPE_ID_BLOCK(mqlite_client, first_custom_type_id + 1000)
CAF_ADD_TYPE_ID(mqlite_client, (mqlite::client::errc))
CAF_ADD_TYPE_ID(mqlite_client, (mqlite::client::hello))
CAF_ADD_TYPE_ID(mqlite_client, (mqlite::client::welcome))
CAF_ADD_TYPE_ID(mqlite_client, (mqlite::client::ping))
CAF_ADD_TYPE_ID(mqlite_client, (mqlite::client::delivered))
CAF_ADD_TYPE_ID(mqlite_client, (mqlite::client::closed))
CAF_ADD_TYPE_ID(mqlite_client, (mqlite::client::publish))
CAF_ADD_TYPE_ID(mqlite_client, (mqlite::client::publish_results))
CAF_ADD_TYPE_ID(mqlite_client, (mqlite::client::consume))
CAF_ADD_TYPE_ID(mqlite_client, (mqlite::client::message_batch))
CAF_ADD_TYPE_ID(mqlite_client, (mqlite::client::ack))
CAF_ADD_TYPE_ID(mqlite_client, (mqlite::client::nack))
CAF_ADD_TYPE_ID(mqlite_client, (mqlite::client::extend))
CAF_ADD_TYPE_ID(mqlite_client, (mqlite::client::settled))
CAF_ADD_TYPE_ID(mqlite_client, (mqlite::client::subscribe))
CAF_ADD_TYPE_ID(mqlite_client, (mqlite::client::subscribed))
CAF_ADD_TYPE_ID(mqlite_client, (mqlite::client::unsubscribe))
CAF_ADD_TYPE_ID(mqlite_client, (mqlite::client::peek))
CAF_ADD_TYPE_ID(mqlite_client, (mqlite::client::peeked_batch))
CAF_ADD_TYPE_ID(mqlite_client, (mqlite::client::purge))
CAF_ADD_TYPE_ID(mqlite_client, (mqlite::client::counted))
CAF_ADD_TYPE_ID(mqlite_client, (mqlite::client::list_dead))
CAF_ADD_TYPE_ID(mqlite_client, (mqlite::client::redrive_dead))
CAF_ADD_TYPE_ID(mqlite_client, (mqlite::client::purge_dead))
CAF_ADD_TYPE_ID(mqlite_client, (mqlite::client::get_topic))
CAF_ADD_TYPE_ID(mqlite_client, (mqlite::client::topic_details))
CAF_ADD_TYPE_ID(mqlite_client, (mqlite::client::update_topic))
CAF_ADD_TYPE_ID(mqlite_client, (mqlite::client::resize_topic))
CAF_ADD_TYPE_ID(mqlite_client, (mqlite::client::resized))
CAF_ADD_TYPE_ID(mqlite_client, (mqlite::client::rebalance_topic))
CAF_ADD_TYPE_ID(mqlite_client, (mqlite::client::create_namespace))
CAF_ADD_TYPE_ID(mqlite_client, (mqlite::client::delete_namespace))
CAF_ADD_TYPE_ID(mqlite_client, (mqlite::client::list_namespaces))
CAF_ADD_TYPE_ID(mqlite_client, (mqlite::client::name_list))
CAF_ADD_TYPE_ID(mqlite_client, (mqlite::client::create_topic))
CAF_ADD_TYPE_ID(mqlite_client, (mqlite::client::delete_topic))
CAF_ADD_TYPE_ID(mqlite_client, (mqlite::client::list_topics))
CAF_ADD_TYPE_ID(mqlite_client, (mqlite::client::topic_list))
CAF_ADD_TYPE_ID(mqlite_client, (mqlite::client::get_stats))
CAF_ADD_TYPE_ID(mqlite_client, (mqlite::client::stats))
CAF_ADD_TYPE_ID(mqlite_client, (mqlite::client::resolve))
CAF_ADD_TYPE_ID(mqlite_client, (mqlite::client::resolved))
CAF_END_TYPE_ID_BLOCK(mqlite_client)
