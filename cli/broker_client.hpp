#pragma once

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <memory>
#include <string>

#include "cli/errors.hpp"
#include "cli/interruption.hpp"
#include "proto/mqlite.grpc.pb.h"

namespace mqlite::cli {

/// Throws what a call that ended with `status` means; nothing when it is OK.
void require_ok(const grpc::Status& status);

/// The broker over gRPC: connected when the first call needs it.
class broker_client {
 public:
  using stub = v1::MQLiteService::Stub;

  /// `address` is `HOST:PORT`; `timeout` limits connecting and each call.
  broker_client(std::string address, std::chrono::milliseconds timeout, interruption& interrupted);

  /// One rpc, as in call(&stub::Ack, request); `patience` is added to the timeout of calls that wait. Throws call_failed and
  /// call_interrupted.
  template <class Request, class Response>
  Response call(grpc::Status (stub::*rpc)(grpc::ClientContext*, const Request&, Response*), const Request& request,
                std::chrono::milliseconds patience = {}) {
    connect();
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + timeout_ + patience);
    const interruption::scope cancelling(interrupted_, [&context] { context.TryCancel(); });
    Response response;
    require_ok(((*stub_).*rpc)(&context, request, &response));
    return response;
  }

  /// A stream of messages, for as long as `context` lets it.
  std::unique_ptr<grpc::ClientReader<v1::Message>> subscribe(grpc::ClientContext& context,
                                                             const v1::SubscribeRequest& request);

 private:
  /// Waits until there is a connection; at once when there is one. Throws call_failed.
  void connect();

  std::string address_;
  std::chrono::milliseconds timeout_;
  interruption& interrupted_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<stub> stub_;
};

}  // namespace mqlite::cli
