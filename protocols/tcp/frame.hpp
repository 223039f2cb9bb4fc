#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "actors/errors.hpp"

/// Frames on TCP: u32 length (big-endian), u8 encoding, payload.
namespace mqlite::tcp {

/// How a payload is written; the numbers are those on the wire.
enum class encoding : std::uint8_t { json = 0, protobuf = 1 };

/// What a frame's length counts.
enum class length_count {
  payload,        ///< the payload alone
  with_encoding,  ///< the encoding's byte as well
};

inline constexpr std::size_t frame_header_size = 5;

/// What the bytes at hand begin with.
struct frame_step {
  enum class kind {
    incomplete,  ///< a part of a frame, or nothing
    ambiguous,   ///< a first frame that is complete by one count, and lacks one byte by the other
    whole,       ///< a frame, see `payload`
    bad,         ///< a frame that is none, see `why`; the next one follows it
    fatal,       ///< see `why`; where the next frame begins is not known
  };
  kind what = kind::incomplete;
  std::size_t size = 0;          ///< bytes that `whole` and `bad` take
  encoding as = encoding::json;  ///< of the payload, or of the answer that says why not
  std::string_view payload;      ///< a part of the input
  failure why;
};

/// Cuts a connection's bytes into frames, and learns from the first one what its peer's lengths count: the encoding's byte as well
/// when that makes the payload a complete document, and what follows is no JSON white space (which could be the end of a document
/// by the other count). In doubt the payload alone.
class frame_reader {
 public:
  using document_check = bool (*)(encoding as, std::string_view payload);

  /// `is_document` says whether a payload is complete and sound; it is asked for the first frame only.
  frame_reader(std::uint64_t most_bytes, document_check is_document)
      : most_bytes_(most_bytes), is_document_(is_document) {}

  /// Looks at what was received and not yet taken.
  frame_step next(std::string_view input);

  /// Nothing followed an ambiguous frame for a while: it is complete.
  void settle() noexcept { decide(length_count::with_encoding); }

  /// What the peer counts, as far as it is known.
  length_count count() const noexcept { return count_; }

 private:
  frame_step cut(std::string_view input, std::uint32_t length);
  frame_step refuse(std::string_view input, std::uint32_t length) const;
  void decide(length_count count) noexcept {
    count_ = count;
    decided_ = true;
  }

  std::uint64_t most_bytes_;
  document_check is_document_;
  length_count count_ = length_count::payload;
  bool decided_ = false;
};

/// Writes frames: the payload is what is appended to `out` between construction and finish().
class frame_writer {
 public:
  frame_writer(std::string& out, encoding as) : out_(out), start_(out.size()) {
    out_.append(frame_header_size, '\0');
    out_[start_ + 4] = static_cast<char>(as);
  }
  /// Writes the length.
  void finish(length_count count) {
    const auto length = static_cast<std::uint32_t>(out_.size() - start_ - (count == length_count::payload ? 5 : 4));
    for (int i = 0; i < 4; ++i) out_[start_ + static_cast<std::size_t>(i)] = static_cast<char>(length >> (24 - 8 * i));
  }

 private:
  std::string& out_;
  std::size_t start_;
};

}  // namespace mqlite::tcp
