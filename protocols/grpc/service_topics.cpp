#include "protocols/grpc/service.hpp"
#include "protocols/grpc/unary_call.hpp"
#include "protocols/translate/proto_answers.hpp"
#include "protocols/translate/proto_requests.hpp"

/// Namespaces, topics and the broker.
namespace mqlite {
namespace {

/// The completion of what answers `success` and a text for people.
template <class Response>
completion<done> succeed_with(unary_call_ptr call, Response* out, std::string message) {
  return answer_with<done>(
      std::move(call), [out, message = std::move(message)](done) mutable { fill_success(*out, std::move(message)); });
}

/// The completion of what answers a value.
template <class T, class Response>
completion<T> answer_in(unary_call_ptr call, Response* out) {
  return answer_with<T>(std::move(call), [out](const T& value) { fill(*out, value); });
}

}  // namespace

grpc::ServerUnaryReactor* grpc_service::CreateNamespace(call_context context, const v1::CreateNamespaceRequest* in,
                                                        v1::CreateNamespaceResponse* out) {
  return serve(door_, std::move(context), read_request(*in),
               [out](const unary_call_ptr& call, gateway& broker, request::create_namespace&& r) {
                 auto then = succeed_with(call, out, "namespace " + r.name + " was created");
                 broker.create_namespace(std::move(r.name), std::move(then));
               });
}

grpc::ServerUnaryReactor* grpc_service::DeleteNamespace(call_context context, const v1::DeleteNamespaceRequest* in,
                                                        v1::DeleteNamespaceResponse* out) {
  return serve(door_, std::move(context), read_request(*in),
               [out](const unary_call_ptr& call, gateway& broker, request::delete_namespace&& r) {
                 auto then = succeed_with(call, out, "namespace " + r.name + " was deleted");
                 broker.delete_namespace(std::move(r.name), std::move(then));
               });
}

grpc::ServerUnaryReactor* grpc_service::ListNamespaces(call_context context, const v1::ListNamespacesRequest* in,
                                                       v1::ListNamespacesResponse* out) {
  return serve(door_, std::move(context), read_request(*in),
               [out](const unary_call_ptr& call, gateway& broker, request::list_namespaces&&) {
                 broker.list_namespaces(answer_in<std::vector<std::string>>(call, out));
               });
}

grpc::ServerUnaryReactor* grpc_service::CreateTopic(call_context context, const v1::CreateTopicRequest* in,
                                                    v1::CreateTopicResponse* out) {
  return serve(door_, std::move(context), read_request(*in),
               [out](const unary_call_ptr& call, gateway& broker, request::create_topic&& r) {
                 auto then = succeed_with(call, out, "topic " + r.topic + " was created");
                 broker.create_topic(std::move(r.name_space), std::move(r.topic), r.queue_count, r.settings,
                                     std::move(then));
               });
}

grpc::ServerUnaryReactor* grpc_service::DeleteTopic(call_context context, const v1::DeleteTopicRequest* in,
                                                    v1::DeleteTopicResponse* out) {
  return serve(door_, std::move(context), read_request(*in),
               [out](const unary_call_ptr& call, gateway& broker, request::delete_topic&& r) {
                 auto then = succeed_with(call, out, "topic " + r.topic + " was deleted");
                 broker.delete_topic(std::move(r.name_space), std::move(r.topic), std::move(then));
               });
}

grpc::ServerUnaryReactor* grpc_service::ListTopics(call_context context, const v1::ListTopicsRequest* in,
                                                   v1::ListTopicsResponse* out) {
  return serve(door_, std::move(context), read_request(*in),
               [out](const unary_call_ptr& call, gateway& broker, request::list_topics&& r) {
                 broker.list_topics(std::move(r.name_space), answer_in<std::vector<topic_info>>(call, out));
               });
}

grpc::ServerUnaryReactor* grpc_service::GetTopic(call_context context, const v1::GetTopicRequest* in,
                                                 v1::GetTopicResponse* out) {
  return serve(door_, std::move(context), read_request(*in),
               [out](const unary_call_ptr& call, gateway& broker, request::get_topic&& r) {
                 broker.get_topic(r.name_space, r.topic, answer_in<topic_details>(call, out));
               });
}

grpc::ServerUnaryReactor* grpc_service::UpdateTopic(call_context context, const v1::UpdateTopicRequest* in,
                                                    v1::UpdateTopicResponse* out) {
  return serve(door_, std::move(context), read_request(*in),
               [out](const unary_call_ptr& call, gateway& broker, request::update_topic&& r) {
                 broker.update_topic(r.name_space, r.topic, r.settings,
                                     succeed_with(call, out, "topic " + r.topic + " was updated"));
               });
}

grpc::ServerUnaryReactor* grpc_service::ResizeTopic(call_context context, const v1::ResizeTopicRequest* in,
                                                    v1::ResizeTopicResponse* out) {
  return serve(door_, std::move(context), read_request(*in),
               [out](const unary_call_ptr& call, gateway& broker, request::resize_topic&& r) {
                 broker.resize_topic(r.name_space, r.topic, r.queue_count, answer_in<resized>(call, out));
               });
}

grpc::ServerUnaryReactor* grpc_service::RebalanceTopic(call_context context, const v1::RebalanceTopicRequest* in,
                                                       v1::RebalanceTopicResponse* out) {
  return serve(door_, std::move(context), read_request(*in),
               [out](const unary_call_ptr& call, gateway& broker, request::rebalance_topic&& r) {
                 broker.rebalance_topic(r.name_space, r.topic,
                                        succeed_with(call, out, "topic " + r.topic + " was rebalanced"));
               });
}

grpc::ServerUnaryReactor* grpc_service::GetStats(call_context context, const v1::GetStatsRequest* in,
                                                 v1::GetStatsResponse* out) {
  return serve(door_, std::move(context), read_request(*in),
               [this, out](const unary_call_ptr& call, gateway& broker, request::stats&& r) {
                 const auto detail = r.topics ? stats_detail::topics : stats_detail::totals;
                 broker.stats(answer_with<broker_stats>(call, [this, out, detail](const broker_stats& stats) {
                   out->set_json(stats_text_(stats, detail));
                 }));
               });
}

grpc::ServerUnaryReactor* grpc_service::Rewrite(call_context context, const v1::RewriteRequest* in,
                                                v1::RewriteResponse* out) {
  return serve(door_, std::move(context), read_request(*in),
               [out](const unary_call_ptr& call, gateway& broker, request::rewrite&&) {
                 broker.rewrite(succeed_with(call, out, "the rewrite of the log has begun"));
               });
}

grpc::ServerUnaryReactor* grpc_service::Backup(call_context context, const v1::BackupRequest* in,
                                               v1::BackupResponse* out) {
  return serve(door_, std::move(context), read_request(*in),
               [out](const unary_call_ptr& call, gateway& broker, request::backup&& r) {
                 broker.backup(std::move(r.folder), answer_in<backed_up>(call, out));
               });
}

}  // namespace mqlite
