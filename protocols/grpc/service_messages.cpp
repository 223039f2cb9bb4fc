#include <chrono>

#include "protocols/grpc/publish_stream.hpp"
#include "protocols/grpc/service.hpp"
#include "protocols/grpc/subscribe_stream.hpp"
#include "protocols/grpc/unary_call.hpp"
#include "protocols/translate/batch_answer.hpp"
#include "protocols/translate/proto_answers.hpp"
#include "protocols/translate/proto_requests.hpp"

/// Messages, from publish to dead letters.
namespace mqlite {
namespace {

using stopwatch = std::chrono::steady_clock;

/// Where the messages of a request's topic come from; valid until the call is answered.
template <class Request>
message_origin origin_of(const Request& in) {
  return {in.namespace_(), in.topic()};
}

/// The completion of a peek or a list of dead letters.
template <class Request, class Response>
completion<std::vector<peeked>> answer_messages(unary_call_ptr call, const Request* in, Response* out) {
  return answer_with<std::vector<peeked>>(
      std::move(call), [in, out](const std::vector<peeked>& found) { fill(*out, origin_of(*in), found); });
}

/// The completion of what answers a count.
template <class Response>
completion<std::uint64_t> answer_count(unary_call_ptr call, Response* out) {
  return answer_with<std::uint64_t>(std::move(call), [out](std::uint64_t count) { fill(*out, count); });
}

/// Ack, nack and extend.
template <class Response>
auto settle_in(Response* out) {
  return [out](const unary_call_ptr& call, gateway& broker, request::settle&& r) {
    auto targets = std::move(r.messages.targets);
    auto then = answer_with<settled>(call, [out, named = std::make_shared<named_messages>(std::move(r.messages))](
                                               const settled& result) { fill(*out, result, *named); });
    broker.settle(r.name_space, r.topic, r.queue, r.what, std::move(targets), r.value, std::move(then));
  };
}

/// Clients take no more than 4 MiB in one answer unless they ask for it; what they do not take would stay leased. Less a last message
/// that may go beyond, and what is told along with each.
std::uint64_t answer_budget(const request::consume& r, const grpc_door& door) {
  constexpr std::uint64_t usual_limit = 4 << 20;
  const auto along = 64 + r.name_space.size() + r.topic.size();
  const auto last = std::min<std::uint64_t>(door.terms().max_message_bytes, usual_limit / 2);
  return usual_limit - last - std::min<std::uint64_t>(r.options.most * along, usual_limit / 4);
}

void answer_consume(const unary_call_ptr& call, const v1::ConsumeRequest& in, v1::ConsumeResponse& out,
                    outcome<consumed> messages) {
  if (call->answered()) return;
  // A wait that was cut short has found nothing.
  if (!messages && messages.why().abandoned && call->hurried()) messages = consumed();
  if (!messages) return call->refuse(messages.why());
  fill(out, origin_of(in), messages->deliveries);
  call->succeed(std::move(*messages));
}

}  // namespace

grpc::ServerUnaryReactor* grpc_service::Publish(call_context context, const v1::PublishRequest* in,
                                                v1::PublishResponse* out) {
  return serve(door_, std::move(context), read_request(*in, door_.terms()),
               [out](const unary_call_ptr& call, gateway& broker, request::publish&& r) {
                 broker.publish(r.name_space, r.topic, std::move(r.message),
                                [call, out, begun = stopwatch::now()](const outcome<published>& where) {
                                  call->door().publish_times().observe(stopwatch::now() - begun);
                                  if (call->answered()) return;
                                  if (!where) return call->refuse(where.why());
                                  fill(*out, *where);
                                  call->succeed();
                                });
               });
}

grpc::ServerUnaryReactor* grpc_service::PublishBatch(call_context context, const v1::PublishBatchRequest* in,
                                                     v1::PublishBatchResponse* out) {
  return serve(door_, std::move(context), read_request(*in, door_.terms()),
               [out](const unary_call_ptr& call, gateway& broker, request::publish_batch&& r) {
                 const auto answer = std::make_shared<batch_answer>();
                 auto drafts = answer->open(r.messages);
                 auto then = [call, out, answer,
                              begun = stopwatch::now()](outcome<std::vector<outcome<published>>> how) {
                   call->door().publish_times().observe(stopwatch::now() - begun);
                   if (call->answered()) return;
                   if (!how) return call->refuse(how.why());
                   answer->fill(how);
                   fill(*out, answer->outcomes());
                   call->succeed();
                 };
                 broker.publish_batch(r.name_space, r.topic, std::move(drafts), std::move(then));
               });
}

grpc::ServerUnaryReactor* grpc_service::Consume(call_context context, const v1::ConsumeRequest* in,
                                                v1::ConsumeResponse* out) {
  return serve(door_, std::move(context), read_request(*in),
               [in, out](const unary_call_ptr& call, gateway& broker, request::consume&& r) {
                 r.options.most_bytes = answer_budget(r, call->door());
                 auto waiting = broker.consume(r.name_space, r.topic, r.queue, r.options,
                                               [call, in, out](outcome<consumed> messages) {
                                                 answer_consume(call, *in, *out, std::move(messages));
                                               });
                 if (r.options.wait.count() > 0)
                   call->when_hurried(
                       [asked = broker.shared_from_this(), waiting = std::move(waiting)] { asked->cancel(waiting); });
               });
}

grpc::ServerUnaryReactor* grpc_service::Ack(call_context context, const v1::AckRequest* in, v1::AckResponse* out) {
  return serve(door_, std::move(context), read_request(*in), settle_in(out));
}

grpc::ServerUnaryReactor* grpc_service::Nack(call_context context, const v1::NackRequest* in, v1::NackResponse* out) {
  return serve(door_, std::move(context), read_request(*in), settle_in(out));
}

grpc::ServerUnaryReactor* grpc_service::Extend(call_context context, const v1::ExtendRequest* in,
                                               v1::ExtendResponse* out) {
  return serve(door_, std::move(context), read_request(*in), settle_in(out));
}

grpc::ServerUnaryReactor* grpc_service::Peek(call_context context, const v1::PeekRequest* in, v1::PeekResponse* out) {
  return serve(door_, std::move(context), read_request(*in),
               [in, out](const unary_call_ptr& call, gateway& broker, request::peek&& r) {
                 broker.peek(r.name_space, r.topic, r.queue, r.state, r.limit, answer_messages(call, in, out));
               });
}

grpc::ServerUnaryReactor* grpc_service::Purge(call_context context, const v1::PurgeRequest* in,
                                              v1::PurgeResponse* out) {
  return serve(door_, std::move(context), read_request(*in),
               [out](const unary_call_ptr& call, gateway& broker, request::purge&& r) {
                 broker.purge(r.name_space, r.topic, r.queue, answer_count(call, out));
               });
}

grpc::ServerUnaryReactor* grpc_service::ListDead(call_context context, const v1::ListDeadRequest* in,
                                                 v1::ListDeadResponse* out) {
  return serve(door_, std::move(context), read_request(*in),
               [in, out](const unary_call_ptr& call, gateway& broker, request::list_dead&& r) {
                 broker.list_dead(r.name_space, r.topic, r.limit, answer_messages(call, in, out));
               });
}

grpc::ServerUnaryReactor* grpc_service::RedriveDead(call_context context, const v1::RedriveDeadRequest* in,
                                                    v1::RedriveDeadResponse* out) {
  return serve(door_, std::move(context), read_request(*in),
               [out](const unary_call_ptr& call, gateway& broker, request::redrive_dead&& r) {
                 broker.redrive_dead(r.name_space, r.topic, std::move(r.ids), answer_count(call, out));
               });
}

grpc::ServerUnaryReactor* grpc_service::PurgeDead(call_context context, const v1::PurgeDeadRequest* in,
                                                  v1::PurgeDeadResponse* out) {
  return serve(door_, std::move(context), read_request(*in),
               [out](const unary_call_ptr& call, gateway& broker, request::purge_dead&& r) {
                 broker.purge_dead(r.name_space, r.topic, answer_count(call, out));
               });
}

grpc::ServerWriteReactor<grpc::ByteBuffer>* grpc_service::Subscribe(grpc::CallbackServerContext*,
                                                                    const grpc::ByteBuffer* in) {
  v1::SubscribeRequest request;
  if (auto problem = read_message(*in, request)) return subscribe_stream::open(door_, std::move(*problem));
  return subscribe_stream::open(door_, read_request(request));
}

grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* grpc_service::PublishStream(grpc::CallbackServerContext*) {
  return publish_stream::open(door_);
}

}  // namespace mqlite
