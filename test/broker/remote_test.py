"""The CAF door: handles, subscriptions of actors, clients that vanish, brokers that restart, and what is no client at all."""

import os
import random
import socket
import struct
import time
import unittest

from caf_client import CafClient, Refusal
from harness import BrokerCase, SharedBrokerCase, wait_until

AT = {"namespace": "test", "topic": "orders"}


class CafCase(BrokerCase):
    def caf(self, broker, **options):
        client = CafClient(broker.ports["caf"], **options)
        self.addCleanup(client.close)
        return client

    def counts(self, broker, path, queue=0):
        found = broker.ok("GET", path)["queues"][queue]
        return found["ready"], found["leased"], found["delayed"]


class Clients(CafCase):
    def test_a_killed_subscriber_returns_what_it_has_not_acknowledged(self):
        broker = self.start_broker()
        path = broker.create_topic("orders", ack_timeout_ms=3_600_000)
        for n in range(10):
            broker.publish(path, n)
        client = self.caf(broker)
        client.ask("subscribe", **AT, max_in_flight=4)
        for _ in range(4):
            self.assertIsNotNone(client.event())
        self.assertEqual(self.counts(broker, path), (6, 4, 0))
        client.kill()
        wait_until(lambda: self.counts(broker, path) == (10, 0, 0), "all of them are back")
        self.assertEqual([m["payload"] for m in broker.consume(path, 0, 10)], list(range(10)))

    def test_a_long_poll_of_a_killed_client_is_cancelled(self):
        broker = self.start_broker()
        path = broker.create_topic("orders")
        client = self.caf(broker)
        client.ask("connect")
        client.begin("consume", **AT, wait_ms=60_000)
        wait_until(lambda: broker.ok("GET", path)["queues"][0]["consumers"] == 1, "it waits")
        client.kill()
        wait_until(lambda: broker.ok("GET", path)["queues"][0]["consumers"] == 0, "it is forgotten")
        broker.publish(path, 1)
        self.assertEqual(self.counts(broker, path), (1, 0, 0))

    def test_what_a_frozen_client_did_not_receive_returns_when_it_is_killed(self):
        broker = self.start_broker()
        path = broker.create_topic("orders", ack_timeout_ms=3_600_000)
        client = self.caf(broker)
        client.ask("connect")
        client.begin("consume", **AT, wait_ms=60_000)
        wait_until(lambda: broker.ok("GET", path)["queues"][0]["consumers"] == 1, "it waits")
        client.freeze()
        broker.publish(path, 1)
        wait_until(lambda: self.counts(broker, path) == (0, 1, 0), "it is on its way")
        client.kill()
        wait_until(lambda: self.counts(broker, path) == (1, 0, 0), "it is back")
        self.assertEqual(broker.consume(path)[0]["delivery_count"], 1)

    def test_connections_are_counted(self):
        broker = self.start_broker()
        def connections():
            text = broker.get("/metrics").body.decode()
            return next(line for line in text.splitlines() if line.startswith('mqlite_connections{protocol="caf"}')).split()[1]
        self.assertEqual(connections(), "0")
        client = self.caf(broker)
        client.ask("connect")
        self.assertEqual(connections(), "1")
        client.close()
        wait_until(lambda: connections() == "0", "it is gone")


