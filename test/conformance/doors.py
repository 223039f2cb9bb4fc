"""The doors by name. A new protocol is one more line."""

from grpc_door import GrpcDoor
from http_door import HttpDoor
from tcp_json_door import TcpJsonDoor
from tcp_proto_door import TcpProtoDoor

DOORS = {
    "http": HttpDoor,
    "tcp_json": TcpJsonDoor,
    "tcp_protobuf": TcpProtoDoor,
    "grpc": GrpcDoor,
}
