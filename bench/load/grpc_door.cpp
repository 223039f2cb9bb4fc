#include "bench/load/grpc_door.hpp"

#include <absl/synchronization/mutex.h>

#include <algorithm>
#include <set>

#include "bench/load/conversation.hpp"
#include "bench/load/grpc_stream.hpp"
#include "bench/load/sockets.hpp"
#include "proto/mqlite.grpc.pb.h"

namespace mqlite::load {
namespace {

using v1::MQLiteService;

/// Events that one poll takes at most.
constexpr int most_events = 1000;

void check(const grpc::Status& status) {
  if (!status.ok()) throw run_error("the broker refuses: " + status.error_message());
}

template <class Response>
class unary_call final : public event {
 public:
  using handler = std::function<void(const Response&, listener&)>;
  template <class Start>
  unary_call(Start start, handler then) : then_(std::move(then)) {
    reader_ = start(&context_);
    reader_->Finish(&response_, &status_, this);
  }
  bool happened(bool, listener& to) override {
    check(status_);
    then_(response_, to);
    return true;
  }
  void cancel() override { context_.TryCancel(); }

 private:
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientAsyncResponseReader<Response>> reader_;
  Response response_;
  grpc::Status status_;
  handler then_;
};

void take_message(const v1::Message& message, bool stamps, delivered& to) {
  ++to.count;
  to.tokens.add(message.receipt());
  if (stamps) to.stamps.push_back(message.payload().substr(0, stamp_size));
}

/// Messages that are pushed.
class subscription final : public event {
 public:
  subscription(MQLiteService::Stub& stub, const v1::SubscribeRequest& request, grpc::CompletionQueue& queue,
               std::size_t lane, bool stamps)
      : lane_(lane), stamps_(stamps), reader_(stub.AsyncSubscribe(&context_, request, &queue, this)) {}

  bool happened(bool ok, listener& to) override {
    if (!ok) throw run_error("the broker ended a subscription");
    if (std::exchange(begun_, true)) {
      take_message(message_, stamps_, messages_);
      to.on_messages(lane_, messages_);
      messages_.clear();
    }
    reader_->Read(&message_, this);
    return false;
  }
  void cancel() override { context_.TryCancel(); }

 private:
  grpc::ClientContext context_;
  std::size_t lane_;
  bool stamps_;
  bool begun_ = false;
  v1::Message message_;
  delivered messages_;
  std::unique_ptr<grpc::ClientAsyncReader<v1::Message>> reader_;
};

// -- the door -------------------------------------------------------------------------------------------------------------------

class grpc_door final : public door {
 public:
  explicit grpc_door(const plan& what) : plan_(what), payload_(payload_of(what)) {
    absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);  // which costs time, as the broker knows
  }
  ~grpc_door() override { close(); }

  void open(std::size_t publishers, std::size_t consumers) override {
    connections_ = publishers;
    std::vector<std::shared_ptr<grpc::Channel>> channels;
    for (std::size_t i = 0; i < publishers + consumers; ++i) {
      channels.push_back(connect());
      stubs_.push_back(MQLiteService::NewStub(channels.back()));
    }
    set_up();
    if (plan_.via == protocol::grpc_stream)
      for (std::size_t i = 0; i < publishers; ++i)
        streams_.push_back(std::make_unique<publish_stream>(channels[i], queue_, i, publish_request(i)));
  }
  std::size_t publishing_lanes() const override { return streams_.empty() ? connections_ * calls() : connections_; }
  std::size_t lane_depth() const override { return streams_.empty() ? 1 : calls(); }

  void publish(std::size_t lane, std::size_t requests) override {
    if (!streams_.empty()) return streams_[lane]->publish(requests);
    for (; requests > 0; --requests) publish_once(lane);
  }
  void publish_stamped(std::size_t lane, std::string_view stamp) override {
    auto request = publish_request(lane);
    request.mutable_payload()->replace(0, stamp.size(), stamp);
    if (!streams_.empty()) return streams_[lane]->publish(request);
    send_publish(lane, request);
  }
  void fetch(std::size_t lane, std::size_t most, bool wait) override;
  void settle(std::size_t lane, const token_list& tokens) override;
  bool subscribe(std::size_t lane, std::size_t window) override;
  void poll(listener& to, clock::time_point until) override;
  std::optional<std::uint64_t> stored() override;
  void close() noexcept override;

