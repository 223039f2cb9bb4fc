#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "actors/message.hpp"
#include "actors/queue/arrival_line.hpp"
#include "actors/queue/entry_store.hpp"
#include "actors/queue/id_index.hpp"
#include "actors/queue/snapshot_entry.hpp"
#include "actors/queue/timer_heap.hpp"
#include "actors/topic_settings.hpp"

namespace mqlite {

/// Who holds a lease: a subscription, or nobody in particular (a pull).
using lease_owner = std::uint64_t;
inline constexpr lease_owner pulled = 0;

/// A message on its way out of a queue to a consumer, or to another queue.
struct carried_message {
  message_ptr message;
  std::uint32_t deliveries = 0;
  bool unexpiring = false;  ///< was redriven from the dead letters: it has no time to live any more
};

class queue_snapshot;

/// A message that has to become a dead letter. The queue holds it as `settling` until that is recorded.
struct burial {
  entry_handle entry;
  dead_reason reason;
};

/// The messages of one queue and what happens to them: waiting, delayed, leased. Pure: time comes in as unix nanoseconds, nothing
/// is recorded or sent; the queue actor does both.
///
/// **Order.** Waiting messages are given out from two places: first those that are back from a delivery, in the order of their
/// ids, which is the order of publishing ("to the front, in their old order"), then those that arrived, first in first out. A
/// message whose delay ends arrives at that moment.
///
/// **Memory.** A message that waits for its first delivery stands alone in a line, and needs 8 bytes there. Only those that were
/// delivered, are delayed, may expire or came out of order have an entry (24 bytes) and are in the index (14 bytes). For one that
/// stands alone an entry is made when somebody asks for it.
///
/// **Costs.** Arriving, taking, finding and settling what was delivered: constant time. Finding what was not, and what comes back or
/// falls due: O(log n).
class queue_core {
 public:
  queue_core() : index_(entries_) {}
  explicit queue_core(const topic_settings& settings) : index_(entries_), settings_(settings) {}
  queue_core(const queue_core&) = delete;
  queue_core& operator=(const queue_core&) = delete;

  // -- arriving ---------------------------------------------------------------------------------------------------------------

  /// A message comes to the tail, or waits for `not_before` (unix nanoseconds, 0 = at once). One that is here already is left alone.
  void arrive(carried_message message, std::int64_t not_before, std::int64_t now);
  /// Messages from a sibling's tail come, in their order, before what has arrived here.
  void arrive_stolen(std::span<carried_message> messages);
  /// Messages that were given, but could not go, come back to where they were: before those that arrived since.
  void take_back(std::span<carried_message> messages);

  // -- delivering -------------------------------------------------------------------------------------------------------------

  /// Leases up to `most` waiting messages, from the head, until they have `most_bytes` (one at least). Their clocks stand still until start_lease(). `batch` names this hand-out:
  /// whoever speaks of it later must not mean a later delivery of the same message.
  std::vector<entry_handle> take(std::size_t most, std::uint64_t most_bytes, lease_owner owner, std::uint64_t batch);
  /// Limits need not count this leased message any more: its consumer may know by now that it is acknowledged.
  void gone_for_limits(entry_handle h) noexcept { leases_[entries_[h].slot].gone_for_limits = true; }
  bool is_gone_for_limits(entry_handle h) const noexcept { return leases_[entries_[h].slot].gone_for_limits; }
  /// The entry of that id, if it is still leased by that hand-out; else no_entry.
  entry_handle find_leased(const message_id& id, std::uint64_t batch) const noexcept;
  /// The lease ends at `until`.
  void start_lease(entry_handle h, std::int64_t until) noexcept { leases_.move(entries_[h].slot, until); }
  /// The message never reached its consumer: it is at the front again and the delivery does not count.
  void undo_delivery(entry_handle h);
  /// A delivery failed: back to the front, at once or at `not_before`; or to be buried, if it was the last one allowed.
  std::optional<burial> fail_delivery(entry_handle h, std::int64_t now, std::int64_t not_before = 0);
  /// The leases of a subscription.
  std::vector<entry_handle> leases_of(lease_owner owner) const;

