#include "protocols/grpc/publish_burst.hpp"

#include <algorithm>
#include <iterator>

#include "persistence/wire.hpp"
#include "proto/mqlite.pb.h"
#include "protocols/translate/names.hpp"
#include "protocols/translate/plain_publish.hpp"
#include "protocols/translate/proto_lists.hpp"
#include "protocols/translate/proto_requests.hpp"

namespace mqlite {
namespace {

/// Of many topics in turn the last ones are looked through, so that their number makes no publish slow.
constexpr std::ptrdiff_t looked_through = 16;
/// Of a burst with more places their memory is not kept for the next one.
constexpr std::size_t kept_places = 1024;
constexpr std::size_t kept_bytes = 256 * 1024;

/// The last of `list` for the topic, where it has room for so many more; else null.
topic_publishes* find(std::vector<topic_publishes>& list, std::string_view name_space, std::string_view topic,
                      std::size_t room) {
  const auto end = list.rbegin() + std::min(looked_through, std::ssize(list));
  const auto found = std::find_if(list.rbegin(), end, [&](const topic_publishes& known) {
    return known.topic == topic && known.name_space == name_space;
  });
  return found != end && found->drafts.size() + room <= most_batch ? &*found : nullptr;
}

std::optional<failure> names_problem(std::string_view name_space, std::string_view topic) {
  auto problem = name_problem("namespace", name_space);
  return problem ? std::move(problem) : name_problem("topic", topic);
}

failure malformed() { return {error_code::invalid_argument, "the message is no valid PublishRequest"}; }

/// One publish, as its bytes say it.
struct burst_publish {
  std::string name_space;
  std::string topic;
  outcome<draft> message;
};

outcome<burst_publish> read_one(std::string_view bytes, const publish_terms& terms) {
  // Names that can be none are Protobuf's concern first: they may be no text at all.
  const auto may_be_name = [](std::string_view name) { return name.empty() || is_name(name); };
  if (plain_publish plain;
      read_plain_publish(bytes, plain) && may_be_name(plain.name_space) && may_be_name(plain.topic))
    return burst_publish{std::string(plain.name_space), std::string(plain.topic),
                         make_draft(plain.payload, {}, plain.queue, 0, terms)};
  if (auto problem = lists_problem("the message", bytes, *v1::PublishRequest::descriptor())) return std::move(*problem);
  v1::PublishRequest in;
  if (!in.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return malformed();
  return burst_publish{in.namespace_(), in.topic(), read_draft(in, terms)};
}

template <class To, class From>
void append(To& to, From& from) {
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

}  // namespace

outcome<std::size_t> publish_burst::read(std::string_view message, const publish_terms& terms) {
  bytes_ = 0;
  if (auto problem = split(message)) return std::move(*problem);
  places_.reserve(1 + more_.size());
  auto first = read_one(own_, terms);
  if (!first) return std::move(first.why());
  add(first->name_space, first->topic, std::move(first->message));
  for (const auto bytes : more_) {
    auto one = read_one(bytes, terms);
    if (!one) {
      places_.clear();
      topics_.clear();
      return std::move(one.why());
    }
    add(one->name_space.empty() ? first->name_space : one->name_space, one->topic.empty() ? first->topic : one->topic,
        std::move(one->message));
  }
  return bytes_;
}

/// Parts a message into itself and its `more`.
std::optional<failure> publish_burst::split(std::string_view message) {
  more_.clear();
  own_ = message;
  wire::field field;
  for (wire::reader in(message); in.more();) {
    const auto* begin = in.at();
    if (!in.next(field)) return malformed();
    if (field.number != v1::PublishRequest::kMoreFieldNumber || field.type != wire::bytes) {
      if (!more_.empty()) joined_.append(begin, in.at());
      continue;
    }
    if (more_.empty()) joined_.assign(message.data(), begin);
    if (more_.size() == most_batch)
      return failure{error_code::invalid_argument,
                     "`more` must hold at most " + std::to_string(most_batch) + " publishes"};
    more_.push_back(field.content);
  }
  if (!more_.empty()) own_ = joined_;
  return std::nullopt;
}

void publish_burst::add(std::string_view name_space, std::string_view topic, outcome<draft> message) {
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

topic_publishes& publish_burst::add_topic(std::string_view name_space, std::string_view topic) {
  auto& added = topics_.emplace_back(topic_publishes{std::string(name_space), std::string(topic), {}, {}});
  if (topics_.size() > 1) return added;
  added.drafts.reserve(1 + more_.size());  // most bursts are for one topic
  added.places.reserve(1 + more_.size());
  return added;
}

void publish_burst::move_to(std::deque<stream_place>& places, std::vector<topic_publishes>& publishes) {
  append(places, places_);
  first_place_ += places_.size();
  places_.clear();
  if (places_.capacity() > kept_places) std::vector<stream_place>().swap(places_);
  if (joined_.capacity() > kept_bytes) std::string().swap(joined_);
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
