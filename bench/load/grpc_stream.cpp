#include "bench/load/grpc_stream.hpp"

#include <algorithm>
#include <utility>

#include "proto/mqlite.grpc.pb.h"

namespace mqlite::load {
namespace {

/// What one message carries at most: publishes, and, give or take a publish, bytes.
constexpr std::size_t most_publishes = 128;
constexpr std::size_t most_bytes = 256 * 1024;

grpc::ByteBuffer buffer_of(const grpc::Slice& text) { return {&text, 1}; }

constexpr std::uint8_t bytes_tag(int field) { return static_cast<std::uint8_t>(field << 3 | 2); }

std::size_t count_parsed(std::string_view results) {
  v1::PublishStreamResponse answer;
  if (!answer.ParseFromArray(results.data(), static_cast<int>(results.size())))
    throw run_error("the broker sends an answer that cannot be read");
  for (const auto& one : answer.results())
    if (!one.code().empty()) throw run_error("the broker refuses: " + one.error());
  return static_cast<std::size_t>(answer.results_size());
}

}  // namespace

// -- messages -------------------------------------------------------------------------------------------------------------------

burst_text::burst_text(const v1::PublishRequest& one) {
  v1::PublishRequest behind;
  behind.add_more()->set_payload(one.payload());
  auto text = one.SerializeAsString();
  const auto next = behind.SerializeAsString();
  first_size_ = text.size();
  next_size_ = next.size();
  most_ = std::clamp<std::size_t>(most_bytes / next_size_, 1, most_publishes);
  for (std::size_t i = 1; i < most_; ++i) text += next;
  all_ = grpc::Slice(text);
}

grpc::ByteBuffer burst_text::of(std::size_t publishes) const {
  return buffer_of(all_.sub(0, first_size_ + (publishes - 1) * next_size_));
}

// Results are all that an answer has, and only those of what was published begin with an id.
std::size_t count_results(const grpc::ByteBuffer& answer) {
  constexpr auto result_tag = bytes_tag(v1::PublishStreamResponse::kResultsFieldNumber);
  constexpr auto id_tag = bytes_tag(v1::PublishResult::kMessageIdFieldNumber);
  grpc::Slice bytes;
  if (!answer.DumpToSingleSlice(&bytes).ok()) throw run_error("the broker sends an answer that cannot be read");
  const auto *at = bytes.begin(), *end = bytes.end();
  std::size_t count = 0;
  // A result of less than 128 bytes has its length in one.
  while (end - at > 2 && at[0] == result_tag && at[1] < 128 && at[2] == id_tag && at[1] <= end - at - 2) {
    at += 2 + at[1];
    ++count;
  }
  return at == end ? count
                   : count + count_parsed({reinterpret_cast<const char*>(at), static_cast<std::size_t>(end - at)});
}

// -- the stream -----------------------------------------------------------------------------------------------------------------

publish_stream::publish_stream(const std::shared_ptr<grpc::Channel>& channel, grpc::CompletionQueue& queue,
                               std::size_t lane, const v1::PublishRequest& request)
    : lane_(lane), texts_(request), reads_(*this), writes_(*this) {
  const auto method = "/" + std::string(v1::MQLiteService::service_full_name()) + "/PublishStream";
  stream_ = grpc::GenericStub(channel).PrepareCall(&context_, method, &queue);
  stream_->StartCall(&writes_);
}

void publish_stream::publish(const v1::PublishRequest& special) {
  special_.push_back(buffer_of(grpc::Slice(special.SerializeAsString())));
  write();
}

bool publish_stream::on_read(bool ok, listener& to) {
  if (!ok) throw run_error("the broker ended a stream");
  const auto published = count_results(answer_);
  to.on_published(lane_, published);
  stream_->Read(&answer_, &reads_);
  return false;
}

bool publish_stream::on_written(bool ok) {
  if (!ok) throw run_error("the broker ended a stream");
  if (!std::exchange(open_, true)) stream_->Read(&answer_, &reads_);
  writing_ = false;
  write();
  return false;
}

void publish_stream::write() {
  if (writing_ || !open_ || owed_ + special_.size() == 0) return;
  writing_ = true;
  const auto message = next();
  grpc::WriteOptions options;
  if (owed_ + special_.size() > 0) options.set_buffer_hint();
  stream_->Write(message, options, &writes_);
}

grpc::ByteBuffer publish_stream::next() {
  if (owed_ == 0) {
    auto message = std::move(special_.front());
    special_.pop_front();
    return message;
  }
  const auto publishes = std::min(owed_, texts_.most());
  owed_ -= publishes;
  return texts_.of(publishes);
}

}  // namespace mqlite::load
