#include <algorithm>
#include <iterator>

#include "actors/gateway.hpp"
#include "protocols/http/handlers/handlers.hpp"
#include "protocols/http/handlers/inputs.hpp"
#include "protocols/http/respond.hpp"
#include "protocols/translate/answers.hpp"

/// Looking at messages and dropping them, in queues and among the dead letters.
namespace mqlite {
namespace {

constexpr std::string_view states[] = {"ready", "leased", "delayed"};  // in peek_state's order

/// Appends the messages of a peek.
auto append_peeked(const path_names& names) {
  // The names are the request's, which stays until it is answered.
  const message_origin from{names.name_space, names.topic};
  return [from](std::string& out, const std::vector<peeked>& messages) { append_messages(out, from, messages); };
}

auto append_as(std::string_view name) {
  return [name](std::string& out, std::uint64_t count) { append_count(out, name, count); };
}

}  // namespace

void peek_messages(exchange& x) {
  const auto names = queue_in_path(x);
  std::int64_t limit = usual_limit;
  if (!names || !read_query(x, "limit", 1, most_limit, limit)) return;
  const auto text = query_value(x.request(), "state").value_or("ready");
  const auto state = std::find(std::begin(states), std::end(states), text);
  if (state == std::end(states)) return refuse(x, {error_code::invalid_argument, choice_text("state", states)});
  x.broker().peek(names->name_space, names->topic, names->queue, static_cast<peek_state>(state - std::begin(states)),
                  static_cast<std::size_t>(limit), then_data<std::vector<peeked>>(x, append_peeked(*names)));
}

void purge_messages(exchange& x) {
  const auto names = queue_in_path(x);
  if (!names) return;
  x.broker().purge(names->name_space, names->topic, names->queue, then_data<std::uint64_t>(x, append_as("purged")));
}

void list_dead(exchange& x) {
  const auto names = topic_in_path(x);
  std::int64_t limit = usual_limit;
  if (!names || !read_query(x, "limit", 1, most_limit, limit)) return;
  x.broker().list_dead(names->name_space, names->topic, static_cast<std::size_t>(limit),
                       then_data<std::vector<peeked>>(x, append_peeked(*names)));
}

void redrive_dead(exchange& x) {
  const auto names = topic_in_path(x);
  if (!names) return;
  const auto object = object_in_body(x);
  if (!object) return;
  auto ids = read_redrive(*object);
  if (!ids) return refuse(x, ids.why());
  x.broker().redrive_dead(names->name_space, names->topic, std::move(*ids),
                          then_data<std::uint64_t>(x, append_as("redriven")));
}

void purge_dead(exchange& x) {
  const auto names = topic_in_path(x);
  if (!names) return;
  x.broker().purge_dead(names->name_space, names->topic, then_data<std::uint64_t>(x, append_as("purged")));
}

}  // namespace mqlite
