#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "persistence/log_survey.hpp"
#include "persistence/record_visitor.hpp"

namespace mqlite::check {

/// Where a record stands.
struct record_place {
  std::string file;
  std::uint64_t offset = 0;
  std::uint64_t gaps = 0;  ///< how often something is missing before it
};

/// Decodes what a survey reads, counts it, and passes it on.
class record_feed final : public survey_visitor, private record_visitor {
 public:
  /// Called with every record that can be decoded, behind the visitors.
  using whole_record = std::function<void(const record_place& place, std::string_view body)>;

  /// From now on `visitor` is told of every event.
  void add(record_visitor& visitor) { visitors_.push_back(&visitor); }
  void each(whole_record then) { then_ = std::move(then); }

  bool on_record(const surveyed_file& file, const record_view& record) override;

  /// Where the record stands that visitors are being told of.
  const record_place& place() const { return place_; }

  /// How many records there were of each kind, by its name in the journal.
  const std::map<std::string, std::uint64_t>& counts() const { return counts_; }
  std::uint64_t messages() const { return decoder_.messages(); }

 private:
  void on_record(const journal::Record& record) override;
  void on_published(std::uint64_t topic, const stored_message_view& message) override;

  record_decoder decoder_;
  std::vector<record_visitor*> visitors_;
  whole_record then_;
  record_place place_;
  std::map<std::string, std::uint64_t> counts_;
};

}  // namespace mqlite::check
