#include "protocols/grpc/publish_burst.hpp"

#include <algorithm>
#include <iterator>

#include "protocols/translate/names.hpp"
#include "protocols/translate/proto_requests.hpp"

namespace mqlite {
namespace {

/// Of many topics in turn the last ones are looked through, so that their number makes no publish slow.
constexpr std::ptrdiff_t looked_through = 16;
/// Of a burst with more places their memory is not kept for the next one.
constexpr std::size_t kept_places = 1024;

/// The last of `list` for the topic, where it has room for so many more; else null.
topic_publishes* find(std::vector<topic_publishes>& list, const std::string& name_space, const std::string& topic,
                      std::size_t room) {
  const auto end = list.rbegin() + std::min(looked_through, std::ssize(list));
  const auto found = std::find_if(list.rbegin(), end, [&](const topic_publishes& known) {
    return known.topic == topic && known.name_space == name_space;
  });
  return found != end && found->drafts.size() + room <= most_batch ? &*found : nullptr;
}

std::optional<failure> names_problem(const std::string& name_space, const std::string& topic) {
  auto problem = name_problem("namespace", name_space);
  return problem ? std::move(problem) : name_problem("topic", topic);
}

template <class To, class From>
void append(To& to, From& from) {
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

}  // namespace

std::size_t publish_burst::read(const v1::PublishRequest& in, const publish_terms& terms) {
  bytes_ = 0;
  expected_ = 1 + static_cast<std::size_t>(in.more_size());
  const auto& name_space = in.namespace_();
  const auto& topic = in.topic();
  places_.reserve(expected_);
  add(name_space, topic, read_first_draft(in, terms));
  for (const auto& one : in.more())
    add(one.namespace_().empty() ? name_space : one.namespace_(), one.topic().empty() ? topic : one.topic(),
        read_draft(one, terms));
  return bytes_;
}

void publish_burst::add(const std::string& name_space, const std::string& topic, outcome<draft> message) {
  auto& place = places_.emplace_back();
  place.bytes = sizeof place;
  auto* to = find(topics_, name_space, topic, 1);
  auto refusal = to == nullptr ? names_problem(name_space, topic) : std::nullopt;
  if (!refusal && !message) refusal = std::move(message.why());
  if (refusal) {
    place.bytes += refusal->text.size();
    place.how.emplace(std::move(*refusal));
  } else {
    if (to == nullptr) to = &add_topic(name_space, topic);
    place.bytes += (*message).message->footprint();
    to->drafts.push_back(std::move(*message));
    to->places.push_back(first_place_ + places_.size() - 1);
  }
  bytes_ += place.bytes;
}

topic_publishes& publish_burst::add_topic(const std::string& name_space, const std::string& topic) {
  auto& added = topics_.emplace_back(topic_publishes{name_space, topic, {}, {}});
  if (topics_.size() > 1) return added;
  added.drafts.reserve(expected_);  // most bursts are for one topic
  added.places.reserve(expected_);
  return added;
}

void publish_burst::move_to(std::deque<stream_place>& places, std::vector<topic_publishes>& publishes) {
  append(places, places_);
  first_place_ += places_.size();
  places_.clear();
  if (places_.capacity() > kept_places) std::vector<stream_place>().swap(places_);
  if (publishes.empty()) return publishes.swap(topics_);
  for (auto& one : topics_) {
    if (auto* known = find(publishes, one.name_space, one.topic, one.drafts.size())) {
      append(known->drafts, one.drafts);
      append(known->places, one.places);
    } else {
      publishes.push_back(std::move(one));
    }
  }
  topics_.clear();
}

}  // namespace mqlite
