#include "protocols/grpc/unary_call.hpp"

namespace mqlite {

// A plain pointer is enough: gRPC keeps the call until it is answered, and only run() or what follows from it answers.
void unary_call::start() {
  self_ = shared_from_this();
  door_.loop().post([this] { run(); });
}

void unary_call::run() {
  const auto alive = shared_from_this();
  if (door_.stopping()) return abandon();
  door_.opened(*this);
  ask();
}

void unary_call::succeed() {
  if (answered_) return;
  context_.write_response();
  answer(grpc::Status::OK);
}

void unary_call::succeed(consumed messages) {
  sent_ = std::move(messages);
  succeed();
}

void unary_call::refuse(const failure& why) {
  if (why.code == error_code::unavailable) door_.health().look();
  answer(status_of(why));
}

void unary_call::when_hurried(std::function<void()> f) {
  if (answered_) return;
  if (hurried_) return f();
  when_hurried_ = std::move(f);
}

void unary_call::hurry() {
  if (answered_ || std::exchange(hurried_, true)) return;
  if (const auto f = std::exchange(when_hurried_, nullptr)) f();
}

void unary_call::answer(grpc::Status status) {
  if (std::exchange(answered_, true)) return;
  when_hurried_ = nullptr;
  door_.closed(*this);
  finishing_.store(true, std::memory_order_release);
  Finish(std::move(status));
}

void unary_call::OnCancel() {
  door_.loop().post([call = shared_from_this()] { call->hurry(); });
}

void unary_call::OnDone() {
  // gRPC has ordered this behind Finish(), but the thread sanitizer does not see into the library: this it sees.
  finishing_.load(std::memory_order_acquire);
  if (!context_.grpc->IsCancelled()) sent_.confirm();
  sent_ = {};
  self_.reset();
}

grpc::ServerUnaryReactor* refuse(grpc::CallbackServerContext& context, const failure& why) {
  auto* reactor = context.DefaultReactor();
  reactor->Finish(status_of(why));
  return reactor;
}

}  // namespace mqlite
