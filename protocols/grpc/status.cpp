#include "protocols/grpc/status.hpp"

#include "protocols/translate/error_names.hpp"

namespace mqlite {

grpc::Status status_of(const failure& why) {
  return {static_cast<grpc::StatusCode>(names_of(why.code).grpc), why.text};
}

grpc::Status shutting_down_status() { return {grpc::StatusCode::UNAVAILABLE, "the broker is shutting down"}; }

grpc::Status cancelled_status() { return {grpc::StatusCode::CANCELLED, "the call was cancelled"}; }

}  // namespace mqlite
