#include "actors/gateway.hpp"
#include "protocols/http/handlers/handlers.hpp"
#include "protocols/http/handlers/inputs.hpp"
#include "protocols/http/respond.hpp"
#include "protocols/translate/answers.hpp"

namespace mqlite {
namespace {

std::string about(const path_names& names, std::string_view what) {
  return "topic " + std::string(names.topic) + " was " + std::string(what);
}

}  // namespace

void list_topics(exchange& x) {
  const auto names = namespace_in_path(x);
  if (!names) return;
  x.broker().list_topics(std::string(names->name_space), then_data<std::vector<topic_info>>(x, append_topics));
}

void create_topic(exchange& x) {
  const auto names = namespace_in_path(x);
  if (!names) return;
  const auto object = object_in_body(x);
  if (!object) return;
  auto asked = read_create_topic(*object);
  if (!asked) return refuse(x, asked.why());
  x.broker().create_topic(std::string(names->name_space), asked->name, asked->queue_count, asked->settings,
                          then_message(x, 201, "topic " + asked->name + " was created"));
}

void get_topic(exchange& x) {
  const auto names = topic_in_path(x);
  if (!names) return;
  x.broker().get_topic(names->name_space, names->topic, then_data<topic_details>(x, append_topic_details));
}

void update_topic(exchange& x) {
  const auto names = topic_in_path(x);
  if (!names) return;
  const auto object = object_in_body(x);
  if (!object) return;
  auto patch = read_topic_settings(*object);
  if (!patch) return refuse(x, patch.why());
  x.broker().update_topic(names->name_space, names->topic, *patch, then_message(x, 200, about(*names, "updated")));
}

void delete_topic(exchange& x) {
  const auto names = topic_in_path(x);
  if (!names) return;
  x.broker().delete_topic(std::string(names->name_space), std::string(names->topic),
                          then_message(x, 200, about(*names, "deleted")));
}

void resize_topic(exchange& x) {
  const auto names = topic_in_path(x);
  if (!names) return;
  const auto object = object_in_body(x);
  if (!object) return;
  const auto count = read_resize(*object);
  if (!count) return refuse(x, count.why());
  x.broker().resize_topic(names->name_space, names->topic, *count, then_data<resized>(x, append_resized));
}

void rebalance_topic(exchange& x) {
  const auto names = topic_in_path(x);
  if (!names) return;
  x.broker().rebalance_topic(names->name_space, names->topic, then_message(x, 200, about(*names, "rebalanced")));
}

}  // namespace mqlite
