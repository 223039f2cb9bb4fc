#include "actors/gateway.hpp"
#include "protocols/http/handlers/handlers.hpp"
#include "protocols/http/handlers/inputs.hpp"
#include "protocols/http/respond.hpp"
#include "protocols/translate/answers.hpp"

namespace mqlite {
namespace {

void answer_messages(exchange& x, const message_origin& from, consumed messages) {
  if (x.gone()) messages = {};
  succeed_with(x, [&](std::string& out) {
    append_messages(out, from, messages.deliveries);
    if (!messages.hand_overs.empty()) x.confirm_when_written(std::move(messages));
  });
}

/// What became of a wait that the asker did not see the end of.
outcome<consumed> without_answer(outcome<consumed> messages) {
  if (messages || !messages.why().abandoned) return messages;
  return consumed();
}

void consume(exchange& x, const path_names& names) {
  const auto object = object_in_body(x);
  if (!object) return;
  const auto options = read_consume(*object);
  if (!options) return refuse(x, options.why());
  // The names are the request's, which stays until it is answered.
  const message_origin from{names.name_space, names.topic};
  const bool waits = options->wait.count() > 0;
  auto cancelled = waits ? std::make_shared<bool>(false) : nullptr;
  auto then = [to = x.shared_from_this(), from, cancelled](outcome<consumed> messages) {
    if (cancelled && *cancelled) messages = without_answer(std::move(messages));
    if (!messages) return refuse(*to, messages.why());
    answer_messages(*to, from, std::move(*messages));
  };
  auto waiting = x.broker().consume(names.name_space, names.topic, names.queue, *options, std::move(then));
  if (!waits) return;
  x.on_hurry([asked = x.broker().shared_from_this(), waiting = std::move(waiting), cancelled] {
    *cancelled = true;
    asked->cancel(waiting);
  });
}

void settle(exchange& x, settlement what) {
  const auto names = queue_in_path(x);
  if (!names) return;
  const auto object = object_in_body(x);
  if (!object) return;
  auto asked = read_settle(*object, what);
  if (!asked) return refuse(x, asked.why());
  auto targets = std::move(asked->messages.targets);
  auto append = [what, messages = std::make_shared<named_messages>(std::move(asked->messages))](
                    std::string& out, const settled& result) { append_settled(out, what, result, *messages); };
  x.broker().settle(names->name_space, names->topic, names->queue, what, std::move(targets), asked->value,
                    then_data<settled>(x, std::move(append)));
}

}  // namespace

void consume_from_queue(exchange& x) {
  if (const auto names = queue_in_path(x)) consume(x, *names);
}

void consume_from_topic(exchange& x) {
  if (const auto names = topic_in_path(x)) consume(x, *names);
}

void ack(exchange& x) { settle(x, settlement::ack); }
void nack(exchange& x) { settle(x, settlement::nack); }
void extend(exchange& x) { settle(x, settlement::extend); }

}  // namespace mqlite
