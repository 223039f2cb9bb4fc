#include "actors/log/rewriter.hpp"

#include <utility>

namespace mqlite {
namespace {

failure given_up() { return {error_code::unavailable, "it was given up"}; }

}  // namespace

rewriter_state::rewriter_state(rewriter_actor::pointer self, broker_actor broker, std::shared_ptr<record_sink> sink,
                               std::shared_ptr<rewrite_progress> progress, reply<done> answer)
    : answer_(std::move(answer)),
      self_(self),
      broker_(std::move(broker)),
      sink_(std::move(sink)),
      progress_(std::move(progress)) {
  end_process_on_exception(self);
}

rewriter_state::~rewriter_state() { leave_topic(); }

rewriter_actor::behavior_type rewriter_state::make_behavior() {
  return {
      [this](event::begin_rewriting) { start(); },
      [this](event::abandon) { end(given_up()); },
  };
}

// -- asking -------------------------------------------------------------------------------------------------------------------

void rewriter_state::start() {
  ask(self_, broker_, begin_snapshot{})
      .then(
          [this](broker_snapshot& snapshot) {
            if (snapshot.problem) return end(std::move(*snapshot.problem));
            namespaces_.assign(snapshot.namespaces.begin(), snapshot.namespaces.end());
            // Numbers that were given to topics are not given again, whether those topics are still there or not.
            if (snapshot.last_topic_id > 0 && !append(records::topic_deleted(snapshot.last_topic_id))) return;
            for (const auto& name : snapshot.names)
              if (!append(records::namespace_created(name))) return;
            next_namespace();
          },
          [this](const caf::error&) {
            end(failure{error_code::unavailable, "the broker is shutting down"});
          });
}

// Here and below: who does not answer has been deleted since it was named. The record of that is in the new file.
void rewriter_state::next_namespace() {
  if (ended()) return;
  if (namespaces_.empty()) return finish();
  const auto next = std::move(namespaces_.front());
  namespaces_.pop_front();
  ask(self_, next, begin_snapshot{})
      .then(
          [this](namespace_snapshot& snapshot) {
            if (snapshot.problem) return end(std::move(*snapshot.problem));
            topics_.assign(snapshot.topics.begin(), snapshot.topics.end());
            next_topic();
          },
          [this](const caf::error&) { next_namespace(); });
}

void rewriter_state::next_topic() {
  if (ended()) return;
  if (topics_.empty()) return next_namespace();
  topic_ = std::move(topics_.front());
  topics_.pop_front();
  ask(self_, topic_, begin_snapshot{})
      .then(
          [this](topic_snapshot& snapshot) {
            if (snapshot.problem) return end(std::move(*snapshot.problem));
            queues_.assign(snapshot.queues.begin(), snapshot.queues.end());
            records_.emplace(snapshot.id, [this](std::string framed) { return append(std::move(framed)); });
            if (append(std::move(snapshot.record))) next_queue();
          },
          [this](const caf::error&) { end_topic(); });
}

void rewriter_state::next_queue() {
  if (queues_.empty()) return ask_dead();
  ask_slice();
}

void rewriter_state::ask_slice() {
  if (ended()) return;
  ask(self_, queues_.front(), next_slice{})
      .then(
          [this](const queue_slice& slice) {
            if (!slice.valid) return end(given_up());
            write(slice);
            if (!slice.last) return ask_slice();
            queues_.pop_front();
            next_queue();
          },
          [this](const caf::error&) { end_topic(); });
}

void rewriter_state::ask_dead() {
  if (ended()) return;
  ask(self_, topic_, next_slice{})
      .then(
          [this](const dead_slice& slice) {
            if (!slice.valid) return end(given_up());
            write(slice);
            if (!slice.last) return ask_dead();
            end_topic();
          },
          [this](const caf::error&) { end_topic(); });
}

void rewriter_state::end_topic() {
  if (!ended() && records_) records_->flush();
  records_.reset();
  leave_topic();
  next_topic();
}

void rewriter_state::leave_topic() {
  if (const auto left = std::exchange(topic_, nullptr)) tell(left, event::snapshot_over{});
}

void rewriter_state::finish() {
  if (auto problem = sink_->finish()) return end(std::move(*problem));
  end(done{});
}

void rewriter_state::end(outcome<done> how) {
  if (ended()) return;
  sink_.reset();  // what was not finished goes before it is told,
  leave_topic();  // and the topic knows before another rewrite can begin: that one's snapshot must not be ended by this
  (*std::exchange(answer_, std::nullopt))(std::move(how));
  self_->quit();
}

// -- writing ------------------------------------------------------------------------------------------------------------------

void rewriter_state::write(const queue_slice& slice) {
  progress_->messages.fetch_add(slice.entries.size(), std::memory_order_relaxed);
  for (const auto& entry : slice.entries)
    if (!records_->add(slice.queue, entry)) return;
}

void rewriter_state::write(const dead_slice& slice) {
  progress_->messages.fetch_add(slice.letters.size(), std::memory_order_relaxed);
  for (const auto& letter : slice.letters)
    if (!records_->add(letter)) return;
}

bool rewriter_state::append(std::string framed) {
  progress_->bytes.fetch_add(framed.size(), std::memory_order_relaxed);
  auto problem = sink_->append(std::move(framed));
  if (problem) end(std::move(*problem));
  return !ended();
}

}  // namespace mqlite
