#pragma once

#include <algorithm>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>

namespace mqlite::tcp {

/// Bytes that were received and not yet taken, in one piece. Memory follows what arrives, not what a peer announces.
class receive_buffer {
 public:
  std::string_view view() const noexcept { return {memory_.get() + begin_, end_ - begin_}; }
  std::size_t size() const noexcept { return end_ - begin_; }

  /// Room for at least `least` bytes behind the others: where it begins, and its size. It stays until the next prepare(), also
  /// while bytes are taken.
  std::pair<char*, std::size_t> prepare(std::size_t least) {
    if (begin_ == end_) begin_ = end_ = 0;
    if (capacity_ - end_ < least) make_room(least);
    return {memory_.get() + end_, capacity_ - end_};
  }
  /// `size` bytes were written to the room.
  void commit(std::size_t size) noexcept { end_ += size; }
  /// The first `size` bytes were taken.
  void consume(std::size_t size) noexcept { begin_ += size; }
  /// Gives memory back, when it is empty and has more than `most`; not while somebody writes to its room.
  void shrink(std::size_t most) {
    if (size() > 0 || capacity_ <= most) return;
    memory_.reset();
    capacity_ = begin_ = end_ = 0;
  }

 private:
  void make_room(std::size_t least) {
    const auto held = size();
    if (capacity_ - held >= least && held <= capacity_ / 2) {
      std::memmove(memory_.get(), memory_.get() + begin_, held);
    } else {
      capacity_ = std::max(capacity_ * 2, held + least);
      auto larger = std::make_unique_for_overwrite<char[]>(capacity_);
      if (held > 0) std::memcpy(larger.get(), memory_.get() + begin_, held);
      memory_ = std::move(larger);
    }
    begin_ = 0;
    end_ = held;
  }

  std::unique_ptr<char[]> memory_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace mqlite::tcp
