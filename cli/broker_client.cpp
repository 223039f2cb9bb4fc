#include "cli/broker_client.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace mqlite::cli {
namespace {

/// Names of gRPC's status codes, which count from 0.
constexpr std::array<std::string_view, 17> code_names{
    "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
    "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
    "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
    "DATA_LOSS", "UNAUTHENTICATED"};

grpc::ChannelArguments channel_arguments() {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(-1);  // a batch may be as large as the broker lets it
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  return arguments;
}

}  // namespace

void require_ok(const grpc::Status& status) {
  if (status.ok()) return;
  if (status.error_code() == grpc::StatusCode::CANCELLED) throw call_interrupted();
  if (status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED)
    throw call_failed("DEADLINE_EXCEEDED: no answer in time; --timeout gives more");
  const auto code = static_cast<std::size_t>(status.error_code());
  const auto name = code < code_names.size() ? code_names.at(code) : "UNKNOWN";
  throw call_failed(std::string(name) + ": " + status.error_message());
}

broker_client::broker_client(std::string address, std::chrono::milliseconds timeout, interruption& interrupted)
    : address_(std::move(address)),
      timeout_(timeout),
      interrupted_(interrupted),
      channel_(grpc::CreateCustomChannel(address_, grpc::InsecureChannelCredentials(), channel_arguments())),
      stub_(v1::MQLiteService::NewStub(channel_)) {}

void broker_client::connect() {
  const interruption::scope waiting(interrupted_, {});
  const auto deadline = std::chrono::system_clock::now() + timeout_;
  constexpr std::chrono::milliseconds look_up{50};  // how long Ctrl-C may go unnoticed
  bool tried = false;
  for (auto state = channel_->GetState(true); state != GRPC_CHANNEL_READY; state = channel_->GetState(true)) {
    if (interrupted_.happened()) throw call_interrupted();
    const auto now = std::chrono::system_clock::now();
    // A failure of an earlier call's connection says nothing about now: one attempt is waited for.
    if ((state == GRPC_CHANNEL_TRANSIENT_FAILURE && tried) || now >= deadline)
      throw call_failed("UNAVAILABLE: no broker answers on " + address_ +
                        "; is it running? --address names another one");
    tried = tried || state == GRPC_CHANNEL_CONNECTING || state == GRPC_CHANNEL_IDLE;
    channel_->WaitForStateChange(state, std::min<std::chrono::system_clock::time_point>(deadline, now + look_up));
  }
}

std::unique_ptr<grpc::ClientReader<v1::Message>> broker_client::subscribe(grpc::ClientContext& context,
                                                                          const v1::SubscribeRequest& request) {
  connect();
  return stub_->Subscribe(&context, request);
}

}  // namespace mqlite::cli
