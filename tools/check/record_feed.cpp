#include "tools/check/record_feed.hpp"

#include "persistence/wire.hpp"

namespace mqlite::check {

namespace {

/// What the journal calls the event in a record's body.
std::string kind_of(std::string_view body) {
  wire::reader fields{body};
  wire::field event;
  const auto* known = fields.more() && fields.next(event)
                          ? journal::Record::descriptor()->FindFieldByNumber(static_cast<int>(event.number))
                          : nullptr;
  return known ? known->message_type()->name() : "of kinds that a newer version knows";
}

}  // namespace

bool record_feed::on_record(const surveyed_file& file, const record_view& record) {
  if (place_.file != file.entry.name) place_.file = file.entry.name;
  place_.offset = record.offset;
  place_.gaps = file.missing_before + file.gaps.size();
  if (decoder_.decode(record.body, *this) == record_decoder::outcome::malformed) return false;
  ++counts_[kind_of(record.body)];
  if (then_) then_(place_, record.body);
  return true;
}

void record_feed::on_record(const journal::Record& record) {
  for (auto* visitor : visitors_) visitor->on_record(record);
}

void record_feed::on_published(std::uint64_t topic, const stored_message_view& message) {
  for (auto* visitor : visitors_) visitor->on_published(topic, message);
}

}  // namespace mqlite::check
