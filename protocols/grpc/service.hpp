#pragma once

#include "proto/mqlite.grpc.pb.h"
#include "protocols/grpc/door.hpp"
#include "protocols/grpc/unary_call.hpp"
#include "protocols/translate/stats_answers.hpp"

namespace mqlite {

/// The calls with one answer.
#define MQLITE_UNARY_CALLS(X) \
  X(CreateNamespace)          \
  X(DeleteNamespace)          \
  X(ListNamespaces)           \
  X(CreateTopic)              \
  X(DeleteTopic)              \
  X(ListTopics)               \
  X(GetTopic)                 \
  X(UpdateTopic)              \
  X(ResizeTopic)              \
  X(RebalanceTopic)           \
  X(Publish)                  \
  X(PublishBatch)             \
  X(Consume)                  \
  X(Ack)                      \
  X(Nack)                     \
  X(Extend)                   \
  X(Peek)                     \
  X(Purge)                    \
  X(ListDead)                 \
  X(RedriveDead)              \
  X(PurgeDead)                \
  X(GetStats)                 \
  X(Rewrite)                  \
  X(Backup)

/// The service with all calls as bytes.
namespace raw_service {
template <class Base, template <class> class... Methods>
struct layers {
  using type = Base;
};
template <class Base, template <class> class First, template <class> class... Others>
struct layers<Base, First, Others...> {
  using type = First<typename layers<Base, Others...>::type>;
};
#define MQLITE_LAYER(name) v1::MQLiteService::WithRawCallbackMethod_##name,
using type = layers<v1::MQLiteService::Service,
                    MQLITE_UNARY_CALLS(MQLITE_LAYER) v1::MQLiteService::WithRawCallbackMethod_Subscribe,
                    v1::MQLiteService::WithRawCallbackMethod_PublishStream>::type;
#undef MQLITE_LAYER
}  // namespace raw_service

/// The API's service: each call is translated here and asked for in the door's loop.
class grpc_service final : public raw_service::type {
 public:
  /// Writes what GetStats answers, in the loop's thread.
  using stats_writer = std::function<std::string(const broker_stats&, stats_detail)>;
  grpc_service(grpc_door& door, stats_writer stats_text) : door_(door), stats_text_(std::move(stats_text)) {}

#define MQLITE_OVERRIDE(name)                                                                      \
  grpc::ServerUnaryReactor* name(grpc::CallbackServerContext* context, const grpc::ByteBuffer* in, \
                                 grpc::ByteBuffer* out) override {                                 \
    return read_call<v1::name##Request, v1::name##Response>(                                       \
        context, in, out, [this](call_context call, const auto* request, auto* response) {         \
          return name(std::move(call), request, response);                                         \
        });                                                                                        \
  }
  MQLITE_UNARY_CALLS(MQLITE_OVERRIDE)
#undef MQLITE_OVERRIDE

  grpc::ServerWriteReactor<grpc::ByteBuffer>* Subscribe(grpc::CallbackServerContext* context,
                                                        const grpc::ByteBuffer* in) override;
  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* PublishStream(
      grpc::CallbackServerContext* context) override;

 private:
#define MQLITE_CALL(name) \
  grpc::ServerUnaryReactor* name(call_context context, const v1::name##Request* in, v1::name##Response* out);
  MQLITE_UNARY_CALLS(MQLITE_CALL)
#undef MQLITE_CALL

  grpc_door& door_;
  stats_writer stats_text_;
};

#undef MQLITE_UNARY_CALLS

}  // namespace mqlite