class Restarts(CafCase):
    def restart(self, broker, how):
        port = broker.ports["caf"]
        how()
        broker.flags += ["--server.caf.port", str(port)]
        return broker

    def wait_until_missed(self, client):
        """What is asked before a client knows that the broker is gone, may go out and fail."""
        wait_until(lambda: not client.ask("is_connected"), "the broker is missed")

    def test_a_client_finds_a_broker_that_was_restarted(self):
        for how in ("terminate", "kill"):
            with self.subTest(how=how):
                broker = self.start_broker()
                broker.create_topic("orders")
                client = self.caf(broker, patience_ms=60_000)
                first = client.ask("publish", **AT, payload=1)["message_id"]
                self.restart(broker, getattr(broker, how))
                self.wait_until_missed(client)
                client.begin("publish", **AT, payload=2)  # waits for the broker
                broker.start()
                second = client.finish()["message_id"]
                got = client.ask("consume", **AT, batch_size=10)
                self.assertEqual([m["id"] for m in got], [first, second])

    def test_a_call_under_way_fails_when_the_broker_goes(self):
        broker = self.start_broker()
        path = broker.create_topic("orders")
        client = self.caf(broker)
        client.ask("connect")
        client.begin("consume", **AT, wait_ms=60_000)
        wait_until(lambda: broker.ok("GET", path)["queues"][0]["consumers"] == 1, "it waits")
        broker.kill()
        with self.assertRaises(Refusal) as caught:
            client.finish()
        self.assertEqual(caught.exception.code, "UNAVAILABLE")

    def test_calls_fail_when_patience_is_over(self):
        broker = self.start_broker()
        client = self.caf(broker, patience_ms=200)
        client.ask("connect")
        broker.kill()
        self.wait_until_missed(client)
        with self.assertRaises(Refusal) as caught:
            client.ask("list_namespaces")
        self.assertEqual(caught.exception.code, "UNAVAILABLE")

    def test_subscriptions_are_renewed(self):
        broker = self.start_broker()
        path = broker.create_topic("orders")
        client = self.caf(broker, patience_ms=60_000)
        client.ask("subscribe", **AT)
        broker.publish(path, 1)
        self.assertIn('"payload":1,', client.event())
        self.restart(broker, broker.kill).start()
        self.assertIn('"payload":1,', client.event())  # it was not acknowledged
        broker.publish(path, 2)
        self.assertIn('"payload":2,', client.event())

    def test_a_stop_answers_long_polls_and_ends_soon(self):
        broker = self.start_broker()
        path = broker.create_topic("orders")
        client = self.caf(broker)
        client.ask("connect")
        client.begin("consume", **AT, wait_ms=60_000)
        wait_until(lambda: broker.ok("GET", path)["queues"][0]["consumers"] == 1, "it waits")
        self.assertEqual(broker.terminate(), 0)
        self.assertEqual(client.finish(), [])

    def test_a_stop_does_not_wait_for_a_frozen_client(self):
        broker = self.start_broker()
        path = broker.create_topic("orders", max_bytes=0)
        client = self.caf(broker)
        client.ask("subscribe", **AT, max_in_flight=100_000)
        client.freeze()
        for _ in range(8):
            broker.publish(path, "x" * 900_000)
        self.assertEqual(broker.terminate(), 0)
        client.kill()

    def test_a_port_in_use_is_named(self):
        broker = self.start_broker()
        taken = broker.ports["caf"]
        other = self.new_broker("--server.caf.port", taken)
        other.launch()
        self.assertEqual(other.wait_for_exit(), 1)
        self.assertIn(f"caf: address 127.0.0.1:{taken} is in use", other.log)

    def test_the_door_can_stay_shut(self):
        broker = self.start_broker("--server.caf.enabled", "false")
        self.assertNotIn("caf", broker.ports)


def header(operation, payload, flags=0, data=0, source=0, destination=0):
    return struct.pack(">BHBIQQQ", operation, 0, flags, payload, data, source, destination)


def node(host):
    """A node's name: its kind, its process, and 20 bytes for its host."""
    return b"\x01" + struct.pack(">I", 4711) + host


def greeting(name=None):
    """A sound one, of a node that nobody else is."""
    name = name or node(os.urandom(20))
    return header(1, len(name)) + name


