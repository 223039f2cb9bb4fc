"""The doors by name. A new protocol is one more line."""

from caf_door import CafDoor
from grpc_door import GrpcDoor
from http_door import HttpDoor
from tcp_json_door import TcpJsonDoor
from tcp_proto_door import TcpProtoDoor

DOORS = {
    "http": HttpDoor,
    "tcp_json": TcpJsonDoor,
    "tcp_protobuf": TcpProtoDoor,
    "grpc": GrpcDoor,
    "caf": CafDoor,
}
