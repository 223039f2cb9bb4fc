"""Clients that speak the wrong protocol, send too much or next to nothing, or come by the thousand: each is answered with an error or
closed, the log names it once, the memory stays bounded, and all others are served.
"""

import os
import resource
import socket
import struct
import unittest

from delivery import sanitized
from grpc_api import CODE, Client, GrpcCase, pb
from harness import DEADLINE, wait_until
from tcp_clients import Connection

HTTP_REQUEST = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
FRAME = struct.pack(">IB", 17, 0) + b'{"action":"ping"}'
GARBAGE = b"\xff" * 64


def open_files(least):
    """Raises this process's limit of open files as far as it may; whether that is enough. Brokers inherit it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard == resource.RLIM_INFINITY or hard >= least


def resident_bytes(broker):
    with open(f"/proc/{broker.process.pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class BadInputCase(GrpcCase):
    def start(self, *flags):
        broker = self.start_broker(*flags)
        broker.create_topic("orders")
        return broker

    def connect(self, broker, door):
        connection = socket.create_connection(("127.0.0.1", broker.ports[door]), timeout=DEADLINE)
        self.addCleanup(connection.close)
        return connection

    def answer_to(self, broker, door, data):
        """All that comes back until the broker closes."""
        connection = self.connect(broker, door)
        received = b""
        try:
            connection.sendall(data)
            while part := connection.recv(1 << 16):
                received += part
        except ConnectionError:
            pass  # a reset is an end, too
        connection.close()
        return received

    def assert_serves_all(self, broker):
        """A message goes in by each door and out by another."""
        path = "/v1/namespaces/test/topics/orders"
        with Connection(broker) as tcp, Client(broker.ports["grpc"]) as client:
            broker.publish(path, "http")
            tcp.ok("publish", namespace="test", topic="orders", payload="tcp")
            client.api.call("Publish", namespace="test", topic="orders", payload=b'"grpc"')
            self.assertEqual(tcp.ok("consume", namespace="test", topic="orders", auto_ack=True)[0]["payload"], "http")
            self.assertEqual(client.api.call("Consume", namespace="test", topic="orders", auto_ack=True).messages[0].payload, b'"tcp"')
            self.assertEqual(broker.consume(path, auto_ack=True)[0]["payload"], "grpc")


class WrongDoor(BadInputCase):
    def test_frames_at_the_http_door(self):
        broker = self.start()
        answer = self.answer_to(broker, "http", FRAME)
        self.assertTrue(answer.startswith(b"HTTP/1.1 400 ") and b'"INVALID_ARGUMENT"' in answer, answer)
        self.assert_serves_all(broker)

    def test_http_at_the_tcp_door(self):
        broker = self.start()
        answer = self.answer_to(broker, "tcp", HTTP_REQUEST)
        self.assertTrue(b'"TOO_LARGE"' in answer and b"not HTTP" in answer, answer)
        self.assert_serves_all(broker)

    def test_http_and_frames_at_the_grpc_door(self):
        broker = self.start()
        for data in (HTTP_REQUEST, FRAME, GARBAGE):
            with self.subTest(data=data[:20]):
                self.answer_to(broker, "grpc", data)  # comes to an end
        self.assert_serves_all(broker)

    def test_grpc_at_the_other_doors(self):
        broker = self.start()
        for door in ("http", "tcp"):
            with self.subTest(door=door), Client(broker.ports[door]) as client:
                self.assert_status(CODE.UNAVAILABLE, lambda: client.api.call("ListNamespaces", timeout=DEADLINE))
        self.assert_serves_all(broker)

    def test_tls_at_every_door(self):
        broker = self.start()
        hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"a" * 506
        for door in ("http", "tcp", "grpc"):
            with self.subTest(door=door):
                self.answer_to(broker, door, hello)
        self.assert_serves_all(broker)


class TooMuch(BadInputCase):
    def test_a_grpc_message_over_the_limit_is_refused_and_the_connection_goes_on(self):
        broker = self.start("--limits.max_request_bytes", "2MB")
        client = self.client_of(broker, ("grpc.max_send_message_length", -1))
        at = {"namespace": "test", "topic": "orders"}
        self.assert_status(CODE.RESOURCE_EXHAUSTED, lambda: client.api.call("Publish", **at, payload=b"x" * (2 << 20)))
        messages = [pb.PublishRequest(payload=b"x" * (1 << 20))] * 3
        self.assert_status(CODE.RESOURCE_EXHAUSTED, lambda: client.api.call("PublishBatch", **at, messages=messages))
        self.assert_status(CODE.RESOURCE_EXHAUSTED, lambda: next(client.api.both("PublishStream", iter(
            [pb.PublishRequest(**at, payload=b"x" * (2 << 20))]))))
        self.assertEqual(broker.ok("GET", "/v1/namespaces/test/topics/orders")["queues"][0]["ready"], 0)
        self.assertEqual(len(client.api.call("Publish", **at, payload=b"fine").message_id), 36)

    def test_an_offender_is_logged_once_and_not_each_time(self):
        broker = self.start()
        for door, data in (("http", GARBAGE + b"\r\n\r\n"), ("tcp", GARBAGE)):
            for _ in range(200):
                self.answer_to(broker, door, data)
            named = [line for line in broker.lines if "127.0.0.1: " in line and door in line]
            self.assertEqual(len(named), 1, named[:5])
        self.assert_serves_all(broker)

    def test_one_connection_that_errs_again_and_again_is_logged_once(self):
        broker = self.start()
        with Connection(broker) as connection:
            for _ in range(300):
                self.assertEqual(connection.call("nonsense")["code"], "INVALID_ARGUMENT")
                connection.send_raw(connection.frame(b"\xff", 1))
                connection.receive_frame()
        self.assertLess(len(broker.lines), 40, broker.log[:3000])


class TooMany(BadInputCase):
    NUMBER = 10_000

    def test_ten_thousand_connections_that_are_opened_and_left(self):
        if not open_files(self.NUMBER + 500):
            self.skipTest(f"{self.NUMBER} connections need more open files than this account may have")
        broker = self.start("--limits.max_connections", self.NUMBER + 100)
        before = resident_bytes(broker)
        doors = ["http", "tcp"] * (self.NUMBER // 2 - 100) + ["grpc"] * 200
        left = [self.connect(broker, door) for door in doors]
        wait_until(lambda: self.connections(broker) >= self.NUMBER, "all are open")
        self.assert_serves_all(broker)
        if not sanitized():
            self.assertLess((resident_bytes(broker) - before) / self.NUMBER, 32 * 1024, "bytes for each connection")
        for connection in left:
            connection.close()
        wait_until(lambda: self.connections(broker) < 50, "all are closed")
        self.assert_serves_all(broker)

    def test_more_connections_than_are_allowed_are_turned_away_and_logged_once(self):
        broker = self.start("--limits.max_connections", 50)
        taken = []

        def full():
            """Takes one more connection, where there is room."""
            connection = Connection(broker)
            if connection.call("ping").get("code") == "RESOURCE_EXHAUSTED":
                connection.close()
                return True
            taken.append(connection)
            return False

        # The connection that has made the topic may be one of the 50 for a moment.
        wait_until(lambda: full() and len(taken) == 50, "there is no room")
        for _ in range(200):
            self.assertTrue(full())
        self.assertLess(len(broker.lines), 40, broker.log[:3000])
        for connection in taken:
            connection.close()
        taken.clear()
        wait_until(lambda: not full(), "there is room again")
        taken.pop().close()
        self.assert_serves_all(broker)

    def connections(self, broker):
        return sum(broker.ok("GET", "/v1/stats")["connections"].values())


class TooSlow(BadInputCase):
    def test_peers_that_send_byte_by_byte_hold_nobody_up(self):
        broker = self.start()
        slow = [(self.connect(broker, door), data) for door, data in (("http", HTTP_REQUEST), ("tcp", FRAME)) for _ in range(100)]
        for place in range(max(len(HTTP_REQUEST), len(FRAME))):
            for connection, data in slow:
                connection.sendall(data[place:place + 1])
            if place % 8 == 0:
                self.assert_serves_all(broker)
        for connection, data in slow:
            self.assertIn(b"ok", connection.recv(1 << 16), data)

    def test_peers_that_stop_in_the_middle_hold_nobody_up(self):
        broker = self.start()
        for door, data in (("http", HTTP_REQUEST), ("tcp", FRAME), ("grpc", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")):
            for size in range(1, len(data)):
                self.connect(broker, door).sendall(data[:size])
        self.assert_serves_all(broker)
        self.assertEqual(broker.terminate(), 0)


if __name__ == "__main__":
    unittest.main()
