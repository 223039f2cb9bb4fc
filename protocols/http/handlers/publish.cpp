#include <chrono>

#include "actors/gateway.hpp"
#include "protocols/http/environment.hpp"
#include "protocols/http/handlers/handlers.hpp"
#include "protocols/http/handlers/inputs.hpp"
#include "protocols/http/respond.hpp"
#include "protocols/translate/answers.hpp"
#include "protocols/translate/batch_answer.hpp"
#include "protocols/translate/publish_requests.hpp"

namespace mqlite {
namespace {

using stopwatch = std::chrono::steady_clock;

publish_terms terms_of(exchange& x) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return {std::chrono::duration_cast<std::chrono::nanoseconds>(now).count(), x.environment().limits.max_message_bytes};
}

}  // namespace

void publish(exchange& x) {
  const auto names = topic_in_path(x);
  if (!names) return;
  const auto object = object_in_body(x);
  if (!object) return;
  auto message = read_publish(*object, terms_of(x));
  if (!message) return refuse(x, message.why());
  const auto answer = [to = x.shared_from_this(), begun = stopwatch::now()](const outcome<published>& where) {
    to->environment().publish_times->observe(stopwatch::now() - begun);
    if (!where) return refuse(*to, where.why());
    succeed_with(*to, [&](std::string& out) { append_published(out, *where); });
  };
  x.broker().publish(names->name_space, names->topic, std::move(*message), answer);
}

void publish_batch(exchange& x) {
  const auto names = topic_in_path(x);
  if (!names) return;
  const auto object = object_in_body(x);
  if (!object) return;
  auto read = read_publish_batch(*object, terms_of(x));
  if (!read) return refuse(x, read.why());

  auto answer = std::make_shared<batch_answer>();
  auto drafts = answer->open(*read);
  auto then = [to = x.shared_from_this(), answer,
               begun = stopwatch::now()](outcome<std::vector<outcome<published>>> answers) {
    to->environment().publish_times->observe(stopwatch::now() - begun);
    if (!answers) return refuse(*to, answers.why());
    answer->fill(answers);
    succeed_with(*to, [&](std::string& out) { append_outcomes(out, answer->outcomes()); });
  };
  x.broker().publish_batch(names->name_space, names->topic, std::move(drafts), std::move(then));
}

}  // namespace mqlite
