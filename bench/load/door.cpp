#include "bench/load/door.hpp"

#include "bench/load/caf_door.hpp"
#include "bench/load/grpc_door.hpp"
#include "bench/load/stream_door.hpp"

namespace mqlite::load {

std::unique_ptr<door> make_door(const plan& what) {
  const auto stream = [&](std::unique_ptr<dialect> spoken) {
    return std::make_unique<stream_door>(what, std::move(spoken));
  };
  switch (what.via) {
    case protocol::tcp:
      return stream(make_tcp_dialect(what));
    case protocol::tcp_json:
    case protocol::http:
      return stream(make_json_dialect(what));
    case protocol::redis:
      return stream(make_redis_dialect(what));
    case protocol::nats:
      return stream(make_nats_dialect(what));
    case protocol::beanstalkd:
      return stream(make_beanstalkd_dialect(what));
    case protocol::grpc:
    case protocol::grpc_stream:
      return make_grpc_door(what);
    case protocol::caf:
      return make_caf_door(what);
    case protocol::rabbitmq:
    case protocol::rabbitmq_quorum:
      return stream(make_rabbitmq_dialect(what));
  }
  throw usage_error(std::string("there is no door ") + name_of(what.via));
}

}  // namespace mqlite::load