  // -- settling ---------------------------------------------------------------------------------------------------------------

  /// The entry of the message with this id, or no_entry when it is not here. One that stood alone has an entry from then on.
  entry_handle find(const message_id& id);
  /// The same question, when no entry is wanted.
  bool holds(const message_id& id) const noexcept;
  const entry& operator[](entry_handle h) const noexcept { return entries_[h]; }
  /// When a lease ends; timer_heap::never while its clock stands still.
  std::int64_t leased_until(entry_handle h) const noexcept { return leases_.when(entries_[h].slot); }
  lease_owner owner_of(entry_handle h) const noexcept { return leases_[entries_[h].slot].owner; }
  /// When a delayed message is due.
  std::int64_t delayed_until(entry_handle h) const noexcept { return delays_.when(entries_[h].slot); }

  /// What settle() took an entry out of, for restore().
  struct settled_from {
    entry_handle entry;
    mqlite::place place;
    std::int64_t when;
    lease_owner owner;
    std::uint64_t batch;
    bool gone_for_limits;
  };
  /// Takes an entry out of circulation while the record of its end is being written. It must not be settling already.
  settled_from settle(entry_handle h);
  /// The record was written: the entry is gone.
  carried_message remove(entry_handle h);
  /// The same for an entry that goes to another place with a record that names it by its id alone: a snapshot that has not come to
  /// it yet has it as it was.
  carried_message send_off(entry_handle h, std::int64_t now);
  /// The record could not be written: the entry is what it was.
  void restore(const settled_from& before);

  // -- time -------------------------------------------------------------------------------------------------------------------

  /// When due() has something to do next; timer_heap::never when nothing waits for time.
  std::int64_t next_due() const noexcept;
  struct due_messages {
    std::uint64_t timed_out = 0;  ///< leases that ended
    std::vector<burial> burials;
  };
  /// Brings back timed-out leases and ended delays, and takes out what has expired.
  due_messages due(std::int64_t now);
  /// Only lets the messages arrive whose delays are over.
  void end_delays(std::int64_t now);

  // -- siblings ---------------------------------------------------------------------------------------------------------------

  /// Gives up `count` waiting messages from the tail, in order: they are gone from here.
  std::vector<carried_message> give(std::size_t count, std::int64_t now);
  /// Up to `most` of the oldest messages that nobody has, in the order in which they would be dropped. Delayed ones are among them
  /// where the settings have limits and say `drop_oldest`.
  std::vector<entry_handle> oldest(std::size_t most);
  /// Takes up to `count` of them out, to be buried; none that was published behind `through`.
  std::vector<burial> drop_oldest(std::size_t count, const message_id& through);

  // -- the log's side ---------------------------------------------------------------------------------------------------------

  /// A recorded lease, at replay. Unknown ids are ignored, here and below.
  void replay_lease(const message_id& id, std::int64_t until, std::optional<std::uint32_t> deliveries);
  void replay_return(const message_id& id, std::int64_t not_before, std::optional<std::uint32_t> deliveries);
  /// Takes a message out for good, or to put it elsewhere; nothing when it is not here.
  std::optional<carried_message> replay_remove(const message_id& id);

  // -- snapshots (queue_snapshot.hpp) -----------------------------------------------------------------------------------------

  /// Begins to list what is here now, in slices, while the queue goes on. One that was begun before is given up.
  void begin_snapshot();
  /// Appends the next entries to `out`, about `most` of them. False when nothing is left: the snapshot is over.
  bool next_slice(std::size_t most, std::int64_t now, std::vector<snapshot_entry>& out);
  void end_snapshot() { snapshot_ = nullptr; }
  bool has_snapshot() const noexcept { return snapshot_ != nullptr; }

  // -- looking ----------------------------------------------------------------------------------------------------------------

  std::size_t ready() const noexcept { return line_.size() + returned_.size(); }
  std::size_t leased() const noexcept { return leases_.size() + settling_; }
  std::size_t delayed() const noexcept { return delays_.size(); }
  std::size_t size() const noexcept { return entries_.size() + line_.alone(); }
  /// Those of them that have an entry.
  std::size_t entries() const noexcept { return entries_.size(); }
  /// Payloads and attributes of all messages here, in bytes.
  std::uint64_t bytes() const noexcept { return bytes_; }

