#include <algorithm>

#include "protocols/tcp/answer.hpp"
#include "protocols/tcp/operations.hpp"
#include "protocols/tcp/push_stream.hpp"
#include "protocols/tcp/session.hpp"
#include "protocols/translate/batch_answer.hpp"

/// The part of a session that carries commands out.
namespace mqlite::tcp {
namespace {

constexpr std::size_t most_streams = 1000;
/// Topics that one run of publishes may go to.
constexpr std::size_t most_batches = 16;

std::string about(const request::queue_address& queue) {
  const auto which = queue.queue == any_queue ? std::string("any queue") : "queue " + std::to_string(queue.queue);
  return which + " of topic " + queue.topic;
}

/// The batch for a topic; null when the run has no place for another one.
publish_run::batch* batch_for(publish_run& run, std::string_view name_space, std::string_view topic,
                              std::uint32_t& index) {
  for (std::size_t i = run.batches.size(); i-- > 0;) {
    auto& batch = run.batches[i];
    if (batch.topic != topic || batch.name_space != name_space) continue;
    index = static_cast<std::uint32_t>(i);
    return &batch;
  }
  if (run.batches.size() == most_batches) return nullptr;
  index = static_cast<std::uint32_t>(run.batches.size());
  run.batches.push_back({std::string(name_space), std::string(topic), {}, {}});
  return &run.batches.back();
}

}  // namespace

answer_line::number session::owe(work kind, std::size_t bytes) {
  owed_answer owed;
  owed.kind = kind;
  owed.bytes = bytes;
  return line_.add(std::move(owed));
}

template <class Write>
bool session::answer(answer_line::number n, Write write) {
  auto* owed = closed_ ? nullptr : line_.find(n);
  if (owed == nullptr || owed->done) return false;
  write(owed->text);
  line_.finish(*owed);
  schedule();
  return true;
}

void session::refuse(const answer_address& to, const failure& why, std::size_t bytes) {
  send_run();
  answer(owe(work::settle, bytes), [&](std::string& out) { write_failure(out, to, count(), why); });
}

// -- publishing -----------------------------------------------------------------------------------------------------------------

void session::begin_publish(answer_address to, publishing& message, std::size_t bytes) {
  if (!run_) {
    owed_answer owed;
    owed.kind = work::publish;
    owed.commands = 0;
    owed.run = std::make_unique<publish_run>();
    run_ = line_.add(std::move(owed));
  }
  auto& owed = *line_.find(*run_);
  publish_run::place place{std::move(to), 0, 0};
  auto* batch = batch_for(*owed.run, message.name_space, message.topic, place.batch);
  if (batch == nullptr) {
    send_run();
    return begin_publish(std::move(place.to), message, bytes);
  }
  place.position = static_cast<std::uint32_t>(batch->drafts.size());
  batch->drafts.push_back(std::move(message.message));
  owed.run->places.push_back(std::move(place));
  line_.join(owed, bytes);
}

/// Hands the publishes that were gathered to the broker.
void session::send_run() {
  if (!run_) return;
  const auto n = *std::exchange(run_, std::nullopt);
  auto& run = *line_.find(n)->run;
  run.unanswered = run.batches.size();
  const auto begun = clock::now();
  for (std::size_t i = 0; i < run.batches.size(); ++i) {
    auto& batch = run.batches[i];
    broker().publish_batch(batch.name_space, batch.topic, std::move(batch.drafts),
                           [self = shared_from_this(), n, i, begun](outcome<std::vector<outcome<published>>> results) {
                             self->on_run_answered(n, i, begun, std::move(results));
                           });
  }
}

void session::on_run_answered(answer_line::number n, std::size_t batch, clock::time_point begun,
                              outcome<std::vector<outcome<published>>> results) {
  auto* owed = closed_ ? nullptr : line_.find(n);
  if (owed == nullptr) return;
  auto& run = *owed->run;
  if (results) {
    shared().publish_times->observe(clock::now() - begun, results->size());
    run.batches[batch].results = std::move(*results);
  } else {
    for (const auto& place : run.places)
      if (place.batch == batch) run.batches[batch].results.emplace_back(results.why());
  }
  if (--run.unanswered > 0) return;
  line_.finish(*owed);
  schedule();
}

void session::begin(answer_address to, request::publish_batch request, std::size_t bytes) {
  const auto n = owe(work::publish, bytes);
  auto batch = std::make_shared<batch_answer>();
  auto drafts = batch->open(request.messages);
  auto then = [self = shared_from_this(), n, batch, to = std::move(to),
               begun = clock::now()](outcome<std::vector<outcome<published>>> results) {
    self->shared().publish_times->observe(clock::now() - begun);
    self->answer(n, [&](std::string& out) {
      if (!results) return write_failure(out, to, self->count(), results.why());
      batch->fill(results);
      write_answer(
          out, to, self->count(), [&](std::string& data) { append_outcomes(data, batch->outcomes()); },
          [&](v1::TCPResponse& response) { fill(*response.mutable_publish_batch(), batch->outcomes()); });
    });
  };
  broker().publish_batch(request.name_space, request.topic, std::move(drafts), std::move(then));
}

// -- consuming ------------------------------------------------------------------------------------------------------------------

void session::begin(answer_address to, request::consume request, std::size_t bytes) {
  const bool waits = request.options.wait.count() > 0;
  const auto n = owe(waits ? work::wait : work::consume, bytes);
  const auto waiting = waits ? std::make_shared<waiting_consume>() : nullptr;
  line_.find(n)->waiting = waiting;
  const request::queue_address from = request;
  auto then = [self = shared_from_this(), n, to = std::move(to), from, waiting](outcome<consumed> messages) {
    self->on_consumed(n, to, from, waiting && waiting->cancelled, std::move(messages));
  };
  auto token = broker().consume(request.name_space, request.topic, request.queue, request.options, std::move(then));
  if (waiting) waiting->token = std::move(token);
  if (waiting && peer_ended_) cancel_waits();
}

void session::on_consumed(answer_line::number n, const answer_address& to, const request::queue_address& from,
                          bool cancelled, outcome<consumed> messages) {
  // Where nobody sees the end of a wait, it ended with nothing.
  if (cancelled && !messages && messages.why().abandoned) messages = consumed();
  if (messages && cancelled) *messages = consumed();
  auto* owed = line_.find(n);
  answer(n, [&](std::string& out) {
    if (!messages) return write_failure(out, to, count(), messages.why());
    const message_origin origin{from.name_space, from.topic};
    write_consumed(out, to, count(), origin, messages->deliveries);
    messages->deliveries.clear();
    owed->messages.push_back(std::move(*messages));
  });
}

void session::cancel_waits() {
  line_.for_each([&](owed_answer& owed) {
    if (owed.done || !owed.waiting || owed.waiting->cancelled) return;
    owed.waiting->cancelled = true;
    broker().cancel(owed.waiting->token);
  });
}

// -- subscriptions --------------------------------------------------------------------------------------------------------------

std::shared_ptr<push_stream> session::find_stream(const request::queue_address& from) const {
  const auto at =
      std::find_if(streams_.begin(), streams_.end(), [&](const auto& stream) { return stream->is_from(from); });
  return at == streams_.end() ? nullptr : *at;
}

void session::remove_stream(const std::shared_ptr<push_stream>& stream) {
  stream->end();
  std::erase(streams_, stream);
}

void session::end_streams() {
  for (const auto& stream : std::exchange(streams_, {})) stream->end();
  pushing_.clear();
}

void session::begin(answer_address to, request::subscribe request, std::size_t bytes) {
  if (peer_ended_) return refuse(to, {error_code::failed_precondition, "the connection is closing", false}, bytes);
  if (find_stream(request))
    return refuse(
        to, {error_code::already_exists, "this connection is subscribed to " + about(request) + " already", false},
        bytes);
  if (streams_.size() == most_streams)
    return refuse(to,
                  {error_code::resource_exhausted,
                   "this connection has " + std::to_string(most_streams) + " subscriptions already", false},
                  bytes);
  const auto n = owe(work::other, bytes);
  auto stream = std::make_shared<push_stream>(weak_from_this(), to.as, request);
  streams_.push_back(stream);
  auto then = [self = shared_from_this(), n, to = std::move(to), stream](outcome<subscription> running) {
    self->on_subscribed(n, to, stream, std::move(running));
  };
  broker().subscribe(request.name_space, request.topic, request.queue, request.auto_ack, request.max_in_flight, stream,
                     std::move(then));
}

void session::on_subscribed(answer_line::number n, const answer_address& to, const std::shared_ptr<push_stream>& stream,
                            outcome<subscription> running) {
  const bool wanted = answer(n, [&](std::string& out) {
    if (running)
      write_ok(out, to, count());
    else
      write_failure(out, to, count(), running.why());
  });
  if (!running) return remove_stream(stream);
  stream->hold(std::move(*running));
  if (!wanted || !find_stream(stream->from())) return stream->end();
  line_.find(n)->opens = stream;
}

void session::begin(answer_address to, request::unsubscribe request, std::size_t bytes) {
  const auto stream = find_stream(request);
  if (!stream)
    return refuse(to, {error_code::not_found, "this connection is not subscribed to " + about(request), false}, bytes);
  remove_stream(stream);
  answer(owe(work::other, bytes), [&](std::string& out) {
    write_answer(
        out, to, count(), [](std::string& data) { data += R"({"success":true})"; },
        [](v1::TCPResponse& response) { response.mutable_unsubscribe()->set_success(true); });
  });
}

// -- the rest -------------------------------------------------------------------------------------------------------------------

template <class Request>
void session::begin(answer_address to, Request request, std::size_t bytes) {
  using how = operation<Request>;
  work kind = work::other;
  if constexpr (std::is_same_v<Request, request::settle>)
    kind = request.what == settlement::nack ? work::nack : work::settle;
  const auto n = owe(kind, bytes);
  auto held = std::make_shared<Request>(std::move(request));
  how::start(broker(), *held,
             [self = shared_from_this(), n, to = std::move(to), held](outcome<typename how::result> result) {
               self->answer(n, [&](std::string& out) {
                 if (!result) return write_failure(out, to, self->count(), result.why());
                 write_answer(
                     out, to, self->count(), [&](std::string& data) { how::json(data, *held, *result); },
                     [&](v1::TCPResponse& response) { how::proto(response, *held, *result); });
               });
             });
}

void session::begin(answer_address to, request::stats request, std::size_t bytes) {
  const auto n = owe(work::other, bytes);
  const auto detail = request.topics ? stats_detail::topics : stats_detail::totals;
  broker().stats([self = shared_from_this(), n, detail, to = std::move(to)](outcome<broker_stats> stats) {
    self->answer(n, [&](std::string& out) {
      if (!stats) return write_failure(out, to, self->count(), stats.why());
      const auto append = [&](std::string& data) { append_stats(data, self->shared().facts, *stats, detail); };
      write_answer(out, to, self->count(), append,
                   [&](v1::TCPResponse& response) { append(*response.mutable_stats()->mutable_json()); });
    });
  });
}

void session::begin(answer_address to, request::ping, std::size_t bytes) {
  answer(owe(work::settle, bytes), [&](std::string& out) {
    write_answer(
        out, to, count(), [](std::string& data) { data += "{}"; },
        [](v1::TCPResponse& response) { response.mutable_ping(); });
  });
}

void session::begin(answer_address to, request::auth, std::size_t bytes) {
  answer(owe(work::settle, bytes), [&](std::string& out) {
    write_answer(
        out, to, count(), [](std::string& data) { data += R"({"success":true})"; },
        [](v1::TCPResponse& response) { response.mutable_auth()->set_success(true); });
  });
}

// The requests that take() finds.
template void session::begin(answer_address, request::create_namespace, std::size_t);
template void session::begin(answer_address, request::delete_namespace, std::size_t);
template void session::begin(answer_address, request::list_namespaces, std::size_t);
template void session::begin(answer_address, request::create_topic, std::size_t);
template void session::begin(answer_address, request::delete_topic, std::size_t);
template void session::begin(answer_address, request::list_topics, std::size_t);
template void session::begin(answer_address, request::get_topic, std::size_t);
template void session::begin(answer_address, request::update_topic, std::size_t);
template void session::begin(answer_address, request::resize_topic, std::size_t);
template void session::begin(answer_address, request::rebalance_topic, std::size_t);
template void session::begin(answer_address, request::settle, std::size_t);
template void session::begin(answer_address, request::peek, std::size_t);
template void session::begin(answer_address, request::purge, std::size_t);
template void session::begin(answer_address, request::list_dead, std::size_t);
template void session::begin(answer_address, request::redrive_dead, std::size_t);
template void session::begin(answer_address, request::purge_dead, std::size_t);

}  // namespace mqlite::tcp
