"""mqlite_bench against a RabbitMQ that is played here: what it counts, and what it says of a server that refuses or is none."""

import json
import socket
import struct
import threading
import unittest

from bench_program_test import run
from harness import DEADLINE

METHOD, HEADER, BODY = 1, 2, 3
DECLARE, DELIVERIES, ACK = (50, 10), (60, 20), (60, 80)


def frame(kind, payload, channel=1):
    return struct.pack(">BHI", kind, channel, len(payload)) + payload + b"\xce"


def method(which, arguments=b"", channel=1):
    return frame(METHOD, struct.pack(">HH", *which) + arguments, channel)


def ack(tag, up_to):
    return method(ACK, struct.pack(">QB", tag, up_to))


def delivery(tag, payload):
    return (method((60, 60), b"\1c" + struct.pack(">Q", tag) + b"\0\0\1q") +
            frame(HEADER, struct.pack(">HHQHB", 60, 0, len(payload), 0x1000, 2)) + frame(BODY, payload))


ANSWERS = {
    b"AMQP": method((10, 10), channel=0),
    (10, 11): method((10, 30), struct.pack(">HIH", 2047, 131072, 60), 0),
    (10, 40): method((10, 41), b"\0", 0),
    (20, 10): method((20, 11), bytes(4)),
    (85, 10): method((85, 11)),
    DECLARE: method((50, 11), b"\1q" + bytes(8)),
    (60, 10): method((60, 11)),
    DELIVERIES: method((60, 21), b"\1c") + b"".join(delivery(tag, b"x" * 16) for tag in range(1, 6)),
}


class Played:
    """Answers methods by the table, and the fifth message with confirms that overtake each other; notes what is acknowledged."""

    def __init__(self, answers):
        self.answers, self.acks = ANSWERS | answers, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.listener.getsockname()[1]}"

    def __enter__(self):
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def accept(self):
        try:
            while True:
                threading.Thread(target=self.serve, args=[self.listener.accept()[0]], daemon=True).start()
        except OSError:
            pass

    def serve(self, connection):
        connection.settimeout(DEADLINE)
        published = 0
        try:
            with connection, connection.makefile("rb") as stream:
                connection.sendall(self.answers[stream.read(8)[:4]])
                while head := stream.read(7):
                    kind, _, size = struct.unpack(">BHI", head)
                    payload = stream.read(size + 1)
                    which = struct.unpack(">HH", payload[:4]) if kind == METHOD else None
                    published += kind == BODY
                    if kind == BODY and published == 5:
                        connection.sendall(ack(2, 0) + ack(3, 1) + ack(5, 0) + ack(4, 0))
                    if which == ACK:
                        self.acks.append(struct.unpack(">QB", payload[4:13]))
                    connection.sendall(self.answers.get(which, b""))
        except OSError:
            pass


class RabbitMQ(unittest.TestCase):
    def drain(self, answers=None):
        with Played(answers or {}) as server:
            done = run("--protocol", "rabbitmq", "--address", server.address, "--workload", "drain", "--count", 5, "--keep",
                       "--json")
            return *done, server.acks

    def test_confirms_and_deliveries_are_counted(self):
        code, out, err, acks = self.drain()
        self.assertEqual((code, err), (0, ""))
        report = json.loads(out)
        self.assertEqual([report[name] for name in ("published", "acknowledged")], [5, 5])
        self.assertTrue(all(up_to for _, up_to in acks))

    def test_what_a_server_says_that_refuses_or_is_none(self):
        for answers, expected in (
                ({(10, 11): method((10, 50), b"\1\x93\x06ACCESS\0\0\0\0", 0)}, "403 ACCESS"),
                ({DECLARE: method((20, 40), b"\1\x96\x05UNFIT\0\0\0\0")}, "406 UNFIT"),
                ({(10, 11): method((10, 30), struct.pack(">HIH", 0, 4096, 0), 0)}, "frames of 4096"),
                ({(10, 11): method((10, 30), b"\0", 0)}, "without its arguments"),
                ({b"AMQP": b"HTTP/1.1 400 Bad Request\r\n\r\n"}, "does not speak AMQP"),
                ({DELIVERIES: method((60, 30), b"\1c\0")}, "the queue is gone")):
            with self.subTest(expected):
                code, out, err, _ = self.drain(answers)
                self.assertEqual((code, out), (1, ""))
                self.assertIn(expected, err)
                self.assertEqual(err.count("\n"), 1, err)


if __name__ == "__main__":
    unittest.main()
