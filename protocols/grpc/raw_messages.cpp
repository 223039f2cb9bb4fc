#include "protocols/grpc/raw_messages.hpp"

#include "proto/mqlite.grpc.pb.h"  // with it comes how gRPC writes Protobuf, wherever a version keeps that
#include "protocols/translate/proto_lists.hpp"

namespace mqlite {

whole_message::whole_message(const grpc::ByteBuffer& in) {
  if (!in.TrySingleSlice(&slice_).ok()) (void)in.DumpToSingleSlice(&slice_);
}

std::optional<failure> read_message(const grpc::ByteBuffer& in, google::protobuf::Message& out) {
  if (!in.Valid()) return failure{error_code::invalid_argument, "the call has no request"};
  const whole_message message(in);
  const auto bytes = message.bytes();
  if (auto problem = lists_problem("the request", bytes, *out.GetDescriptor())) return problem;
  if (out.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return std::nullopt;
  return failure{error_code::invalid_argument, "the request is no valid " + out.GetDescriptor()->name()};
}

grpc::ByteBuffer bytes_of(const google::protobuf::Message& message) {
  grpc::ByteBuffer bytes;
  bool own = false;
  // Fails for messages beyond 2 GiB alone: no answer is that large.
  (void)grpc::SerializationTraits<google::protobuf::Message>::Serialize(message, &bytes, &own);
  return bytes;
}

}  // namespace mqlite