 private:
  /// Calls, or messages of a stream, that each connection has under way.
  std::size_t calls() const { return plan_.what == workload::drain ? filling_calls : plan_.outstanding; }
  std::shared_ptr<grpc::Channel> connect() const {
    grpc::ChannelArguments own;
    own.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    own.SetMaxReceiveMessageSize(-1);
    return grpc::CreateCustomChannel(plan_.host + ":" + std::to_string(plan_.port), grpc::InsecureChannelCredentials(),
                                     own);
  }
  MQLiteService::Stub& stub_of(std::size_t lane) {
    const auto lanes = publishing_lanes();
    return *stubs_[lane < lanes ? lane % connections_ : connections_ + lane - lanes];
  }
  place from(std::size_t lane) const { return place_of(plan_, lane - publishing_lanes()); }
  v1::PublishRequest publish_request(std::size_t number) const {
    v1::PublishRequest request;
    request.set_namespace_(plan_.name_space);
    request.set_topic(topic_name(plan_, number % layout_of(plan_).topics));
    request.set_payload(payload_);
    return request;
  }
  template <class Response, class Start>
  void call(Start start, typename unary_call<Response>::handler then) {
    running_.insert(new unary_call<Response>(std::move(start), std::move(then)));
  }
  template <class Request, class Response>
  grpc::Status ask(grpc::Status (MQLiteService::Stub::*what)(grpc::ClientContext*, const Request&, Response*),
                   const Request& request, Response& response) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + patience);
    return (*stubs_.front().*what)(&context, request, &response);
  }
  void publish_once(std::size_t lane);
  void send_publish(std::size_t lane, const v1::PublishRequest& request);
  void set_up();
  void tear_down();

  plan plan_;
  std::string payload_;
  std::size_t connections_ = 0;
  std::vector<std::unique_ptr<MQLiteService::Stub>> stubs_;
  grpc::CompletionQueue queue_;
  std::set<event*> running_;
  std::vector<std::unique_ptr<publish_stream>> streams_;
  bool closed_ = false;
  bool made_namespace_ = false;
  std::size_t made_topics_ = 0;
};

void grpc_door::send_publish(std::size_t lane, const v1::PublishRequest& request) {
  call<v1::PublishResponse>(
      [&](grpc::ClientContext* context) { return stub_of(lane).AsyncPublish(context, request, &queue_); },
      [lane](const v1::PublishResponse&, listener& to) { to.on_published(lane, 1); });
}

void grpc_door::publish_once(std::size_t lane) {
  const auto one = publish_request(lane);
  if (plan_.batch == 1 || plan_.what == workload::drain) return send_publish(lane, one);
  v1::PublishBatchRequest request;
  request.set_namespace_(one.namespace_());
  request.set_topic(one.topic());
  for (std::size_t i = 0; i < plan_.batch; ++i) request.add_messages()->set_payload(payload_);
  call<v1::PublishBatchResponse>(
      [&](grpc::ClientContext* context) { return stub_of(lane).AsyncPublishBatch(context, request, &queue_); },
      [lane](const v1::PublishBatchResponse& answer, listener& to) {
        for (const auto& one : answer.results())
          if (!one.code().empty()) throw run_error("the broker refuses: " + one.error());
        to.on_published(lane, static_cast<std::size_t>(answer.results_size()));
      });
}

void grpc_door::fetch(std::size_t lane, std::size_t most, bool wait) {
  v1::ConsumeRequest request;
  request.set_namespace_(plan_.name_space);
  request.set_topic(from(lane).topic);
  request.set_queue_id(from(lane).queue);
  request.set_batch_size(static_cast<int>(most));
  if (wait) request.set_wait_ms(10'000);
  call<v1::ConsumeResponse>(
      [&](grpc::ClientContext* context) { return stub_of(lane).AsyncConsume(context, request, &queue_); },
      [lane, stamps = plan_.what == workload::end_to_end](const v1::ConsumeResponse& answer, listener& to) {
        delivered messages;
        messages.fetches = 1;
        for (const auto& message : answer.messages()) take_message(message, stamps, messages);
        to.on_messages(lane, messages);
      });
}

void grpc_door::settle(std::size_t lane, const token_list& tokens) {
  v1::AckRequest request;
  request.set_namespace_(plan_.name_space);
  request.set_topic(from(lane).topic);
  request.set_queue_id(std::max(0, from(lane).queue));
  for (std::size_t i = 0; i < tokens.size(); ++i) request.add_message_ids(std::string(tokens[i]));
  call<v1::AckResponse>([&](grpc::ClientContext* context) { return stub_of(lane).AsyncAck(context, request, &queue_); },
                        [lane](const v1::AckResponse& answer, listener& to) {
                          to.on_settled(lane, static_cast<std::size_t>(answer.acknowledged()));
                        });
}

bool grpc_door::subscribe(std::size_t lane, std::size_t window) {
  v1::SubscribeRequest request;
  request.set_namespace_(plan_.name_space);
  request.set_topic(from(lane).topic);
  request.set_queue_id(from(lane).queue);
  request.set_max_in_flight(static_cast<int>(window));
  running_.insert(new subscription(stub_of(lane), request, queue_, lane, plan_.what == workload::end_to_end));
  return true;
}

void grpc_door::poll(listener& to, clock::time_point until) {
  const auto left = std::chrono::duration_cast<std::chrono::nanoseconds>(until - clock::now()).count();
  auto deadline =
      gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_nanos(std::max<std::int64_t>(0, left), GPR_TIMESPAN));
  for (int i = 0; i < most_events; ++i) {
    void* tag = nullptr;
    bool ok = false;
    if (queue_.AsyncNext(&tag, &ok, deadline) != grpc::CompletionQueue::GOT_EVENT) return;
    auto* what = static_cast<event*>(tag);
    if (what->happened(ok, to)) {
      running_.erase(what);
      delete what;
    }
    deadline = gpr_time_0(GPR_CLOCK_MONOTONIC);
  }
}

