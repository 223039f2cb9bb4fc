"""The API over gRPC, through code that protoc makes from proto/ when the tests begin; no stubs are kept."""

import importlib
import os
import subprocess
import sys
import tempfile
import unittest

try:
    import grpc
except ImportError as missing:
    raise unittest.SkipTest("Python's grpc module is not installed (Debian: python3-grpcio)") from missing

from harness import DEADLINE, SOURCE, BrokerCase, SharedBrokerCase

CODE = grpc.StatusCode

# The standard services that a server offers besides its own: as much of them as is asked here.
STANDARD_PROTOS = {
    "health.proto": """
        syntax = "proto3";
        package grpc.health.v1;
        message HealthCheckRequest { string service = 1; }
        message HealthCheckResponse {
          enum ServingStatus { UNKNOWN = 0; SERVING = 1; NOT_SERVING = 2; SERVICE_UNKNOWN = 3; }
          ServingStatus status = 1;
        }
        service Health {
          rpc Check(HealthCheckRequest) returns (HealthCheckResponse);
          rpc Watch(HealthCheckRequest) returns (stream HealthCheckResponse);
        }
        """,
    "reflection.proto": """
        syntax = "proto3";
        package grpc.reflection.v1alpha;
        message ServerReflectionRequest {
          string host = 1;
          oneof message_request { string file_containing_symbol = 4; string list_services = 7; }
        }
        message ServerReflectionResponse {
          oneof message_response {
            FileDescriptorResponse file_descriptor_response = 4;
            ListServiceResponse list_services_response = 6;
          }
        }
        message FileDescriptorResponse { repeated bytes file_descriptor_proto = 1; }
        message ListServiceResponse { repeated ServiceResponse service = 1; }
        message ServiceResponse { string name = 1; }
        service ServerReflection {
          rpc ServerReflectionInfo(stream ServerReflectionRequest) returns (stream ServerReflectionResponse);
        }
        """,
}


def _generate():
    """The modules of mqlite.proto, health.proto and reflection.proto."""
    with tempfile.TemporaryDirectory(prefix="mqlite-stubs-") as folder:
        for name, text in STANDARD_PROTOS.items():
            with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                file.write(text)
        source = os.path.join(SOURCE, "proto")
        subprocess.run(["protoc", f"-I{source}", f"-I{folder}", f"--python_out={folder}", "mqlite.proto", *STANDARD_PROTOS],
                       check=True, timeout=DEADLINE)
        sys.path.insert(0, folder)
        try:
            return [importlib.import_module(name) for name in ("mqlite_pb2", "health_pb2", "reflection_pb2")]
        finally:
            sys.path.remove(folder)


pb, health, reflection = _generate()


class Service:
    """Calls the methods of one service of a channel by their names."""

    def __init__(self, channel, module, name):
        self._channel = channel
        self._module = module
        self.descriptor = module.DESCRIPTOR.services_by_name[name]
        self.called = set()

    def method(self, name, kind):
        """The grpc callable; kind as in "unary_stream"."""
        self.called.add(name)
        method = self.descriptor.methods_by_name[name]
        return getattr(self._channel, kind)(
            f"/{self.descriptor.full_name}/{name}",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=getattr(self._module, method.output_type.name).FromString)

    def request(self, name, /, **fields):
        return getattr(self._module, self.descriptor.methods_by_name[name].input_type.name)(**fields)

    def call(self, name, /, timeout=DEADLINE, **fields):
        """The response of a unary call; grpc.RpcError where it fails."""
        return self.method(name, "unary_unary")(self.request(name, **fields), timeout=timeout)

    def future(self, name, /, timeout=DEADLINE, **fields):
        return self.method(name, "unary_unary").future(self.request(name, **fields), timeout=timeout)

    def stream(self, name, /, timeout=None, **fields):
        """A server stream: to be iterated over, or cancelled."""
        return self.method(name, "unary_stream")(self.request(name, **fields), timeout=timeout)

    def both(self, name, requests, timeout=None):
        """A stream in both directions."""
        return self.method(name, "stream_stream")(requests, timeout=timeout)


class Client:
    """One channel to a broker, on a connection of its own."""

    def __init__(self, port, *options):
        self.channel = grpc.insecure_channel(f"127.0.0.1:{port}", options=[("grpc.use_local_subchannel_pool", 1), *options])
        self.api = Service(self.channel, pb, "MQLiteService")
        self.health = Service(self.channel, health, "Health")
        self.reflection = Service(self.channel, reflection, "ServerReflection")

    def close(self):
        self.channel.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class GrpcCase(BrokerCase):
    """Tests that speak gRPC."""

    def client_of(self, broker, *options):
        client = Client(broker.ports["grpc"], *options)
        self.addCleanup(client.close)
        return client

    def assert_status(self, code, call, *words):
        """call() fails with the code and a message that holds the words."""
        with self.assertRaises(grpc.RpcError) as caught:
            call()
        self.assert_ended(caught.exception, code, *words)

    def assert_ended(self, error, code, *words):
        self.assertEqual(error.code(), code, error)
        for word in words:
            self.assertIn(str(word), error.details())


class SharedGrpcCase(SharedBrokerCase, GrpcCase):
    """Tests that share one broker; each has a namespace of its own, where `orders` is the usual topic."""

    def setUp(self):
        super().setUp()
        self.client = self.client_of(self.broker)
        self.api = self.client.api
        self.at = {"namespace": self.namespace, "topic": "orders"}

    def make_topic(self, name="orders", queue_count=1, **settings):
        try:
            self.api.call("CreateNamespace", name=self.namespace)
        except grpc.RpcError as error:
            self.assertEqual(error.code(), CODE.ALREADY_EXISTS)
        self.api.call("CreateTopic", namespace=self.namespace, name=name, queue_count=queue_count,
                      settings=pb.TopicSettings(**settings))
        return {"namespace": self.namespace, "topic": name}

    def topic_info(self, name="orders"):
        return self.api.call("GetTopic", namespace=self.namespace, name=name)

    def counts(self, queue_id=0, name="orders"):
        return self.topic_info(name).queues[queue_id]

    def publish_all(self, payloads, **fields):
        requests = [pb.PublishRequest(payload=p, **fields) for p in payloads]
        return self.api.call("PublishBatch", **self.at, messages=requests).results
