"""A stand-in for grpcurl, which Debian does not have: `grpcurl -plaintext [-d JSON] HOST:PORT SERVICE/METHOD` for unary calls.

All that it knows about the service comes from the server, through reflection.
"""

import argparse
import sys

from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory
from grpc_api import Service, grpc, reflection
from harness import DEADLINE


def describe(channel, service):
    """The pool of what the server says about a service."""
    requests = iter([reflection.ServerReflectionRequest(file_containing_symbol=service)])
    answer = next(iter(Service(channel, reflection, "ServerReflection").both("ServerReflectionInfo", requests, DEADLINE)))
    pool = descriptor_pool.DescriptorPool()
    for file in answer.file_descriptor_response.file_descriptor_proto:
        pool.Add(descriptor_pb2.FileDescriptorProto.FromString(file))
    return pool


def call(channel, service, method, text):
    """The response in JSON, to a request in JSON."""
    pool = describe(channel, service)
    described = pool.FindServiceByName(service).methods_by_name[method]
    make = message_factory.MessageFactory(pool).GetPrototype
    request = json_format.Parse(text, make(described.input_type)())
    unary = channel.unary_unary(f"/{service}/{method}", request_serializer=lambda message: message.SerializeToString(),
                                response_deserializer=make(described.output_type).FromString)
    return json_format.MessageToJson(unary(request, timeout=DEADLINE))


def main(arguments):
    parser = argparse.ArgumentParser(prog="grpcurl")
    parser.add_argument("-plaintext", action="store_true", required=True)
    parser.add_argument("-d", default="{}")
    parser.add_argument("address")
    parser.add_argument("method")
    asked = parser.parse_args(arguments)
    service, _, method = asked.method.rpartition("/")
    with grpc.insecure_channel(asked.address) as channel:
        try:
            print(call(channel, service, method, asked.d))
        except grpc.RpcError as error:
            sys.exit(f"ERROR:\n  Code: {error.code().name}\n  Message: {error.details()}")


if __name__ == "__main__":
    main(sys.argv[1:])
