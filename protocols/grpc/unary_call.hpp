#pragma once

#include <grpcpp/support/server_callback.h>

#include <atomic>
#include <functional>
#include <memory>
#include <utility>

#include "actors/gateway.hpp"
#include "protocols/grpc/door.hpp"
#include "protocols/grpc/raw_messages.hpp"
#include "protocols/grpc/status.hpp"

namespace mqlite {

/// A call as gRPC has it, and the messages that its bytes are.
struct call_context {
  grpc::CallbackServerContext* grpc;
  std::shared_ptr<void> messages;        ///< the request and the response
  std::function<void()> write_response;  ///< gives gRPC the bytes
};

/// A call with one answer. What it asks the broker, and what it says, happens in the loop's thread. It lives as long as gRPC
/// knows it or a completion waits for it, and so do the request and the response.
class unary_call : public grpc::ServerUnaryReactor, public open_call, public std::enable_shared_from_this<unary_call> {
 public:
  unary_call(grpc_door& door, call_context context) : door_(door), context_(std::move(context)) {}
  virtual ~unary_call() = default;

  /// Lets the loop run ask(). Once, in gRPC's thread.
  void start();

  /// Whether it is over, also because the server's patience was: completions that come later have nothing to do.
  bool answered() const noexcept { return answered_; }
  /// Whether there is no more need for an answer that waits for something.
  bool hurried() const noexcept { return hurried_; }

  /// Sends the response.
  void succeed();
  /// Sends the response and confirms `messages` once it is written; should it not be, they return to their queue.
  void succeed(consumed messages);
  void refuse(const failure& why);

  /// Runs `f` when the client goes away, its deadline passes or the server stops before there is an answer.
  void when_hurried(std::function<void()> f);

  grpc_door& door() noexcept { return door_; }

 private:
  virtual void ask() = 0;
  void run();
  void hurry();
  void answer(grpc::Status status);

  void shut_down() final { hurry(); }
  void abandon() final { answer(shutting_down_status()); }
  void OnCancel() final;
  void OnDone() final;

  grpc_door& door_;
  call_context context_;              // gRPC's part is there until OnDone
  std::shared_ptr<unary_call> self_;  // gRPC's share
  std::function<void()> when_hurried_;
  consumed sent_;
  std::atomic<bool> finishing_{false};
  bool answered_ = false;
  bool hurried_ = false;
};

using unary_call_ptr = std::shared_ptr<unary_call>;

/// A unary_call that asks with `Ask`: void(const unary_call_ptr&, gateway&, Asked&&).
template <class Asked, class Ask>
class asking_call final : public unary_call {
 public:
  asking_call(grpc_door& door, call_context context, Asked asked, Ask ask)
      : unary_call(door, std::move(context)), asked_(std::move(asked)), ask_(std::move(ask)) {}

 private:
  void ask() override { ask_(shared_from_this(), door().broker(), std::move(asked_)); }

  Asked asked_;
  Ask ask_;
};

/// Answers a call at once.
grpc::ServerUnaryReactor* refuse(grpc::CallbackServerContext& context, const failure& why);

/// Serves a call: refuses what could not be translated, else lets `ask` run in the loop's thread.
template <class Asked, class Ask>
grpc::ServerUnaryReactor* serve(grpc_door& door, call_context context, outcome<Asked> asked, Ask ask) {
  if (!asked) return refuse(*context.grpc, asked.why());
  const auto call =
      std::make_shared<asking_call<Asked, Ask>>(door, std::move(context), std::move(*asked), std::move(ask));
  call->start();
  return call.get();
}

/// Reads a call's request and lets `then` serve it: reactor(call_context, const Request*, Response*).
template <class Request, class Response, class Then>
grpc::ServerUnaryReactor* read_call(grpc::CallbackServerContext* context, const grpc::ByteBuffer* in,
                                    grpc::ByteBuffer* out, Then then) {
  struct messages {
    Request request;
    Response response;
  };
  auto both = std::make_shared<messages>();
  if (const auto problem = read_message(*in, both->request)) return refuse(*context, *problem);
  auto* const m = both.get();
  return then(call_context{context, std::move(both), [m, out] { *out = bytes_of(m->response); }}, &m->request,
              &m->response);
}

/// The completion of a request that answers `call`: `fill(value)` fills the response.
template <class T, class Fill>
completion<T> answer_with(unary_call_ptr call, Fill fill) {
  return [call = std::move(call), fill = std::move(fill)](outcome<T> how) mutable {
    if (call->answered()) return;
    if (!how) return call->refuse(how.why());
    fill(std::move(*how));
    call->succeed();
  };
}

}  // namespace mqlite
