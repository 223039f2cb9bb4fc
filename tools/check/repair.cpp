#include "tools/check/repair.hpp"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <algorithm>
#include <sstream>

#include "persistence/published_reader.hpp"
#include "tools/check/text.hpp"

namespace mqlite::check {

namespace {

/// The topic that an event is about; nothing for an event of none.
std::optional<std::uint64_t> topic_of(const journal::Record& record) {
  const auto* member = record.GetReflection()->GetOneofFieldDescriptor(record, record.GetDescriptor()->oneof_decl(0));
  if (!member) return std::nullopt;
  const auto& event = record.GetReflection()->GetMessage(record, member);
  const auto* topic = event.GetDescriptor()->FindFieldByName("topic");
  if (!topic) return std::nullopt;
  return event.GetReflection()->GetUInt64(event, topic);
}

}  // namespace

void repair::write(const record_place& place, std::string_view body) {
  if (failed_) return;
  failed_ = copy_.append(place.file, body);
  ++records_;
}

void repair::take(const record_place& place, std::string_view body) {
  auto published = published_body(body);
  if (!published) {
    journal::Record record;
    record.ParseFromArray(body.data(), static_cast<int>(body.size()));
    return on_event(place, body, record);
  }
  auto topic = *published_topic(*published);
  if (topics_.contains(topic)) return write(place, body);
  if (gone_.contains(topic)) return;
  auto& stray = strays_[topic];
  ++stray.records;
  read_published(*published, [&](std::uint64_t, const stored_message_view&) { ++stray.messages; });
}

void repair::on_event(const record_place& place, std::string_view body, const journal::Record& record) {
  if (record.has_topic_created()) on_created(place, record.topic_created());
  auto topic = topic_of(record);
  if (topic && !topics_.contains(*topic)) {
    if (record.has_topic_deleted()) {
      // Nothing of the topic is missed. The record itself counts: a rewritten log begins with one of the highest number
      // that was given, so that it is not given again.
      strays_.erase(*topic);
      return write(place, body);
    }
    if (!gone_.contains(*topic)) ++strays_[*topic].records;
    return;
  }
  write(place, body);
  auto forget = [&](auto at) {
    by_name_.erase(at->second);
    gone_.insert(at->first);
    return topics_.erase(at);
  };
  on_namespace(place, record);
  if (record.has_topic_deleted()) forget(topics_.find(*topic));
  if (!record.has_namespace_deleted()) return;
  for (auto at = topics_.begin(); at != topics_.end();)
    at = at->second.first == record.namespace_deleted().name() ? forget(at) : std::next(at);
}

void repair::on_namespace(const record_place& place, const journal::Record& record) {
  if (record.has_namespace_created()) namespaces_.insert(record.namespace_created().name());
  if (!record.has_namespace_deleted()) return;
  namespaces_.erase(record.namespace_deleted().name());
  gone_namespaces_[record.namespace_deleted().name()] = place.gaps;
}

/// Whether a topic was created here in a namespace whose own creation a gap has swallowed. A topic may also be recorded
/// directly behind the end of its namespace, when the two were asked for at once: that one has never been.
bool repair::is_creation_lost(const record_place& place, const std::string& name_space) const {
  if (namespaces_.contains(name_space)) return false;
  auto gone = gone_namespaces_.find(name_space);
  return gone == gone_namespaces_.end() || gone->second < place.gaps;
}

void repair::on_created(const record_place& place, const journal::TopicCreated& event) {
  topic_name name{event.namespace_(), event.name()};
  if (is_creation_lost(place, name.first)) {
    namespaces_.insert(name.first);
    journal::Record creation;
    creation.mutable_namespace_created()->set_name(name.first);
    write(place, creation.SerializeAsString());
    put_in_.push_back("the creation of the namespace " + name.first);
  }
  auto before = by_name_.find(name);
  if (before != by_name_.end() && before->second != event.topic()) {
    journal::Record deletion;
    deletion.mutable_topic_deleted()->set_topic(before->second);
    write(place, deletion.SerializeAsString());
    put_in_.push_back("the deletion of an older topic " + name.first + "/" + name.second);
    topics_.erase(before->second);
    gone_.insert(before->second);
  }
  topics_[event.topic()] = name;
  by_name_[name] = event.topic();
}

std::optional<log_failure> repair::finish() {
  if (!failed_) failed_ = copy_.finish();
  return failed_;
}

std::string repair::text(const log_survey& survey) const {
  std::ostringstream out;
  for (const auto& name : survey.content.left_over)
    if (log_file_number(name)) out << "left out: " << name << ", left over, not part of the log\n";
  for (const auto& file : survey.found) {
    for (const auto& gap : file.gaps) {
      out << "left out: " << file.entry.name << ", " << counted(gap.bytes, "byte") << " at offset " << gap.offset
          << ": " << gap.reason << '\n';
    }
    if (file.torn) {
      out << "left out: " << file.entry.name << ", torn tail of " << counted(file.torn->bytes, "byte") << " at offset "
          << file.torn->offset << '\n';
    }
  }
  if (!survey.sound()) {
    for (const auto& [topic, stray] : strays_) {
      out << "left out: " << counted(stray.messages, "message") << " in " << counted(stray.records, "record")
          << " of topic number " << topic << ", whose creation is lost\n";
    }
  }
  for (const auto& what : put_in_) out << "put in: " << what << ", which is lost\n";
  if (!survey.sound()) {
    out << "Acknowledgements may be among what is lost: messages that were done with may be delivered again.\n";
  }
  return out.str();
}

}  // namespace mqlite::check
