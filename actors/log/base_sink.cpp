#include "actors/log/base_sink.hpp"

#include <sys/resource.h>

#include <utility>

namespace mqlite {
namespace {

// Those who publish come first: this thread takes a tenth of what others get while they want it.
void step_back() {
#ifdef __linux__
  setpriority(PRIO_PROCESS, 0, 10);  // of the calling thread, on Linux
#endif
}

failure cannot_write(const log_failure& why) { return {error_code::unavailable, why.text()}; }

}  // namespace

std::optional<failure> base_sink::open() {
  if (writer_) return std::nullopt;
  step_back();
  auto created = base_writer::create(std::move(plan_));
  if (!created) return cannot_write(created.error());
  writer_.emplace(std::move(*created));
  return std::nullopt;
}

std::optional<failure> base_sink::append(std::string framed) {
  if (auto problem = open()) return problem;
  if (auto failed = writer_->append(std::move(framed))) return cannot_write(*failed);
  return std::nullopt;
}

std::optional<failure> base_sink::finish() {
  if (auto problem = open()) return problem;
  auto finished = writer_->finish();
  if (!finished) return cannot_write(finished.error());
  *result_ = std::move(*finished);
  return std::nullopt;
}

}  // namespace mqlite
