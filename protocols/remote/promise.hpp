#pragma once

#include <type_traits>
#include <utility>

#include "actors/gateway.hpp"
#include "protocols/remote/context.hpp"
#include "protocols/remote/wire_answers.hpp"

namespace mqlite::remote {

/// The refusal of everything that is asked while the broker stops.
inline caf::error stopping_error() { return error_of({error_code::unavailable, "the broker is shutting down", false}); }

/// Keeps a promise with what the broker answers; the work counts until then.
template <class T, class Promise, class Convert>
completion<T> keep(Promise promise, context& shared, Convert convert) {
  return [promise = std::move(promise), ticket = shared.unanswered->enter(),
          convert = std::move(convert)](outcome<T> how) mutable {
    if (!how) return promise.deliver(error_of(how.why()));
    promise.deliver(convert(*how));
  };
}

/// The same where the answer only says that it was done.
template <class Promise>
completion<done> keep(Promise promise, context& shared) {
  return [promise = std::move(promise), ticket = shared.unanswered->enter()](outcome<done> how) mutable {
    how ? promise.deliver() : promise.deliver(error_of(how.why()));
  };
}

}  // namespace mqlite::remote