// -- the topic ------------------------------------------------------------------------------------------------------------------

void grpc_door::set_up() {
  v1::CreateNamespaceRequest name_space;
  v1::CreateNamespaceResponse ignored;
  name_space.set_name(plan_.name_space);
  auto status = ask(&MQLiteService::Stub::CreateNamespace, name_space, ignored);
  made_namespace_ = status.ok();
  if (status.error_code() != grpc::StatusCode::ALREADY_EXISTS) check(status);
  const auto layout = layout_of(plan_);
  for (std::size_t i = 0; i < layout.topics; ++i) {
    v1::CreateTopicRequest topic;
    v1::CreateTopicResponse also_ignored;
    topic.set_namespace_(plan_.name_space);
    topic.set_name(topic_name(plan_, i));
    topic.set_queue_count(static_cast<int>(layout.queues_each));
    status = ask(&MQLiteService::Stub::CreateTopic, topic, also_ignored);
    if (!plan_.keep || status.error_code() != grpc::StatusCode::ALREADY_EXISTS) check(status);
    made_topics_ = i + 1;
  }
}

void grpc_door::tear_down() {
  if (plan_.keep) return;
  for (std::size_t i = 0; i < made_topics_; ++i) {
    v1::DeleteTopicRequest request;
    v1::DeleteTopicResponse ignored;
    request.set_namespace_(plan_.name_space);
    request.set_name(topic_name(plan_, i));
    ask(&MQLiteService::Stub::DeleteTopic, request, ignored);
  }
  v1::ListTopicsRequest all;
  v1::ListTopicsResponse left;
  all.set_namespace_(plan_.name_space);
  if (!made_namespace_ || !ask(&MQLiteService::Stub::ListTopics, all, left).ok() || left.topics_size() > 0) return;
  v1::DeleteNamespaceRequest request;
  v1::DeleteNamespaceResponse ignored;
  request.set_name(plan_.name_space);
  ask(&MQLiteService::Stub::DeleteNamespace, request, ignored);
}

std::optional<std::uint64_t> grpc_door::stored() {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < layout_of(plan_).topics; ++i) {
    v1::GetTopicRequest request;
    v1::GetTopicResponse topic;
    request.set_namespace_(plan_.name_space);
    request.set_name(topic_name(plan_, i));
    check(ask(&MQLiteService::Stub::GetTopic, request, topic));
    for (const auto& queue : topic.queues())
      sum += static_cast<std::uint64_t>(queue.ready() + queue.leased() + queue.delayed());
  }
  return sum;
}

/// Calls that are under way end first: the queue tells of each before it is empty.
void grpc_door::close() noexcept {
  if (std::exchange(closed_, true)) return;
  for (auto* one : running_) one->cancel();
  for (auto& stream : streams_) stream->cancel();
  queue_.Shutdown();
  void* tag = nullptr;
  for (bool ok = false; queue_.Next(&tag, &ok);) continue;
  for (auto* one : running_) delete one;
  running_.clear();
  streams_.clear();
  if (!stubs_.empty()) tear_down();
}

}  // namespace

std::unique_ptr<door> make_grpc_door(const plan& what) { return std::make_unique<grpc_door>(what); }

}  // namespace mqlite::load
