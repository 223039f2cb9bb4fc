#pragma once

#include <string>

#include "bench/load/door.hpp"

namespace mqlite::load {

/// A bar on standard error, where that is a terminal: what is being done, how far it is, how fast. Costs nothing elsewhere.
class progress {
 public:
  progress();
  ~progress();
  progress(const progress&) = delete;
  progress& operator=(const progress&) = delete;

  /// Begins a phase; the rate is counted from here.
  void begin(std::string what);
  /// `part`: from 0 to 1. Draws a few times a second at most.
  void show(clock::time_point now, double part, std::uint64_t messages);

 private:
  bool terminal_;
  std::string what_;
  clock::time_point begun_;
  clock::time_point drawn_;
};

}  // namespace mqlite::load
