#pragma once

#include <atomic>

#include "actors/messages.hpp"

/// Every actor's interface, one comment per message. Commands are answered through the reply that they carry.
namespace mqlite {

// clang-format off

/// One push consumer: passes on what its queue sends, and ends its subscription when it ends.
using subscriber_actor = caf::typed_actor<
    // The queue that it belongs to.
    caf::result<void>(event::attached),
    // Messages, within the window.
    caf::result<void>(event::deliver),
    // From its consumer: it wants no more.
    caf::result<void>(event::unsubscribe),
    // From its queue: there will be no more.
    caf::result<void>(event::closed)>;

/// Owns one queue's messages.
using queue_actor = caf::typed_actor<
    // Published messages for the tail.
    caf::result<void>(event::arrived),
    // A sibling's messages, asked for by rebalance.
    caf::result<void>(event::stolen),
    // Half of what waits goes to a starving sibling.
    caf::result<given>(give),
    // A dropped sibling's messages.
    caf::result<void>(event::adopted),
    // For a consume over all queues.
    caf::result<collected>(collect),
    // It will be dropped: it reports when it is empty.
    caf::result<void>(event::drain),
    // What it holds, for a rewrite of the log: begun by its topic, asked for by the rewriter.
    caf::result<queue_snapshot_begun>(begin_snapshot),
    caf::result<queue_slice>(next_slice),
    caf::result<void>(event::snapshot_over),
    // It is dropped now: everything goes to others.
    caf::result<surrendered>(surrender),
    // It is empty, and goes.
    caf::result<void>(event::dropped),
    // Something can be stolen again.
    caf::result<void>(event::wake),
    // Takes messages, or waits for them.
    caf::result<void>(command::consume),
    // The asker of a waiting consume has gone.
    caf::result<void>(command::cancel),
    // A batch reached its consumer, or did not.
    caf::result<void>(event::handed),
    // Acknowledges, returns or extends.
    caf::result<void>(command::settle),
    // A consumer wants everything, as it comes.
    caf::result<void>(command::subscribe),
    // It wants no more.
    caf::result<void>(event::unsubscribe),
    // Looks without taking.
    caf::result<void>(command::peek),
    // Drops what waits.
    caf::result<void>(command::purge),
    // The topic is over its limits: which of its messages are the oldest, and to drop some; answered when it is done.
    caf::result<oldest_found>(find_oldest),
    caf::result<oldest_dropped>(event::drop_oldest),
    // New settings.
    caf::result<void>(event::settings_changed),
    // There are others to steal from.
    caf::result<void>(event::has_siblings),
    // How the queue is.
    caf::result<reported>(report),
    // From the log: appends are done.
    caf::result<void>(event::appended),
    // Leases, delays or waits may be over.
    caf::result<void>(event::tick)>;

/// Routes publishes to its queues, brings starving ones together with busy ones, and keeps the dead letters.
using topic_actor = caf::typed_actor<
    caf::result<void>(command::publish),
    // For one queue, or gathered from all of them.
    caf::result<void>(command::consume),
    caf::result<void>(command::cancel),
    caf::result<void>(command::settle),
    caf::result<void>(command::subscribe),
    caf::result<void>(command::peek),
    caf::result<void>(command::purge),
    caf::result<void>(command::list_dead),
    caf::result<void>(command::redrive_dead),
    caf::result<void>(command::purge_dead),
    caf::result<void>(command::get_topic),
    caf::result<void>(command::update_topic),
    caf::result<void>(command::resize_topic),
    caf::result<void>(command::rebalance_topic),
    caf::result<described>(describe),
    // From the rewriter: what it holds. Its queues are asked next, then its dead letters.
    caf::result<topic_snapshot>(begin_snapshot),
    caf::result<dead_slice>(next_slice),
    caf::result<void>(event::snapshot_over),
    // From a starving queue.
    caf::result<rebalanced>(rebalance),
    // From a woken queue that needs nothing.
    caf::result<void>(event::sated),
    // From a queue: it has plenty to give out, or has run out.
    caf::result<void>(event::supply_changed),
    // From a queue: more is waiting than the topic knew.
    caf::result<void>(event::replenished),
    // From a queue: messages are gone.
    caf::result<void>(event::released),
    // From a queue: dead letters.
    caf::result<void>(event::buried),
    // From a queue: targets of a settlement that it does not hold.
    caf::result<void>(event::unheld),
    // From a queue that is to be dropped: it is empty.
    caf::result<void>(event::drained),
    // From the log: appends are done.
    caf::result<void>(event::appended),
    caf::result<void>(event::tick)>;

/// Owns the topics of one namespace.
using namespace_actor = caf::typed_actor<
    caf::result<void>(command::create_topic),
    caf::result<void>(command::delete_topic),
    caf::result<void>(command::list_topics),
    // A topic's handle, for those who talk to it directly.
    caf::result<void>(command::resolve_topic),
    caf::result<void>(command::stats),
    caf::result<namespace_snapshot>(begin_snapshot),
    // It was deleted: everything in it ends.
    caf::result<void>(command::shut_down),
    caf::result<void>(event::appended)>;

/// Owns the namespaces.
using broker_actor = caf::typed_actor<
    caf::result<void>(command::create_namespace),
    caf::result<void>(command::delete_namespace),
    caf::result<void>(command::list_namespaces),
    caf::result<void>(command::create_topic),
    caf::result<void>(command::delete_topic),
    caf::result<void>(command::list_topics),
    caf::result<void>(command::resolve_topic),
    caf::result<void>(command::stats),
    caf::result<void>(command::log),
    caf::result<void>(command::rewrite),
    caf::result<void>(command::backup),
    caf::result<broker_snapshot>(begin_snapshot),
    caf::result<void>(command::shut_down),
    caf::result<void>(event::appended)>;

/// Appends records to the log, in batches.
using persistence_actor = caf::typed_actor<
    caf::result<void>(event::append),
    caf::result<void>(event::flush),
    caf::result<void>(event::sync_due),
    caf::result<void>(event::retry),
    caf::result<void>(event::tree_started),
    caf::result<void>(event::go_on),
    caf::result<void>(event::rewrite_due),
    caf::result<void>(command::log),
    caf::result<void>(command::rewrite),
    caf::result<void>(command::backup),
    // Flushes, syncs and closes: nothing may be appended any more.
    caf::result<void>(command::shut_down)>;

/// Writes down what the tree holds: the base of a rewritten log.
using rewriter_actor = caf::typed_actor<
    caf::result<void>(event::begin_rewriting),
    caf::result<void>(event::abandon)>;

// clang-format on

/// A topic's handle, to be kept as long as `alive` says so: it says no before the topic's deletion is answered.
struct topic_link {
  topic_actor actor;
  std::shared_ptr<const std::atomic<bool>> alive;
};

struct command::resolve_topic {
  std::string name_space;
  std::string name;
  reply<topic_link> answer;
};

struct event::tree_started {
  broker_actor broker;
};

struct broker_snapshot {
  std::optional<failure> problem;
  std::uint64_t last_topic_id = 0;
  std::vector<std::string> names;  ///< of namespaces
  std::vector<namespace_actor> namespaces;
};

struct namespace_snapshot {
  std::optional<failure> problem;
  std::vector<topic_actor> topics;
};

struct topic_snapshot {
  std::optional<failure> problem;
  std::uint64_t id = 0;
  std::string record;  ///< of the topic itself, framed
  std::vector<queue_actor> queues;
};

struct event::attached {
  queue_actor queue;
  std::uint64_t subscription = 0;
};

struct command::subscribe {
  queue_number queue = 0;
  bool auto_ack = false;
  std::size_t max_in_flight = 256;
  std::uint64_t subscription = 0;
  subscriber_actor subscriber;
  reply<queue_actor> answer;
};

struct give {
  queue_number thief_number = 0;
  queue_actor thief;
  std::uint64_t at_least = 1;
  std::uint64_t count = 0;  ///< exactly so many, rather than half; 0 = half
};

struct surrender {
  std::vector<queue_number> numbers;
  std::vector<queue_actor> heirs;
};

}  // namespace mqlite

// -- CAF's side of it ---------------------------------------------------------------------------------------------------------

CAF_BEGIN_TYPE_ID_BLOCK(mqlite, first_custom_type_id)
#define MQLITE_LOCAL_MESSAGE(type) CAF_ADD_TYPE_ID(mqlite, (mqlite::type))
#include "actors/message_types.def"
#undef MQLITE_LOCAL_MESSAGE
CAF_END_TYPE_ID_BLOCK(mqlite)

#define MQLITE_LOCAL_MESSAGE(type) CAF_ALLOW_UNSAFE_MESSAGE_TYPE(mqlite::type)
#include "actors/message_types.def"
#undef MQLITE_LOCAL_MESSAGE
