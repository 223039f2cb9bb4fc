"""What the tests of hostile clients share."""

import json
import socket
import struct

from harness import SharedBrokerCase


def post(path, body, *headers):
    lines = [f"POST {path} HTTP/1.1", "Host: x", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def reset(connection):
    """Closes with a reset, so that the other side cannot take it for a half-closed connection."""
    connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


class HostileCase(SharedBrokerCase):
    """Keeps a message in a topic of its own, and asks for it at the end of each test."""

    def setUp(self):
        super().setUp()
        self.path = self.topic("keep")
        self.kept = self.broker.publish(self.path, "kept")["message_id"]

    def tearDown(self):
        self.assertTrue(self.broker.running, self.broker.log)
        self.assertEqual(self.broker.get("/health/ready").status, 200)
        self.assertEqual([m["id"] for m in self.broker.consume(self.path, 0, 100)], [self.kept])

    def answer_to(self, data):
        """Sends the bytes, and the end of stream behind them; all that comes back."""
        with self.broker.connect() as connection:
            try:
                connection.send(data)
                connection.finish_sending()
            except OSError:
                pass  # the broker answered and closed before it had read everything
            return connection.read_to_end()

    def assert_refused(self, data, *statuses):
        """Exactly one answer, an error with the envelope, and the connection is closed behind it."""
        text = self.answer_to(data)
        self.assertEqual(text.count(b"HTTP/1.1 "), 1, text[:500])
        self.assertIn(int(text.split(b" ")[1]), statuses, text[:500])
        self.assertIs(json.loads(text.split(b"\r\n\r\n", 1)[1])["success"], False)
