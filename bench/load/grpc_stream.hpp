#pragma once

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <deque>
#include <memory>

#include "bench/load/door.hpp"
#include "proto/mqlite.pb.h"

namespace mqlite::load {

/// What the completion queue tells of.
class event {
 public:
  virtual ~event() = default;
  /// Returns whether the event is over, and to be deleted.
  virtual bool happened(bool ok, listener& to) = 0;
  virtual void cancel() = 0;
};

/// Messages of a PublishStream, written once: that of n publishes is the beginning of that of more.
class burst_text {
 public:
  explicit burst_text(const v1::PublishRequest& one);
  /// How many publishes one message may have.
  std::size_t most() const noexcept { return most_; }
  grpc::ByteBuffer of(std::size_t publishes) const;

 private:
  std::size_t first_size_;
  std::size_t next_size_;
  std::size_t most_;
  grpc::Slice all_;
};

/// The results in a PublishStreamResponse, counted without reading them; throws run_error when there is a refusal among them.
std::size_t count_results(const grpc::ByteBuffer& answer);

/// A PublishStream: one write at a time is under way, and one read. What gathers during a write goes in one message.
class publish_stream {
 public:
  publish_stream(const std::shared_ptr<grpc::Channel>& channel, grpc::CompletionQueue& queue, std::size_t lane,
                 const v1::PublishRequest& request);

  void publish(std::size_t requests) {
    owed_ += requests;
    write();
  }
  void publish(const v1::PublishRequest& special);
  void cancel() { context_.TryCancel(); }

 private:
  struct reading final : event {
    explicit reading(publish_stream& s) : of(s) {}
    bool happened(bool ok, listener& to) override { return of.on_read(ok, to); }
    void cancel() override {}
    publish_stream& of;
  };
  struct writing final : event {
    explicit writing(publish_stream& s) : of(s) {}
    bool happened(bool ok, listener&) override { return of.on_written(ok); }
    void cancel() override {}
    publish_stream& of;
  };

  bool on_read(bool ok, listener& to);
  bool on_written(bool ok);
  void write();
  grpc::ByteBuffer next();

  std::size_t lane_;
  burst_text texts_;
  std::deque<grpc::ByteBuffer> special_;
  std::size_t owed_ = 0;
  bool open_ = false, writing_ = false;
  grpc::ByteBuffer answer_;
  grpc::ClientContext context_;
  reading reads_;
  writing writes_;
  std::unique_ptr<grpc::ClientAsyncReaderWriter<grpc::ByteBuffer, grpc::ByteBuffer>> stream_;
};

}  // namespace mqlite::load
