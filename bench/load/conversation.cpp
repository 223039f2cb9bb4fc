#include "bench/load/conversation.hpp"

#include <charconv>
#include <random>
#include <utility>

namespace mqlite::load {
namespace {

constexpr std::size_t most_queues = 1000;  // of one topic

}  // namespace

std::size_t number_of(std::string_view text) {
  std::size_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

void hand_over(std::size_t lane, heard& what, listener& to) {
  if (const auto n = std::exchange(what.published, 0)) to.on_published(lane, n);
  if (what.messages.fetches + what.messages.count > 0) {
    to.on_messages(lane, what.messages);
    what.messages.clear();
  }
  if (const auto n = std::exchange(what.settled, 0)) to.on_settled(lane, n);
}

std::string payload_of(const plan& what) {
  constexpr std::string_view letters = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  std::minstd_rand random(1);
  std::string text(what.payload_size, '0');
  for (auto& c : text) c = letters[random() % letters.size()];
  if (is_json(what.via) && text.size() >= 2) text.front() = text.back() = '"';
  return text;
}

topic_layout layout_of(const plan& what) {
  topic_layout result;
  result.topics = (what.queues + most_queues - 1) / most_queues;
  result.queues_each = (what.queues + result.topics - 1) / result.topics;
  return result;
}

std::string topic_name(const plan& what, std::size_t number) {
  if (layout_of(what).topics == 1) return what.topic;
  const auto digits = std::to_string(number);
  return what.topic + "-" + std::string(3 - std::min<std::size_t>(3, digits.size()), '0') + digits;
}

place place_of(const plan& what, std::size_t lane) {
  const auto layout = layout_of(what);
  const auto consumers_each = what.connections / layout.topics;
  const auto of_topic = lane / layout.topics;
  const bool one_each = consumers_each >= layout.queues_each;
  return {topic_name(what, lane % layout.topics), one_each ? static_cast<int>(of_topic % layout.queues_each) : -1};
}

}  // namespace mqlite::load