class Hostile(CafCase, SharedBrokerCase):
    """A client works on while others misbehave, and the broker names each of them at most once a minute."""

    @classmethod
    def setUpClass(cls):
        cls.begun = time.monotonic()
        super().setUpClass()

    def setUp(self):
        super().setUp()
        self.path = self.topic()
        self.client = self.caf(self.broker)
        self.client.ask("connect")

    def tearDown(self):
        self.assertTrue(self.broker.running, self.broker.log)
        where = {"namespace": self.namespace, "topic": "orders"}
        published = self.client.ask("publish", **where, payload=1)["message_id"]
        self.assertEqual([m["id"] for m in self.client.ask("consume", **where, auto_ack=True)], [published])
        warnings = [line for line in self.broker.lines if "caf 127.0.0.1" in line]
        self.assertLessEqual(len(warnings), 1 + (time.monotonic() - self.begun) // 60, warnings)

    def connect(self):
        connection = socket.create_connection(("127.0.0.1", self.broker.ports["caf"]), timeout=60)
        self.addCleanup(connection.close)
        return connection

    def assert_closed(self, connection):
        try:
            while connection.recv(1 << 16):
                pass
        except ConnectionError:
            pass

    def assert_refused(self, data):
        connection = self.connect()
        try:
            connection.sendall(data)
        except ConnectionError:
            pass
        self.assert_closed(connection)

    def test_other_protocols_are_closed(self):
        self.assert_refused(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" + bytes(100))
        self.assert_refused(struct.pack(">IB", 40, 0) + b'{"action":"ping"}' + bytes(100))
        self.assert_refused(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(100))

    def test_random_bytes_are_closed(self):
        dice = random.Random(6060)
        for _ in range(50):
            self.assert_refused(dice.randbytes(dice.randrange(32, 2000)))

    def test_half_a_greeting_is_closed(self):
        for size in (0, 1, 31):
            connection = self.connect()
            connection.sendall(greeting()[:size])
            connection.shutdown(socket.SHUT_WR)
            self.assert_closed(connection)
        for size in (32, 40, 56):
            self.connect().sendall(greeting()[:size])  # and closed by us, with the test

    def test_greetings_of_other_versions_are_closed(self):
        self.assert_refused(header(1, 30, data=2) + bytes(100))
        self.assert_refused(header(0, 30, data=4) + bytes(100))

    def test_nodes_that_cannot_be_do_no_harm(self):
        connection = self.connect()
        connection.sendall(greeting())
        with connection.makefile("rb") as stream:
            size, = struct.unpack(">I", stream.read(32)[4:8])
            own_name = stream.read(size)[:25]
        for name in (own_name, b"\xff", b"\x00\x03a:b", b"\x7f" + bytes(24), bytes(25)):
            with self.connect() as other:
                payload = bytes([0, 1]) + struct.pack(">H", 1201) + struct.pack(">I", 1) + name + bytes(8)
                try:
                    other.sendall(greeting(name) + header(2, len(payload), source=3, destination=12) + payload)
                    other.shutdown(socket.SHUT_WR)
                except OSError:
                    pass
                self.assert_closed(other)

    def test_lengths_are_bounded(self):
        for operation in (2, 4, 5):
            self.assert_refused(greeting() + header(operation, 0xFFFFFFFF, source=1, destination=1) + bytes(100))

    def test_messages_of_the_brokers_own_types_are_closed(self):
        for type_id in (*range(200, 270), 1100, 1101, 20):
            payload = bytes([0, 1]) + struct.pack(">H", type_id) + bytes(64)
            for actor in (1, 12, 20):
                self.assert_refused(greeting() + header(2, len(payload), source=1, destination=actor) + payload)

    def test_mutilated_messages_of_the_interface_harm_nobody(self):
        dice = random.Random(60)
        for _ in range(200):
            payload = bytes([0, 1]) + struct.pack(">H", dice.randrange(1200, 1245)) + dice.randbytes(dice.randrange(80))
            data = header(2, len(payload), dice.choice((0, 0, 0, 1)), dice.randrange(1 << 62), dice.randrange(50), dice.randrange(1, 50))
            with self.connect() as connection:
                try:
                    connection.sendall(greeting() + data + payload)
                    connection.shutdown(socket.SHUT_WR)
                except OSError:
                    pass
                self.assert_closed(connection)

    def test_many_connections_that_say_nothing(self):
        silent = [self.connect() for _ in range(500)]
        self.client.ask("list_namespaces")
        another = self.caf(self.broker)
        another.ask("connect")
        for connection in silent:
            connection.close()


if __name__ == "__main__":
    unittest.main()
