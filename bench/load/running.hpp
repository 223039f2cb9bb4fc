#pragma once

#include "bench/load/workloads.hpp"

namespace mqlite::load {

/// What workloads have in common: the clock of the measurement, and a watch on servers that fall silent.
class running : public listener {
 public:
  running(const plan& what, door& through) : plan_(what), door_(through), total_(what.count.value_or(0)) {}
  result take() { return std::move(result_); }

  void on_published(std::size_t, std::size_t messages) override { result_.published += messages; }
  void on_messages(std::size_t, delivered&) override {}
  void on_settled(std::size_t, std::size_t messages) override { result_.acknowledged += messages; }

 protected:
  /// Polls until `until`, or until something came; throws when nothing has come for too long while `owed` answers are.
  void poll(clock::time_point until, bool owed);
  /// Begins and ends what is measured.
  void begin_measuring();
  void end_measuring(std::uint64_t messages);
  bool measuring() const noexcept { return measuring_; }
  bool interrupted() noexcept;
  static std::int64_t nanoseconds(clock::duration d) {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(d).count();
  }

  const plan& plan_;
  door& door_;
  const std::uint64_t total_;  // messages to measure; 0 = a time is
  result result_;
  progress progress_;
  clock::time_point begun_;
  clock::time_point heard_ = clock::now();

 private:
  bool measuring_ = false;
  process_usage before_;
  double own_before_ = 0;
};

/// Publishes with a fixed number of requests under way, until a time is over or a number is answered.
class publishing : public running {
 public:
  publishing(const plan& what, door& through);
  void measure();
  /// Publishes so many, unmeasured.
  void fill(std::uint64_t messages);
  void on_published(std::size_t lane, std::size_t messages) override;

 private:
  struct burst {
    clock::time_point sent;
    std::size_t messages;
  };
  void send(std::size_t lane, std::size_t requests, clock::time_point now);
  void start_all();
  void finish();
  std::uint64_t in_flight() const noexcept { return sent_ - result_.published; }

  std::size_t batch_;
  std::vector<std::vector<burst>> bursts_;  // of each lane, oldest first from first_
  std::vector<std::size_t> first_;
  std::uint64_t sent_ = 0;
  std::uint64_t may_send_ = 0;  // messages
};

/// Consumes and acknowledges in batches until everything is gone; each ack travels with the next consume.
class draining final : public running {
 public:
  draining(const plan& what, door& through, std::uint64_t held);
  void measure();
  void on_messages(std::size_t lane, delivered& messages) override;

 private:
  void fetch(std::size_t lane, clock::time_point now);

  std::uint64_t wanted_;
  std::uint64_t received_ = 0;
  std::vector<std::vector<clock::time_point>> asked_;
  bool pushed_ = false;
};

/// Publishes at a fixed rate, whatever the server does, to consumers that wait; every message is timed from the moment when it was
/// due to be sent, so that a server that stalls is charged for all that was due meanwhile.
class streaming final : public running {
 public:
  streaming(const plan& what, door& through);
  void measure();
  void on_messages(std::size_t lane, delivered& messages) override;

 private:
  void send_due(clock::time_point now);
  clock::time_point due(std::uint64_t n) const;

  clock::time_point start_;
  std::uint64_t unmeasured_;  // of warming up
  std::uint64_t last_;        // how many there are in all
  std::uint64_t sent_ = 0;
  std::uint64_t received_ = 0;
  std::vector<bool> pushed_;
};

}  // namespace mqlite::load
