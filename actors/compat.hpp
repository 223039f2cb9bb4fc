#pragma once

#include <chrono>
#include <exception>
#include <utility>

#include <caf/actor_addr.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/binary_serializer.hpp>
#include <caf/byte_buffer.hpp>
#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/system_messages.hpp>
#include <caf/typed_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#if CAF_VERSION >= 10000
#include <caf/actor_from_state.hpp>
#include <caf/anon_mail.hpp>
#include <caf/scheduler.hpp>
#endif

/// The one place that knows that CAF 0.18 and CAF 1.x spell things differently.
namespace mqlite {

/// What runs actors, as CAF's network hands it on.
#if CAF_VERSION >= 10000
using execution_context = caf::scheduler;
#else
using execution_context = caf::execution_unit;
#endif

/// Sends without a sender; from any thread.
template <class Handle, class... Ts>
void tell(const Handle& to, Ts&&... xs) {
#if CAF_VERSION >= 10000
  caf::anon_mail(std::forward<Ts>(xs)...).send(to);
#else
  caf::anon_send(to, std::forward<Ts>(xs)...);
#endif
}

/// A timer keeps its actor alive until it goes off: none should be set for longer.
inline constexpr std::chrono::nanoseconds longest_timer = std::chrono::seconds(30);

/// Sends after a while, without a sender.
template <class Self, class Handle, class... Ts>
void tell_after(Self* self, std::chrono::nanoseconds delay, const Handle& to, Ts&&... xs) {
#if CAF_VERSION >= 10000
  (void)self;
  caf::anon_mail(std::forward<Ts>(xs)...).delay(delay).send(to);
#else
  self->delayed_anon_send(to, delay, std::forward<Ts>(xs)...);
#endif
}

/// Between actors of one process every question is answered: a question to an actor that has ended is answered with an error. An
/// answer that came too late would be thrown away with what it carries, so there is no "too late".
inline constexpr auto no_timeout = caf::infinite;

/// Asks for a response: `ask(...).then(on_value, on_error)`.
template <class Self, class Handle, class... Ts>
auto ask(Self* self, const Handle& to, Ts&&... xs) {
#if CAF_VERSION >= 10000
  return self->mail(std::forward<Ts>(xs)...).request(to, no_timeout);
#else
  return self->request(to, no_timeout, std::forward<Ts>(xs)...);
#endif
}

/// Runs `on_down` with the address of `whom` when that actor has ended or cannot be reached any more. An actor gives the same function
/// for all whom it watches.
template <class Self, class Handle, class Function>
void watch(Self* self, const Handle& whom, Function on_down) {
#if CAF_VERSION >= 10000
  self->monitor(whom,
                [on_down = std::move(on_down), address = whom.address()](const caf::error&) { on_down(address); });
#else
  self->set_down_handler([on_down = std::move(on_down)](const caf::down_msg& event) { on_down(event.source); });
  self->monitor(whom);
#endif
}

/// Spawns an actor whose state class is `State`; `Host` is an actor_system or an actor.
template <class Handle, class State, class Host, class... Ts>
Handle spawn_state(Host& host, Ts&&... xs) {
#if CAF_VERSION >= 10000
  return host.spawn(caf::actor_from_state<State>, std::forward<Ts>(xs)...);
#else
  return host.template spawn<typename Handle::template stateful_impl<State> >(std::forward<Ts>(xs)...);
#endif
}

/// The same in a thread of its own, for what blocks.
template <class Handle, class State, class Host, class... Ts>
Handle spawn_detached(Host& host, Ts&&... xs) {
#if CAF_VERSION >= 10000
  return host.template spawn<caf::detached>(caf::actor_from_state<State>, std::forward<Ts>(xs)...);
#else
  return host.template spawn<typename Handle::template stateful_impl<State>, caf::detached>(std::forward<Ts>(xs)...);
#endif
}

/// What writes values into `out` as CAF's network does.
inline caf::binary_serializer serializer_into(caf::byte_buffer& out, caf::actor_system& system) {
#if CAF_VERSION >= 10000
  (void)system;
  return caf::binary_serializer(out);
#else
  return caf::binary_serializer(system, out);
#endif
}

/// Ends an actor.
template <class Handle>
void stop(const Handle& actor, caf::exit_reason reason = caf::exit_reason::user_shutdown) {
  caf::anon_send_exit(actor, reason);
}

/// An exception that leaves a handler is a bug, and an actor that ended would take its messages along: the process ends at once
/// instead, and recovers everything from the log when it is started again.
template <class Self>
void end_process_on_exception(Self* self) {
  self->set_exception_handler([](std::exception_ptr&) -> caf::error { std::terminate(); });
}

}  // namespace mqlite