  /// Calls `visit(const message_ptr&, deliveries)` for up to `most` waiting messages, in the order in which they will be given out.
  template <class Visit>
  void each_ready(std::size_t most, Visit visit) const {
    const auto show = [&](const entry& e) { visit(e.message, std::uint32_t{e.deliveries}); };
    for (auto i = returned_.begin(); i != returned_.end() && most > 0; ++i, --most) show(entries_[i->second]);
    for (auto p = line_.begin(); p != line_.end() && most > 0; p = line_.next(p + 1), --most) {
      const auto h = line_.entry_at(p);
      h == no_entry ? visit(line_.message_at(p), 0U) : show(entries_[h]);
    }
  }
  /// In the order of their ends.
  std::vector<entry_handle> leased_entries(std::size_t most) const;
  std::vector<entry_handle> delayed_entries(std::size_t most) const;
  /// All messages here, each once: ready in order, then the others. All of them have entries from then on.
  std::vector<entry_handle> all();

  /// Subscriptions whose leases ended since the last call, one entry for each lease.
  std::vector<lease_owner> take_freed() { return std::exchange(freed_, {}); }

  const topic_settings& settings() const noexcept { return settings_; }
  /// New settings hold at once, also for what is here.
  void settings(const topic_settings& settings);

 private:
  struct lease {
    entry_handle entry = no_entry;
    lease_owner owner = pulled;
    std::uint64_t batch = 0;
    bool gone_for_limits = false;
    std::uint32_t next = no_entry;  ///< list of the owner's leases
    std::uint32_t prev = no_entry;
  };

  friend class queue_snapshot;
  static constexpr std::uint32_t most_deliveries = (1U << 24) - 1;

  entry_handle add(carried_message m);
  void count(const message& m) noexcept;
  /// The entry of whoever stands there in line.
  entry_handle enter(arrival_line::position at);
  bool may_stand_alone(const carried_message& m) const noexcept;
  void to_tail(carried_message m);
  void to_tail(entry_handle h) { to_line(h, line_.push_back(h)); }
  void to_head(carried_message m);
  void to_line(entry_handle h, arrival_line::position at);
  carried_message send_off_last(std::int64_t now);
  void left_line();
  void to_front(entry_handle h);
  void to_delayed(entry_handle h, std::int64_t until);
  void to_leased(entry_handle h, std::int64_t until, lease_owner owner, std::uint64_t batch, bool gone_for_limits);
  void leave(entry_handle h);
  void end_lease(entry_handle h);
  std::int64_t expiry_of(entry_handle h) const noexcept;
  void watch_expiry(entry_handle h);
  void forget_expiry(entry_handle h);
  void to_settling(entry_handle h, mqlite::place before, std::int64_t until);
  burial to_bury(entry_handle h, dead_reason reason, mqlite::place before);
  bool waits(entry_handle h) const noexcept;
  bool drops_oldest() const noexcept {
    return settings_.overflow == overflow_policy::drop_oldest && (settings_.max_length > 0 || settings_.max_bytes > 0);
  }

  entry_store entries_;
  id_index index_;
  topic_settings settings_;

  arrival_line line_;
  std::map<message_id, entry_handle> returned_;
  timer_heap<entry_handle> delays_;
  std::map<message_id, entry_handle> delayed_by_age_;  ///< where the oldest are dropped
  timer_heap<lease> leases_;
  std::unordered_map<lease_owner, std::uint32_t> owners_;     ///< first lease of each subscription
  std::set<std::pair<std::int64_t, entry_handle>> expiries_;  ///< of waiting messages that can expire
  std::vector<lease_owner> freed_;
  message_id newest_;  ///< of all that were ever here: a newer one cannot be here already
  std::size_t settling_ = 0;
  std::uint64_t bytes_ = 0;
  std::shared_ptr<queue_snapshot> snapshot_;  ///< the one that is being taken
};

}  // namespace mqlite
