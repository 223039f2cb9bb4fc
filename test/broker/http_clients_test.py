"""Clients that are slow, half-closed, many, or gone: others are served, and nothing is lost or grows without bound."""

import json
import os
import socket
import threading
import unittest

from harness import wait_until
from hostile import HostileCase, post, reset


class Connections(HostileCase):

    def test_slow_senders_are_served_and_hold_up_nobody(self):
        path = self.topic("slow")
        connections = [self.broker.connect() for _ in range(20)]
        data = post(f"{path}/publish", b'{"payload":1}')
        for byte in data:
            for connection in connections:
                connection.send(bytes([byte]))
            self.assertEqual(self.broker.get("/health").status, 200)
        for connection in connections:
            self.assertEqual(connection.read_answer().status, 200)
            connection.close()
        self.assertEqual(len(self.broker.consume(path, 0, 100)), 20)

    def test_a_slow_reader_holds_up_nobody(self):
        path = self.topic("slow")
        for _ in range(10):
            self.broker.publish(path, "x" * 1_000_000)
        with self.broker.connect() as connection:
            connection.send(f"GET {path}/queues/0/messages?limit=10 HTTP/1.1\r\nHost: x\r\n\r\n".encode() * 5)
            for _ in range(20):
                self.assertEqual(self.broker.get(path).status, 200)
            for _ in range(5):
                self.assertEqual(len(connection.read_answer().data), 10)

    def memory(self):
        """Resident memory of the broker in bytes."""
        with open(f"/proc/{self.broker.process.pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def test_answers_that_nobody_reads_do_not_pile_up(self):
        path = self.topic("big")
        self.broker.publish(path, "x" * 1_000_000)
        before = self.memory()
        with self.broker.connect() as connection:
            connection.send(f"GET {path}/queues/0/messages HTTP/1.1\r\nHost: x\r\n\r\n".encode() * 500)
            for _ in range(100):
                self.assertEqual(self.broker.get("/health").status, 200)
                # All the answers together have 500 MB.
                self.assertLess(self.memory() - before, 400_000_000)
            for _ in range(500):
                self.assertEqual(connection.read_answer().status, 200)

    def test_requests_of_a_client_that_reads_no_answers_are_held_back(self):
        before = self.memory()
        requests = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n" * 100
        with self.broker.connect(timeout=1) as connection:
            # 3,000,000 requests and their answers are more than the buffers of the system take.
            with self.assertRaises(socket.timeout, msg="the broker reads on and on"):
                for _ in range(30_000):
                    connection.send(requests)
            self.assertLess(self.memory() - before, 400_000_000)

    def test_a_half_closed_connection_gets_its_answers(self):
        path = self.topic("half")
        with self.broker.connect() as connection:
            connection.send(b"".join(post(f"{path}/publish", b'{"payload":%d}' % n) for n in range(100)))
            connection.finish_sending()
            self.assertEqual([connection.read_answer().status for _ in range(100)], [200] * 100)
            self.assertIsNone(connection.read_answer())
        self.assertEqual([m["payload"] for m in self.broker.consume(path, 0, 200)], list(range(100)))

    def test_a_half_closed_long_poll_is_answered_and_loses_nothing(self):
        path = self.topic("half")
        with self.broker.connect() as connection:
            connection.send(post(f"{path}/queues/0/consume", b'{"wait_ms":60000,"auto_ack":true}'))
            wait_until(lambda: self.broker.ok("GET", path)["queues"][0]["consumers"] == 1, "the poll waits")
            connection.finish_sending()
            self.broker.publish(path, "one")
            answer = connection.read_answer()
        self.assertEqual(answer.status, 200, answer)
        found = answer.data or self.broker.consume(path, 0, 1)
        self.assertEqual([m["payload"] for m in found], ["one"])

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.broker.process.pid}/fd"))

    def test_500_connections_that_are_opened_and_left_do_no_harm(self):
        before = self.descriptors()
        starts = [b"", b"G", b"GET /health HTTP/1.1\r\n", post(f"{self.path}/publish", b'{"payload":1}')[:-1]]
        connections = []
        for number in range(500):
            connections.append(self.broker.connect())
            connections[-1].send(starts[number % 4])
        for _ in range(10):
            self.assertEqual(self.broker.get("/health").status, 200)
        for number, connection in enumerate(connections):
            reset(connection) if number % 2 else connection.close()
        wait_until(lambda: self.descriptors() <= before + 5, "the broker closes its side too")
        self.assertEqual(self.broker.get("/health").status, 200)

    def vanishing_poll(self, vanish, auto_ack=False):
        path = self.topic(f"poll-{vanish.__name__}-{auto_ack}".lower())
        body = json.dumps({"wait_ms": 60000, "auto_ack": auto_ack, "batch_size": 10, "lease_ms": 3_600_000}).encode()
        connection = self.broker.connect()
        connection.send(post(f"{path}/queues/0/consume", body))
        wait_until(lambda: self.broker.ok("GET", path)["queues"][0]["consumers"] == 1, "the poll waits")
        vanish(connection)
        wait_until(lambda: self.broker.ok("GET", path)["queues"][0]["consumers"] == 0, "the broker sees that the client has gone")
        published = self.broker.publish(path, "for another")["message_id"]
        self.assertEqual([m["id"] for m in self.broker.consume(path, wait_ms=60_000)], [published])

    def test_a_long_poll_whose_client_vanished_takes_no_message(self):
        def close(connection):
            connection.close()
        for vanish in (close, reset):
            for auto_ack in (False, True):
                with self.subTest(vanish=vanish.__name__, auto_ack=auto_ack):
                    self.vanishing_poll(vanish, auto_ack)

    def test_a_reset_that_races_with_a_message_does_not_lose_it(self):
        path = self.topic("race")
        for round_ in range(50):
            connection = self.broker.connect()
            connection.send(post(f"{path}/queues/0/consume", b'{"wait_ms":60000,"lease_ms":1000}'))
            if round_ % 2:
                wait_until(lambda: self.broker.ok("GET", path)["queues"][0]["consumers"] > 0, "the poll waits")
            with self.broker.client() as client:
                thread = threading.Thread(target=reset, args=(connection,))
                thread.start()
                published = client.request("POST", f"{path}/publish", {"payload": round_}).data["message_id"]
                thread.join()
            # Its bytes may have been written just before the reset: then the lease ends after its second.
            found = self.broker.consume(path, wait_ms=60_000, auto_ack=True)
            self.assertEqual([m["id"] for m in found], [published])

    def test_clients_that_vanish_in_the_middle_of_a_batch_lose_nothing_that_was_answered(self):
        path = self.topic("batch")
        answered = set()
        for round_ in range(20):
            with self.broker.connect() as connection:
                body = json.dumps({"messages": [{"payload": n} for n in range(100)]}).encode()
                connection.send(post(f"{path}/publish_batch", body) + post(f"{path}/publish_batch", body)[:round_ * 30])
                answered.update(a["message_id"] for a in connection.read_answer().data)
                reset(connection)
        stored = {m["id"] for m in self.broker.consume(path, 0, 10_000)}
        self.assertEqual(answered, stored)


if __name__ == "__main__":
    unittest.main()
