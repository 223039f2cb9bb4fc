#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/type_id.hpp>
#include <caf/typed_actor.hpp>

#include "actors/operations.hpp"
#include "actors/queue/queue_core.hpp"
#include "actors/reply.hpp"

/// Every message of the actor tree. Commands come from clients and carry the reply that answers them; the rest is what the actors
/// tell each other. All of them stay inside the process.
namespace mqlite {

namespace event {
struct appended;
}
/// Whoever appends to the log: is told how it went.
using journal_client = caf::typed_actor<caf::result<void>(event::appended)>;

/// Does what blocks (fsync, new files) in a thread of its own.
struct disk_job {
  std::function<void()> run;
};
struct disk_job_done {};

// -- commands -----------------------------------------------------------------------------------------------------------------

namespace command {

struct create_namespace {
  std::string name;
  reply<done> answer;
};
struct delete_namespace {
  std::string name;
  reply<done> answer;
};
struct list_namespaces {
  reply<std::vector<std::string>> answer;
};
struct create_topic {
  std::uint64_t id = 0;  ///< given by the broker
  std::string name_space;
  std::string name;
  std::int64_t queue_count = 1;
  topic_settings_patch settings;
  reply<done> answer;
};
struct delete_topic {
  std::string name_space;
  std::string name;
  reply<done> answer;
};
struct list_topics {
  std::string name_space;
  reply<std::vector<topic_info>> answer;
};
struct resolve_topic;
struct get_topic {
  reply<topic_details> answer;
};
struct update_topic {
  topic_settings_patch settings;
  reply<done> answer;
};
struct resize_topic {
  std::int64_t queue_count = 0;
  reply<resized> answer;
};
struct rebalance_topic {
  reply<done> answer;
};

struct publish {
  std::vector<draft> drafts;
  reply<std::vector<outcome<published>>> answer;
};
struct consume {
  queue_number queue = 0;
  consume_options options;
  std::uint64_t consumer = 0;  ///< names a waiting consume, for cancel
  reply<consumed> answer;
};
struct cancel {
  queue_number queue = 0;
  std::uint64_t consumer = 0;
};
struct settle {
  queue_number queue = 0;
  settlement what = settlement::ack;
  std::vector<settle_target> targets;
  std::chrono::nanoseconds value{0};
  reply<settled> answer;
  // On its way from queue to queue: what is not held by one is looked for in its siblings.
  settled so_far;
  std::vector<queue_number> asked;
  std::uint64_t moves_before = 0;  ///< moves between queues when this round of asking began
  bool moving_before = false;      ///< some of them were under way
  std::uint32_t rounds = 0;
};
struct subscribe;
struct peek {
  queue_number queue = 0;
  peek_state state = peek_state::ready;
  std::size_t most = 10;
  reply<std::vector<peeked>> answer;
};
struct purge {
  queue_number queue = 0;
  reply<std::uint64_t> answer;
};
struct list_dead {
  std::size_t most = 10;
  reply<std::vector<peeked>> answer;
};
struct redrive_dead {
  std::optional<std::vector<message_id>> ids;
  reply<std::uint64_t> answer;
};
struct purge_dead {
  reply<std::uint64_t> answer;
};

struct stats {
  reply<broker_stats> answer;
};
struct log {
  reply<log_status> answer;
};
/// Starts a rewrite of the log; answered when it has begun.
struct rewrite {
  reply<done> answer;
};
/// Copies the log into a new folder.
struct backup {
  std::string folder;
  reply<backed_up> answer;
};
/// Flushes and closes the log, then ends the tree.
struct shut_down {
  reply<done> answer;
};

}  // namespace command

// -- the log ------------------------------------------------------------------------------------------------------------------

/// How far a record has to get before its append is reported.
enum class durability {
  written,   ///< it reached the kernel: it survives the death of this process
  promised,  ///< it reached what `fsync` promises
};

namespace event {

/// Records for the log. Tickets of a client rise by one with each append.
struct append {
  std::string records;  ///< framed
  durability level = durability::promised;
  std::uint64_t ticket = 0;
  journal_client client;
};
/// The appends of that level with tickets from `from` through `through` went well, or failed.
struct appended {
  durability level = durability::promised;
  std::uint64_t from = 0;
  std::uint64_t through = 0;
  std::optional<failure> problem;
};
/// The persistence actor's own: everything that waits is to be written; the interval of `everysec` is over; try again after a failure.
struct flush {};
struct sync_due {};
struct retry {};
/// To the log: where the state is that a rewrite writes down.
struct tree_started;
/// The persistence actor's own: what was done elsewhere goes on with this.
struct go_on {
  std::function<void()> then;
};
/// A rewrite that failed may be tried again.
struct rewrite_due {};

// -- between topic and queues -------------------------------------------------------------------------------------------------

struct arrival {
  message_ptr message;
  std::int64_t not_before = 0;
  bool unexpiring = false;
};
/// Published messages, recorded, for the queue's tail.
struct arrived {
  std::vector<arrival> messages;
  bool refill = false;  ///< answers a queue that has run out: all there is for it, perhaps nothing
};
/// Messages of a sibling's tail, recorded, for the thief.
struct stolen {
  std::vector<carried_message> messages;
};
/// Messages of a sibling that is being dropped, recorded, with what they were.
struct adopted_message {
  carried_message carried;
  std::int64_t leased_until = 0;  ///< 0 = not leased
  std::int64_t not_before = 0;    ///< 0 = not delayed
};
struct adopted {
  std::vector<adopted_message> messages;
};
/// A queue that is being dropped is empty.
struct drained {
  queue_number queue = 0;
  std::uint64_t received = 0;  ///< messages of the topic that it had seen by then
  topic_totals totals;         ///< what it did until then
};
/// The queue is to be dropped: it reports when it is empty.
struct drain {};
/// A queue has messages again that the topic did not send: leases or delays have ended.
struct replenished {
  queue_number queue = 0;
  std::uint64_t count = 0;
};
/// A queue has let messages go for good, or (negative) has them back.
struct released {
  std::int64_t messages = 0;
  std::int64_t bytes = 0;
};
/// A sibling has messages: a queue that starves may ask again.
struct wake {};
/// A queue that was woken needs nothing: another may be.
struct sated {
  queue_number queue = 0;
};
/// A queue has plenty to give out, so that arrivals may come by the batch; or it has run out, and wants those that wait at once.
struct supply_changed {
  queue_number queue = 0;
  bool plenty = false;
};
/// Dead letters, recorded, for the topic.
struct buried {
  queue_number queue = 0;
  std::vector<carried_message> messages;
  dead_reason reason = dead_reason::none;
  std::int64_t at = 0;
};
/// The topic is full: bury up to `count` of the oldest waiting messages, none that is younger than `through`.
struct drop_oldest {
  std::uint64_t count = 0;
  message_id through;
};
/// The queue is dropped: it answers who waits, and ends.
struct dropped {};
/// New settings of the topic.
struct settings_changed {
  topic_settings settings;
};
/// The queue is the topic's only one no more.
struct has_siblings {};
/// A settlement goes on: its targets are those that the queues asked so far do not hold.
struct unheld {
  command::settle rest;
};
/// A batch has reached its consumer, or has not.
struct handed {
  std::uint64_t batch = 0;
  std::vector<message_id> messages;
  bool reached = false;
  bool auto_ack = false;
  std::chrono::nanoseconds lease{0};
  std::uint64_t subscription = 0;
  std::uint64_t bytes = 0;
};
/// A subscription ends.
struct unsubscribe {
  std::uint64_t subscription = 0;
};
/// The subscription belongs to that queue.
struct attached;
/// Nothing will be delivered any more.
struct closed {
  failure why;
};
/// Messages for a subscriber.
struct deliver {
  consumed messages;
};
/// A timer of the actor's own has gone off: the one that was set for `when`.
struct tick {
  std::int64_t when = 0;
};

}  // namespace event

// -- snapshots (actors/log/rewriter.hpp) ------------------------------------------------------------------------------------------

/// Asks an actor for what it holds. It answers when everything is in force that it has recorded so far.
struct begin_snapshot {};
struct broker_snapshot;
struct namespace_snapshot;
struct topic_snapshot;
struct queue_snapshot_begun {
  std::optional<failure> problem;
};
/// Asks for the next part of it.
struct next_slice {};
struct queue_slice {
  queue_number queue = 0;
  std::vector<snapshot_entry> entries;
  bool last = false;   ///< nothing comes behind it
  bool valid = false;  ///< else there is no snapshot: it was given up
};
struct dead_slice {
  std::vector<peeked> letters;
  bool last = false;
  bool valid = false;
};
namespace event {
/// Nothing more is asked of the snapshot.
struct snapshot_over {};
/// To a rewriter: begin, or give up.
struct begin_rewriting {};
struct abandon {};
}  // namespace event

// -- stealing -----------------------------------------------------------------------------------------------------------------

/// A starving queue asks its topic to rebalance towards it.
struct rebalance {
  queue_number thief = 0;
};
/// How many messages are on their way to the thief; 0 when there was nothing to take.
struct rebalanced {
  std::uint64_t moved = 0;
};
/// The topic asks a queue to give half of what waits there to the thief, if that is at least `at_least`.
struct give;
/// What the queue did. `ready` is what waits there now, `received` how many messages of the topic it has seen by now.
struct given {
  bool refused = false;  ///< the log did not take the record of it
  std::uint64_t moved = 0;
  std::uint64_t ready = 0;
  std::uint64_t received = 0;
};
/// The topic collects messages for a consume over all its queues.
struct collect {
  std::uint64_t at_least = 1;  ///< nothing, if fewer are waiting
  std::size_t most = 1;
  std::uint64_t most_bytes = most_answer_bytes;
  bool auto_ack = false;
  std::chrono::nanoseconds lease{0};
};
struct collected {
  consumed found;
  std::optional<failure> problem;
  std::uint64_t ready = 0;
  std::uint64_t received = 0;
};
/// The topic asks a queue that it drops to deal everything it has to others.
struct surrender;
struct surrendered {
  std::vector<std::uint64_t> moved;  ///< to each of them
};
/// The namespace asks a topic for what lists show of it.
struct describe {};
struct described {
  topic_info info;
};
/// The topic is full, and asks which of a queue's waiting messages are the oldest.
struct find_oldest {
  std::uint64_t most = 1;
};
struct oldest_found {
  struct waiting {
    message_id id;
    std::uint64_t bytes = 0;
  };
  std::vector<waiting> messages;  ///< in the order in which they would be given out
  std::uint64_t ready = 0;
  std::uint64_t received = 0;
};
/// What a queue that was told to drop its oldest has done.
struct oldest_dropped {
  std::uint64_t count = 0;
  std::uint64_t ready = 0;
  std::uint64_t received = 0;
};
/// The topic asks how a queue is.
struct report {};
struct reported {
  queue_details details;
  std::uint64_t received = 0;
};

}  // namespace mqlite
