#pragma once

#include <bit>
#include <cstdint>
#include <vector>

namespace mqlite::load {

/// Durations in nanoseconds at a high dynamic range: whole powers of two, each cut into 128 equal parts, so that what a percentile
/// says is at most 0.8 % above what was recorded, from nanoseconds to centuries, in 58 KB.
class histogram {
 public:
  /// `times`: how many took as long. What is negative counts as 0.
  void record(std::int64_t nanoseconds, std::uint64_t times = 1) {
    const auto value = nanoseconds < 0 ? 0 : static_cast<std::uint64_t>(nanoseconds);
    counts_[index_of(value)] += times;
    total_ += times;
    sum_ += static_cast<double>(value) * static_cast<double>(times);
    if (value > largest_) largest_ = value;
  }

  std::uint64_t total() const noexcept { return total_; }
  std::uint64_t largest() const noexcept { return largest_; }
  double mean() const noexcept { return total_ == 0 ? 0 : sum_ / static_cast<double>(total_); }

  /// The duration that `percent` of all do not exceed; 0 when there is none.
  std::uint64_t percentile(double percent) const noexcept {
    const auto wanted = static_cast<double>(total_) * percent / 100;
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      seen += counts_[i];
      if (seen > 0 && static_cast<double>(seen) >= wanted)
        return upper_bound_of(i) < largest_ ? upper_bound_of(i) : largest_;
    }
    return largest_;
  }

 private:
  static constexpr unsigned bits = 7;
  static constexpr std::uint64_t parts = 1u << bits;

  static std::size_t index_of(std::uint64_t value) noexcept {
    const auto width = static_cast<unsigned>(std::bit_width(value));
    if (width <= bits) return static_cast<std::size_t>(value);
    const auto shift = width - bits - 1;
    return static_cast<std::size_t>((shift + 1) * parts + ((value >> shift) - parts));
  }
  static std::uint64_t upper_bound_of(std::size_t index) noexcept {
    if (index < parts) return index;
    const auto shift = index / parts - 1;
    return ((index % parts + parts + 1) << shift) - 1;
  }

  std::vector<std::uint64_t> counts_ = std::vector<std::uint64_t>((64 - bits + 1) * parts);
  std::uint64_t total_ = 0;
  std::uint64_t largest_ = 0;
  double sum_ = 0;
};

}  // namespace mqlite::load
