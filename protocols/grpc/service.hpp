#pragma once

#include "proto/mqlite.grpc.pb.h"
#include "protocols/grpc/door.hpp"
#include "protocols/translate/stats_answers.hpp"

namespace mqlite {

/// The API's service: each call is translated here and asked for in the door's loop.
class grpc_service final : public v1::MQLiteService::CallbackService {
 public:
  /// Writes what GetStats answers, in the loop's thread.
  using stats_writer = std::function<std::string(const broker_stats&, stats_detail)>;
  grpc_service(grpc_door& door, stats_writer stats_text) : door_(door), stats_text_(std::move(stats_text)) {}

#define MQLITE_UNARY(name)                                                                          \
  grpc::ServerUnaryReactor* name(grpc::CallbackServerContext* context, const v1::name##Request* in, \
                                 v1::name##Response* out) override;
  MQLITE_UNARY(CreateNamespace)
  MQLITE_UNARY(DeleteNamespace)
  MQLITE_UNARY(ListNamespaces)
  MQLITE_UNARY(CreateTopic)
  MQLITE_UNARY(DeleteTopic)
  MQLITE_UNARY(ListTopics)
  MQLITE_UNARY(GetTopic)
  MQLITE_UNARY(UpdateTopic)
  MQLITE_UNARY(ResizeTopic)
  MQLITE_UNARY(RebalanceTopic)
  MQLITE_UNARY(Publish)
  MQLITE_UNARY(PublishBatch)
  MQLITE_UNARY(Consume)
  MQLITE_UNARY(Ack)
  MQLITE_UNARY(Nack)
  MQLITE_UNARY(Extend)
  MQLITE_UNARY(Peek)
  MQLITE_UNARY(Purge)
  MQLITE_UNARY(ListDead)
  MQLITE_UNARY(RedriveDead)
  MQLITE_UNARY(PurgeDead)
  MQLITE_UNARY(GetStats)
  MQLITE_UNARY(Rewrite)
  MQLITE_UNARY(Backup)
#undef MQLITE_UNARY

  grpc::ServerWriteReactor<v1::Message>* Subscribe(grpc::CallbackServerContext* context,
                                                   const v1::SubscribeRequest* in) override;
  grpc::ServerBidiReactor<v1::PublishRequest, v1::PublishStreamResponse>* PublishStream(
      grpc::CallbackServerContext* context) override;

 private:
  grpc_door& door_;
  stats_writer stats_text_;
};

}  // namespace mqlite
