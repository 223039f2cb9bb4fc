#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "actors/gateway.hpp"
#include "protocols/tcp/command.hpp"

namespace mqlite::tcp {

class push_stream;

/// Kinds of commands, by what has to be answered before they may begin.
enum class work : std::uint8_t { publish, consume, settle, nack, wait, other };
inline constexpr std::size_t work_kinds = 6;

/// A set of kinds.
using work_set = std::uint8_t;
constexpr work_set set_of(work kind) noexcept { return static_cast<work_set>(1U << static_cast<unsigned>(kind)); }

/// The commands that `kind` must not overtake, so that pipelined commands have the effect of commands sent one by one: a consume
/// sees what was published before it, a topic is there for what follows its creation. Nothing waits for a consume that may wait long
/// itself.
constexpr work_set predecessors(work kind) noexcept {
  constexpr work_set admin = set_of(work::other);
  switch (kind) {
    case work::publish:
    case work::settle:
    case work::nack:
      return admin;
    case work::consume:
    case work::wait:
      return admin | set_of(work::publish) | set_of(work::nack);
    case work::other:
      break;
  }
  return admin | set_of(work::publish) | set_of(work::nack) | set_of(work::consume) | set_of(work::settle);
}

/// Publishes that follow each other on a connection: they go to their topics in one batch each, and are answered together.
struct publish_run {
  struct batch {
    std::string name_space;
    std::string topic;
    std::vector<draft> drafts;
    std::vector<outcome<published>> results;
  };
  struct place {
    answer_address to;
    std::uint32_t batch = 0;
    std::uint32_t position = 0;
  };
  std::vector<batch> batches;
  std::vector<place> places;   ///< in the order of the commands
  std::size_t unanswered = 0;  ///< batches
};

/// A consume that waits for messages.
struct waiting_consume {
  gateway::consume_token token;
  bool cancelled = false;
};

/// One answer that is owed, or those of a run of publishes.
struct owed_answer {
  work kind = work::other;
  bool done = false;
  std::size_t commands = 1;
  std::size_t bytes = 0;           ///< of the commands
  std::string text;                ///< its frame
  std::vector<consumed> messages;  ///< to be confirmed when it was written
  std::unique_ptr<publish_run> run;
  std::shared_ptr<waiting_consume> waiting;
  std::shared_ptr<push_stream> opens;  ///< may push behind this answer
};

/// What a connection owes its peer, in the order of the commands: an answer that is known early waits for its predecessors.
class answer_line {
 public:
  using number = std::uint64_t;

  number add(owed_answer answer) {
    commands_ += answer.commands;
    bytes_ += answer.bytes;
    ++counts_[static_cast<std::size_t>(answer.kind)];
    line_.push_back(std::move(answer));
    return first_ + line_.size() - 1;
  }
  /// Null when it is gone.
  owed_answer* find(number n) noexcept {
    return n < first_ || n - first_ >= line_.size() ? nullptr : &line_[n - first_];
  }
  /// It has got its answer; what waited for its kind may begin.
  void finish(owed_answer& answer) noexcept {
    answer.done = true;
    --counts_[static_cast<std::size_t>(answer.kind)];
  }
  /// Publishes join a run that is already in the line.
  void join(owed_answer& run, std::size_t bytes) noexcept {
    ++run.commands;
    run.bytes += bytes;
    ++commands_;
    bytes_ += bytes;
  }
  /// The first one, if it is done.
  owed_answer* front() noexcept { return !line_.empty() && line_.front().done ? &line_.front() : nullptr; }
  void pop() noexcept {
    commands_ -= line_.front().commands;
    bytes_ -= line_.front().bytes;
    ++first_;
    line_.pop_front();
  }

  bool empty() const noexcept { return line_.empty(); }
  std::size_t commands() const noexcept { return commands_; }
  std::size_t bytes() const noexcept { return bytes_; }
  /// Whether one of these kinds has not got its answer yet.
  bool busy_with(work_set kinds) const noexcept {
    for (std::size_t i = 0; i < work_kinds; ++i)
      if (counts_[i] > 0 && (kinds >> i & 1U) != 0) return true;
    return false;
  }
  template <class F>
  void for_each(F f) {
    for (auto& answer : line_) f(answer);
  }

 private:
  std::deque<owed_answer> line_;
  number first_ = 0;
  std::size_t commands_ = 0;
  std::size_t bytes_ = 0;
  std::array<std::size_t, work_kinds> counts_{};
};

}  // namespace mqlite::tcp
