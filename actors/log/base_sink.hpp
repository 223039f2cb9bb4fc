#pragma once

#include <memory>
#include <optional>

#include "actors/log/rewriter.hpp"
#include "persistence/base_writer.hpp"

namespace mqlite {

/// A rewriter's records become the base of a log. The file is made with the first record, and removed when the sink is destroyed
/// before finish() succeeded. For a thread of its own, whose priority it lowers.
class base_sink final : public record_sink {
 public:
  /// `result` is set by finish().
  base_sink(base_plan plan, std::shared_ptr<std::optional<finished_base>> result)
      : plan_(std::move(plan)), result_(std::move(result)) {}

  std::optional<failure> append(std::string framed) override;
  std::optional<failure> finish() override;

 private:
  std::optional<failure> open();

  base_plan plan_;
  std::shared_ptr<std::optional<finished_base>> result_;
  std::optional<base_writer> writer_;
};

}  // namespace mqlite
