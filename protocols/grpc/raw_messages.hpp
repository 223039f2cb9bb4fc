#pragma once

#include <google/protobuf/message.h>
#include <grpcpp/support/byte_buffer.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "protocols/grpc/door.hpp"
#include "protocols/grpc/status.hpp"

// gRPC hands calls over as bytes. Read here, a request that is malformed, or made of millions of empty entries, is refused in words and
// before it takes memory.
namespace mqlite {

/// The bytes of `in`, in one piece; valid while the result and `in` are.
class whole_message {
 public:
  explicit whole_message(const grpc::ByteBuffer& in);
  std::string_view bytes() const noexcept { return {reinterpret_cast<const char*>(slice_.begin()), slice_.size()}; }

 private:
  grpc::Slice slice_;
};

/// Reads a request; or why not.
std::optional<failure> read_message(const grpc::ByteBuffer& in, google::protobuf::Message& out);

grpc::ByteBuffer bytes_of(const google::protobuf::Message& message);

}  // namespace mqlite
