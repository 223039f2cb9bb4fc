#include "protocols/tcp/frame.hpp"

namespace mqlite::tcp {
namespace {

constexpr std::size_t length_size = 4;

std::uint32_t length_at(std::string_view input) noexcept {
  std::uint32_t length = 0;
  for (std::size_t i = 0; i < length_size; ++i) length = length << 8 | static_cast<unsigned char>(input[i]);
  return length;
}

constexpr bool is_json_space(char c) noexcept { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
constexpr bool is_known(char byte) noexcept { return byte == 0 || byte == 1; }

encoding answer_encoding(std::string_view input) noexcept {
  return input.size() > length_size && input[length_size] == 1 ? encoding::protobuf : encoding::json;
}

void malformed(frame_step& step, std::string text) {
  step.what = frame_step::kind::bad;
  step.why = {error_code::invalid_argument, std::move(text), false};
}

frame_step only(frame_step::kind what) {
  frame_step step;
  step.what = what;
  return step;
}

}  // namespace

frame_step frame_reader::next(std::string_view input) {
  if (input.size() < length_size) return {};
  const auto length = length_at(input);
  const std::uint64_t uncounted = count_ == length_count::with_encoding ? 1 : 0;
  if (length > most_bytes_ + uncounted) return refuse(input, length);
  if (decided_ || length == 0) return cut(input, length);

  // Both counts are possible: whole_by_both is the end of the shorter reading.
  const std::size_t shorter_end = length_size + length;
  if (input.size() < shorter_end) return {};
  const char kind = input[length_size];
  if (length < 2 || !is_known(kind) ||
      !is_document_(static_cast<encoding>(kind), input.substr(frame_header_size, length - 1))) {
    if (input.size() > shorter_end) decide(length_count::payload);
    return cut(input, length);
  }
  if (input.size() == shorter_end) return only(frame_step::kind::ambiguous);
  decide(is_json_space(input[shorter_end]) ? length_count::payload : length_count::with_encoding);
  return cut(input, length);
}

/// Takes the frame by the count in use.
frame_step frame_reader::cut(std::string_view input, std::uint32_t length) {
  const bool alone = count_ == length_count::payload;
  const std::size_t end = length_size + length + (alone ? 1 : 0);
  frame_step step;
  if (input.size() < end) return step;
  step.size = end;
  step.as = answer_encoding(input.substr(0, end));
  const char kind = end > length_size ? input[length_size] : '\0';
  if (length == 0 || end == frame_header_size) {
    malformed(step, "a frame without a payload");
  } else if (!is_known(kind)) {
    malformed(step,
              "unknown encoding " + std::to_string(static_cast<unsigned char>(kind)) + ": 0 is JSON, 1 is Protobuf");
  } else {
    step.what = frame_step::kind::whole;
    step.payload = input.substr(frame_header_size, end - frame_header_size);
  }
  return step;
}

frame_step frame_reader::refuse(std::string_view input, std::uint32_t length) const {
  frame_step step = only(frame_step::kind::fatal);
  step.as = answer_encoding(input);
  step.why = {error_code::too_large,
              "a frame of " + std::to_string(length) + " bytes; at most " + std::to_string(most_bytes_) +
                  " are allowed (limits.max_request_bytes)",
              false};
  for (const std::string_view verb : {"GET ", "POST", "PUT ", "HEAD", "DELE", "OPTI", "PATC"})
    if (input.starts_with(verb)) {
      step.as = encoding::json;
      step.why.text += "; this port speaks frames, not HTTP";
    }
  return step;
}

}  // namespace mqlite::tcp
