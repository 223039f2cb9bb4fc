#include "bench/load/progress.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace mqlite::load {
namespace {

constexpr int width = 30;
constexpr std::chrono::milliseconds least_pause{200};

}  // namespace

progress::progress() : terminal_(isatty(STDERR_FILENO) == 1) {}

progress::~progress() {
  if (terminal_) std::fputs("\r\x1b[K", stderr);
}

void progress::begin(std::string what) {
  what_ = std::move(what);
  begun_ = clock::now();
  drawn_ = {};
}

void progress::show(clock::time_point now, double part, std::uint64_t messages) {
  if (!terminal_ || now - drawn_ < least_pause) return;
  drawn_ = now;
  const auto seconds = std::max(1e-3, std::chrono::duration<double>(now - begun_).count());
  const auto full = static_cast<int>(std::clamp(part, 0.0, 1.0) * width);
  std::fprintf(stderr, "\r\x1b[K%-10s [%s%s] %3.0f %%  %.0f messages/s", what_.c_str(), std::string(full, '#').c_str(),
               std::string(width - full, ' ').c_str(), std::clamp(part, 0.0, 1.0) * 100,
               static_cast<double>(messages) / seconds);
  std::fflush(stderr);
}

}  // namespace mqlite::load
