// Publishing over gRPC: what the broker adds to a bare gRPC server, and what a stream saves.
// Usage: grpc_bench BROKER [SECONDS]     (BROKER: path of the mqlite program)
#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "bench/server_process.hpp"
#include "proto/mqlite.grpc.pb.h"

namespace {

using bench::server_process;
using mqlite::v1::MQLiteService;
using mqlite::v1::PublishRequest;
using mqlite::v1::PublishResponse;
using mqlite::v1::PublishStreamResponse;
using clock_type = std::chrono::steady_clock;

constexpr int callers = 64;
constexpr int channels = 8;
constexpr int rounds = 3;
constexpr std::size_t payload_size = 256;

// -- servers, each in a process of its own ------------------------------------------------------------------------------------

/// Answers a publish at once: what gRPC alone costs.
class echo_service final : public MQLiteService::CallbackService {
  grpc::ServerUnaryReactor* Publish(grpc::CallbackServerContext* context, const PublishRequest*,
                                    PublishResponse* out) override {
    out->set_message_id("00000000-0000-7000-8000-000000000000");
    auto* reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
};

void serve_echo(int out, const std::filesystem::path&) {
  echo_service service;
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&service);
  const auto server = builder.BuildAndStart();
  dprintf(out, "echo:%d\n", port);
  server->Wait();
}

// -- clients ------------------------------------------------------------------------------------------------------------------

std::vector<std::shared_ptr<grpc::Channel>> connect(int port) {
  std::vector<std::shared_ptr<grpc::Channel>> result;
  for (int i = 0; i < channels; ++i) {
    grpc::ChannelArguments own;
    own.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    result.push_back(
        grpc::CreateCustomChannel("127.0.0.1:" + std::to_string(port), grpc::InsecureChannelCredentials(), own));
  }
  return result;
}

PublishRequest request() {
  PublishRequest result;
  result.set_namespace_("bench");
  result.set_topic("t");
  result.set_payload(std::string(payload_size, 'x'));
  return result;
}

/// One caller: the next call begins when the last was answered.
class caller {
 public:
  caller(const std::shared_ptr<grpc::Channel>& channel, clock_type::time_point end)
      : stub_(MQLiteService::NewStub(channel)), request_(request()), end_(end) {}

  void go_on() {
    context_.emplace();
    stub_->async()->Publish(&*context_, &request_, &response_,
                            [this](const grpc::Status& status) { on_answer(status); });
  }

  std::size_t wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return over_; });
    return answers_;
  }

 private:
  void on_answer(const grpc::Status& status) {
    if (!status.ok()) {
      std::fprintf(stderr, "a publish failed: %s\n", status.error_message().c_str());
      std::exit(1);
    }
    if (clock_type::now() < end_) {
      ++answers_;
      return go_on();
    }
    const std::lock_guard lock(mutex_);
    over_ = true;
    changed_.notify_one();
  }

  std::unique_ptr<MQLiteService::Stub> stub_;
  PublishRequest request_;
  PublishResponse response_;
  std::optional<grpc::ClientContext> context_;
  clock_type::time_point end_;
  std::size_t answers_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool over_ = false;
};

/// Publishes a second.
double unary_rate(const std::vector<std::shared_ptr<grpc::Channel>>& to, double seconds) {
  const auto end =
      clock_type::now() + std::chrono::duration_cast<clock_type::duration>(std::chrono::duration<double>(seconds));
  std::vector<std::unique_ptr<caller>> all;
  for (int i = 0; i < callers; ++i)
    all.push_back(std::make_unique<caller>(to[static_cast<std::size_t>(i) % to.size()], end));
  for (auto& one : all) one->go_on();
  std::size_t sum = 0;
  for (auto& one : all) sum += one->wait();
  return static_cast<double>(sum) / seconds;
}

double stream_rate(const std::shared_ptr<grpc::Channel>& to, double seconds) {
  const auto stub = MQLiteService::NewStub(to);
  grpc::ClientContext context;
  const auto stream = stub->PublishStream(&context);
  const auto begun = clock_type::now();
  std::thread writer([&] {
    const auto one = request();
    const auto gathering = grpc::WriteOptions().set_buffer_hint();
    for (int i = 0; std::chrono::duration<double>(clock_type::now() - begun).count() < seconds; ++i)
      if (!stream->Write(one, gathering)) break;
    stream->WritesDone();
  });
  std::size_t answers = 0;
  for (PublishStreamResponse response; stream->Read(&response);)
    answers += static_cast<std::size_t>(response.results_size());
  const auto took = std::chrono::duration<double>(clock_type::now() - begun).count();
  writer.join();
  if (const auto status = stream->Finish(); !status.ok()) {
    std::fprintf(stderr, "the stream failed: %s\n", status.error_message().c_str());
    std::exit(1);
  }
  return static_cast<double>(answers) / took;
}

void make_topic(const std::shared_ptr<grpc::Channel>& to) {
  const auto stub = MQLiteService::NewStub(to);
  mqlite::v1::CreateNamespaceRequest name_space;
  mqlite::v1::CreateNamespaceResponse ignored;
  name_space.set_name("bench");
  grpc::ClientContext first, second;
  stub->CreateNamespace(&first, name_space, &ignored);
  mqlite::v1::CreateTopicRequest topic;
  mqlite::v1::CreateTopicResponse also_ignored;
  topic.set_namespace_("bench");
  topic.set_name("t");
  if (!stub->CreateTopic(&second, topic, &also_ignored).ok()) std::exit(1);
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void run(const server_process& broker, const server_process& echo, double seconds) {
  const auto to_broker = connect(broker.port());
  const auto to_echo = connect(echo.port());
  make_topic(to_broker.front());
  unary_rate(to_broker, 0.5);
  unary_rate(to_echo, 0.5);
  std::vector<double> unary, bare, streamed;
  for (int i = 0; i < rounds; ++i) {
    bare.push_back(unary_rate(to_echo, seconds));
    unary.push_back(unary_rate(to_broker, seconds));
    streamed.push_back(stream_rate(to_broker.front(), seconds));
  }
  std::printf("%d callers, %d connections, %zu-byte messages, median of %d rounds of %.1f s\n", callers, channels,
              payload_size, rounds, seconds);
  std::printf("  gRPC alone (echo)   %9.0f calls/s\n", median(bare));
  std::printf("  Publish             %9.0f messages/s, %.2f of gRPC alone (target 0.6)\n", median(unary),
              median(unary) / median(bare));
  std::printf("  PublishStream       %9.0f messages/s, %.1f times Publish (target 5)\n", median(streamed),
              median(streamed) / median(unary));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: grpc_bench BROKER [SECONDS]\n");
    return 2;
  }
  // Before gRPC has threads, which do not survive a fork.
  const server_process echo("echo:", serve_echo);
  const server_process broker("grpc: listening on", [&](int out, const std::filesystem::path& folder) {
    bench::become_broker(argv[1], out, folder, {});
  });
  run(broker, echo, argc > 2 ? std::atof(argv[2]) : 2.0);
}
