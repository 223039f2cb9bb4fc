"""The TCP door: frames, every action in JSON, a few in hand-written Protobuf, pipelining, subscriptions, and what must be refused."""

import json
import pathlib
import re
import socket
import struct
import threading
import time
import unittest

from harness import DEADLINE, BrokerCase, SharedBrokerCase, wait_until
from tcp_clients import JSON, PROTOBUF, Connection


# --- Protobuf by hand -----------------------------------------------------------------------------------------


def varint(number):
    out = b""
    while number > 0x7F:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


def field(number, value):
    """A field: an int as a varint, text or bytes with their length."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    if isinstance(value, str):
        value = value.encode()
    return varint(number << 3 | 2) + varint(len(value)) + value


def proto_command(action, number=None, request=b"", request_id=0):
    out = field(1, action)
    if request_id:
        out += field(2, request_id)
    if number is not None:
        out += field(number, request)
    return out


def fields(data):
    """{number: [values]} of a message."""
    result = {}
    position = 0

    def read():
        nonlocal position
        number = shift = 0
        while True:
            byte = data[position]
            position += 1
            number |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return number

    while position < len(data):
        tag = read()
        if tag & 7 == 0:
            value = read()
        else:
            assert tag & 7 == 2, f"wire type {tag & 7}"
            size = read()
            value = data[position:position + size]
            position += size
        result.setdefault(tag >> 3, []).append(value)
    return result


def receive_proto(connection):
    encoding, payload = connection.receive_frame()
    assert encoding == PROTOBUF, payload
    return fields(payload)


class TcpCase(SharedBrokerCase):
    def setUp(self):
        super().setUp()
        self.c = self.connect()

    def connect(self, **options):
        connection = Connection(self.broker, **options)
        self.addCleanup(connection.close)
        return connection

    def names(self, topic="orders"):
        return {"namespace": self.namespace, "topic": topic}

    def named(self, topic="orders"):
        return {"namespace": self.namespace, "name": topic}

    def assert_refused(self, answer, code, *words):
        self.assertEqual((answer["status"], answer.get("code")), ("error", code), answer)
        for word in words:
            self.assertIn(word, answer["error"])


# --- tests ----------------------------------------------------------------------------------------------------


class Actions(TcpCase):
    def test_namespaces_are_created_listed_and_deleted(self):
        self.c.ok("create_namespace", name=self.namespace)
        self.assert_refused(self.c.call("create_namespace", name=self.namespace), "ALREADY_EXISTS")
        self.assertIn(self.namespace, self.c.ok("list_namespaces"))
        self.c.ok("delete_namespace", name=self.namespace)
        self.assertNotIn(self.namespace, self.c.ok("list_namespaces"))
        self.assert_refused(self.c.call("delete_namespace", name=self.namespace), "NOT_FOUND", self.namespace)

    def test_topics_are_created_changed_resized_and_deleted(self):
        self.c.ok("create_namespace", name=self.namespace)
        self.c.ok("create_topic", **self.named(), queue_count=2, max_deliveries=5)
        self.assertEqual(self.c.ok("list_topics", namespace=self.namespace), [{"name": "orders", "queue_count": 2, "version": 1}])
        self.c.ok("update_topic", **self.named(), ack_timeout_ms=1234)
        details = self.c.ok("get_topic", **self.named())
        self.assertEqual((details["settings"]["ack_timeout_ms"], details["settings"]["max_deliveries"]), (1234, 5))
        self.assertEqual([q["queue_id"] for q in details["queues"]], [0, 1])
        resized = self.c.ok("resize_topic", **self.named(), new_queue_count=3)
        self.assertEqual((resized["new_queue_count"], resized["draining"]), (3, False))
        self.c.ok("rebalance_topic", **self.named())
        self.c.ok("delete_topic", **self.named())
        self.assert_refused(self.c.call("get_topic", **self.named()), "NOT_FOUND", "orders")

    def test_a_message_is_published_consumed_and_acknowledged(self):
        self.topic()
        where = self.c.ok("publish", **self.names(), payload={"n": 1}, headers={"h": "v"}, routing_key="k")
        self.assertEqual(where["queue_id"], 0)
        message, = self.c.ok("consume", **self.names(), batch_size=5)
        self.assertEqual(message["id"], where["message_id"])
        self.assertEqual((message["payload"], message["headers"], message["routing_key"], message["delivery_count"]),
                         ({"n": 1}, {"h": "v"}, "k", 1))
        answer = self.c.ok("ack", **self.names(), message_ids=[message["receipt"], "nothing"])
        self.assertEqual(answer, {"acknowledged": 1, "unknown": ["nothing"], "stale": []})
        self.assertEqual(self.c.ok("consume", **self.names()), [])

    def test_nack_extend_and_stale_receipts(self):
        self.topic()
        self.c.ok("publish", **self.names(), payload=1)
        first, = self.c.ok("consume", **self.names())
        self.assertEqual(self.c.ok("extend", **self.names(), message_ids=[first["id"]], lease_ms=60000)["extended"], 1)
        self.assertEqual(self.c.ok("nack", **self.names(), message_ids=[first["id"]])["returned"], 1)
        second, = self.c.ok("consume", **self.names())
        self.assertEqual(second["delivery_count"], 2)
        self.assertEqual(self.c.ok("ack", **self.names(), message_ids=[first["receipt"]])["stale"], [first["receipt"]])

    def test_a_batch_has_an_outcome_for_each_message(self):
        self.topic()
        results = self.c.ok("publish_batch", **self.names(), messages=[{"payload": 1}, {}, {"payload": 2, "queue_id": 7}])
        self.assertEqual([r.get("code") for r in results], [None, "INVALID_ARGUMENT", "NOT_FOUND"])
        self.assert_refused(self.c.call("publish_batch", **self.names(), messages=[1]), "INVALID_ARGUMENT", "messages")

    def test_peek_purge_and_dead_letters(self):
        self.topic(max_deliveries=1)
        for n in range(3):
            self.c.ok("publish", **self.names(), payload=n)
        self.assertEqual([m["payload"] for m in self.c.ok("peek", **self.names(), limit=2)], [0, 1])
        taken = self.c.ok("consume", **self.names(), batch_size=2)
        self.assertEqual(self.c.ok("nack", **self.names(), message_ids=[m["id"] for m in taken])["dead_lettered"], 2)
        dead = self.c.ok("list_dead", **self.names())
        self.assertEqual([m["reason"] for m in dead], ["max_deliveries"] * 2)
        self.assertEqual(self.c.ok("redrive_dead", **self.names(), message_ids=[dead[0]["id"]]), {"redriven": 1})
        self.assertEqual(self.c.ok("purge_dead", **self.names()), {"purged": 1})
        self.assertEqual(self.c.ok("purge", **self.names()), {"purged": 2})

    def test_ping_auth_and_stats(self):
        self.assertEqual(self.c.call("ping", 1)["status"], "ok")
        self.assertEqual(self.c.call("auth", token="anything")["status"], "ok")
        self.assertGreaterEqual(self.c.ok("stats")["connections"]["tcp"], 1)

    def test_a_consume_waits_for_a_message(self):
        self.topic()
        self.c.send("consume", **self.names(), wait_ms=60000)
        other = self.connect()
        wait_until(lambda: other.ok("get_topic", **self.named())["queues"][0]["consumers"] == 1, "the wait has begun")
        other.ok("publish", **self.names(), payload="late")
        self.assertEqual([m["payload"] for m in self.c.receive()["data"]], ["late"])

    def test_a_wait_ends_with_its_connection_and_takes_no_message_along(self):
        self.topic()
        waiting = self.connect()
        waiting.send("consume", **self.names(), wait_ms=60000, auto_ack=True)
        wait_until(lambda: self.c.ok("get_topic", **self.named())["queues"][0]["consumers"] == 1, "the wait has begun")
        waiting.close()
        wait_until(lambda: self.c.ok("get_topic", **self.named())["queues"][0]["consumers"] == 0, "the wait is over")
        self.c.ok("publish", **self.names(), payload=1)
        self.assertEqual(len(self.c.ok("consume", **self.names())), 1)

    def test_messages_cross_between_the_doors(self):
        path = self.topic()
        self.c.ok("publish", **self.names(), payload={"from": "tcp"})
        self.assertEqual([m["payload"] for m in self.broker.consume(path)], [{"from": "tcp"}])
        self.broker.publish(path, {"from": "http"})
        message, = self.c.ok("consume", **self.names())
        self.assertEqual(message["payload"], {"from": "http"})
        self.assertEqual(self.broker.ack(path, 0, [message["id"]])["acknowledged"], 1)


class Pipelining(TcpCase):
    def test_answers_come_in_the_order_of_the_commands_with_their_ids(self):
        self.topic()
        ids = [0, "a", None, [1], {"x": 1.5}, True, -1]
        burst = b"".join(self.c.frame({"action": "publish", "id": i, "data": self.names() | {"payload": n}})
                         for n, i in enumerate(ids))
        self.c.send_raw(burst + self.c.frame({"action": "ping"}))
        for i in ids:
            answer = self.c.receive()
            self.assertIn("id", answer)
            self.assertEqual(answer["id"], i)
        self.assertNotIn("id", self.c.receive())
        self.assertEqual([m["payload"] for m in self.c.ok("consume", **self.names(), batch_size=10)], list(range(len(ids))))

    def test_pipelined_commands_have_the_effect_of_commands_sent_one_by_one(self):
        burst = [("create_namespace", {"name": self.namespace}), ("create_topic", self.named()),
                 ("publish", self.names() | {"payload": 1}), ("publish", self.names("nowhere") | {"payload": 2}),
                 ("consume", self.names()), ("peek", self.names()), ("delete_topic", self.named()),
                 ("publish", self.names() | {"payload": 3})]
        self.c.send_raw(b"".join(self.c.frame({"action": a, "data": d}) for a, d in burst))
        answers = [self.c.receive() for _ in burst]
        self.assertEqual([a.get("code") for a in answers], [None, None, None, "NOT_FOUND", None, None, None, "NOT_FOUND"])
        self.assertEqual(len(answers[4]["data"]), 1)

    def test_an_ack_behind_a_waiting_consume_does_not_wait(self):
        path = self.topic()
        self.c.ok("publish", **self.names(), payload=1)
        message, = self.c.ok("consume", **self.names())
        self.c.send("consume", **self.names(), wait_ms=60000)
        self.c.send("ack", **self.names(), message_ids=[message["id"]])
        wait_until(lambda: self.broker.ok("GET", path)["queues"][0]["leased"] == 0, "the ack has happened")
        self.broker.publish(path, 2)
        self.assertEqual([m["payload"] for m in self.c.receive()["data"]], [2])
        self.assertEqual(self.c.receive()["data"]["acknowledged"], 1)

    def test_twenty_thousand_pipelined_publishes_are_answered(self):
        path = self.topic(queue_count=3)
        frame = self.c.frame({"action": "publish", "data": self.names() | {"payload": "x" * 100}})
        sender = threading.Thread(target=self.c.send_raw, args=(frame * 20000,))
        sender.start()
        for _ in range(20000):
            self.assertEqual(self.c.receive()["status"], "ok")
        sender.join()
        self.assertEqual(sum(q["ready"] for q in self.broker.ok("GET", path)["queues"]), 20000)

    def test_a_peer_that_sends_and_does_not_read_is_not_read_without_end(self):
        self.topic()
        frame = self.c.frame({"action": "stats"})
        self.c.socket.settimeout(2)
        sent = 0
        with self.assertRaises(TimeoutError):
            while sent < 1 << 28:
                sent += self.c.socket.send(frame * 1000)
        self.assertEqual(self.connect().call("ping")["status"], "ok")

    def test_what_was_consumed_before_a_half_close_still_comes(self):
        self.topic()
        for n in range(3):
            self.c.ok("publish", **self.names(), payload=n)
        self.c.send("consume", **self.names(), batch_size=2)
        self.c.send("consume", **self.names(), batch_size=2)
        self.c.socket.shutdown(socket.SHUT_WR)
        self.assertEqual([[m["payload"] for m in self.c.receive()["data"]] for _ in range(2)], [[0, 1], [2]])
        self.assertTrue(self.c.at_end())

    def test_answers_to_what_was_sent_before_a_half_close_still_come(self):
        path = self.topic()
        self.c.send_raw(self.c.frame({"action": "publish", "data": self.names() | {"payload": 1}}) * 50)
        self.c.socket.shutdown(socket.SHUT_WR)
        for _ in range(50):
            self.assertEqual(self.c.receive()["status"], "ok")
        self.assertTrue(self.c.at_end())
        self.assertEqual(self.broker.ok("GET", path)["queues"][0]["ready"], 50)


class Subscriptions(TcpCase):
    def test_messages_are_pushed_and_acknowledged_on_one_connection(self):
        self.topic()
        self.assertEqual(self.c.call("subscribe", 5, **self.names()), {"status": "ok", "id": 5})
        other = self.connect()
        for n in range(10):
            other.ok("publish", **self.names(), payload=n)
        pushed = [self.c.receive() for _ in range(10)]
        self.assertEqual({(p["status"], p["event"]) for p in pushed}, {("ok", "message")})
        self.assertEqual([p["data"]["payload"] for p in pushed], list(range(10)))
        ids = [p["data"]["receipt"] for p in pushed]
        self.assertEqual(self.c.ok("ack", **self.names(), message_ids=ids)["acknowledged"], 10)

    def test_one_connection_has_several_subscriptions(self):
        self.topic("a")
        self.topic("b")
        self.c.ok("subscribe", **self.names("a"))
        self.c.ok("subscribe", **self.names("b"), auto_ack=True)
        self.assert_refused(self.c.call("subscribe", **self.names("a")), "ALREADY_EXISTS")
        self.assert_refused(self.c.call("subscribe", **self.names("c")), "NOT_FOUND", "c")
        other = self.connect()
        other.ok("publish", **self.names("a"), payload=1)
        other.ok("publish", **self.names("b"), payload=2)
        got = sorted((m["topic"], m["payload"]) for m in (self.c.receive()["data"], self.c.receive()["data"]))
        self.assertEqual(got, [("a", 1), ("b", 2)])

    def test_unsubscribe_returns_what_was_not_acknowledged(self):
        self.topic()
        self.c.ok("publish", **self.names(), payload=1)
        self.c.ok("subscribe", **self.names())
        self.assertEqual(self.c.receive()["data"]["delivery_count"], 1)
        self.c.ok("unsubscribe", **self.names())
        other = self.connect()
        message = wait_until(lambda: other.ok("consume", **self.names()), "the message is back")[0]
        self.assertEqual(message["delivery_count"], 2)
        self.assert_refused(self.c.call("unsubscribe", **self.names()), "NOT_FOUND", "not subscribed")

    def test_a_connection_that_ends_returns_what_it_was_pushed(self):
        self.topic()
        self.c.ok("publish", **self.names(), payload=1)
        subscriber = self.connect()
        subscriber.ok("subscribe", **self.names())
        subscriber.receive()
        subscriber.close()
        self.assertEqual(wait_until(lambda: self.c.ok("consume", **self.names()), "the message is back")[0]["delivery_count"], 2)

    def test_the_window_bounds_what_is_pushed(self):
        path = self.topic()
        self.c.ok("subscribe", **self.names(), max_in_flight=3)
        other = self.connect()
        for n in range(5):
            other.ok("publish", **self.names(), payload=n)
        first = [self.c.receive()["data"] for _ in range(3)]
        self.assertEqual(self.broker.ok("GET", path)["queues"][0]["ready"], 2)
        self.c.send("ack", **self.names(), message_ids=[first[0]["id"]])
        frames = [self.c.receive(), self.c.receive()]
        self.assertEqual([f["data"]["payload"] for f in frames if "event" in f], [3])

    def test_a_deleted_topic_ends_its_subscription_with_a_word(self):
        self.topic()
        self.c.ok("subscribe", **self.names())
        self.connect().ok("delete_topic", **self.named())
        end = self.c.receive()
        self.assertEqual((end["status"], end["event"], end["code"]), ("error", "closed", "NOT_FOUND"))
        self.assertEqual(self.c.call("ping")["status"], "ok")

    def test_a_subscriber_that_does_not_read_takes_only_its_window(self):
        path = self.topic()
        stuck = self.connect()
        stuck.ok("subscribe", **self.names(), max_in_flight=200)
        for _ in range(10):
            self.c.ok("publish_batch", **self.names(), messages=[{"payload": "x" * 10000}] * 100)
        queue = self.broker.ok("GET", path)["queues"][0]
        self.assertEqual(queue["ready"], 800)


class Protobuf(TcpCase):
    def address(self, topic="orders"):
        return field(1, self.namespace) + field(2, topic)

    def call_proto(self, *command, **more):
        self.c.send_raw(self.c.frame(proto_command(*command, **more), PROTOBUF))
        return receive_proto(self.c)

    def test_publish_consume_and_ack(self):
        self.topic()
        answer = self.call_proto("publish", 16, self.address() + field(3, b"\xff\x00"), request_id=300)
        self.assertEqual((answer[1], answer[3]), ([b"ok"], [300]))
        message_id = fields(answer[16][0])[1][0]
        answer = self.call_proto("consume", 17, self.address() + field(4, 10))
        message = fields(fields(answer[17][0])[1][0])
        self.assertEqual((message[1][0], message[5][0], message[9][0]), (message_id, b"\xff\x00", 1))
        answer = self.call_proto("ack", 19, self.address() + field(4, message_id) + field(4, "zz"))
        self.assertEqual(fields(answer[19][0]), {1: [1], 2: [1], 3: [b"zz"]})

    def test_pushed_messages_have_the_encoding_of_the_subscribe(self):
        self.topic()
        answer = self.call_proto("subscribe", 18, self.address(), request_id=9)
        self.assertEqual(answer, {1: [b"ok"], 3: [9]})
        self.c.send("publish", **self.names(), payload="x")
        frames = sorted([self.c.receive_frame(), self.c.receive_frame()])
        self.assertEqual([encoding for encoding, _ in frames], [JSON, PROTOBUF])
        self.assertEqual(fields(fields(frames[1][1])[18][0])[5], [b'"x"'])

    def test_management(self):
        self.assertEqual(self.call_proto("create_namespace", 10, field(1, self.namespace))[1], [b"ok"])
        self.assertEqual(self.call_proto("create_topic", 13, self.address() + field(3, 2))[1], [b"ok"])
        self.assertEqual(fields(self.call_proto("get_topic", 31, self.address())[31][0])[2], [2])
        self.assertEqual(fields(self.call_proto("resize_topic", 20, self.address() + field(3, 3))[20][0])[3], [3])
        self.assertIn(self.namespace.encode(), fields(self.call_proto("list_namespaces")[12][0])[1])
        self.assertEqual(json.loads(fields(self.call_proto("stats")[33][0])[1][0])["version"], self.c.ok("stats")["version"])
        self.assertEqual(self.call_proto("ping", request_id=4)[3], [4])

    def test_a_request_that_does_not_match_its_action_is_refused(self):
        for command in (("publish", 17, self.address()), ("publish",), ("nope", 16, self.address()), ("get_topic",)):
            answer = self.call_proto(*command, request_id=8)
            self.assertEqual((answer[1], answer[4], answer[3]), ([b"error"], [b"INVALID_ARGUMENT"], [8]), command)
        self.assertEqual(self.call_proto("ping")[1], [b"ok"])

    def test_a_publish_that_carries_more_is_refused_and_nothing_of_it_published(self):
        path = self.topic()
        publish = self.address() + field(3, "x") + field(10, field(3, "y"))
        answer = self.call_proto("publish", 16, publish, request_id=8)
        self.assertEqual((answer[1], answer[4], answer[3]), ([b"error"], [b"INVALID_ARGUMENT"], [8]))
        self.assertIn(b"more", answer[2][0])
        results = fields(self.call_proto("publish_batch", 22, self.address() + field(3, field(3, "a")) + field(3, publish))[22][0])[1]
        self.assertEqual([fields(result).get(3) for result in results], [None, [b"INVALID_ARGUMENT"]])
        self.assertEqual(self.broker.ok("GET", path)["queues"][0]["ready"], 1)

    def test_bytes_that_are_no_command_are_refused_and_the_connection_goes_on(self):
        self.c.call("ping")
        for bad in (b"\x0a", b"\xff" * 20, b"{}", field(1, b"\xff\xfe")):
            self.c.send_raw(self.c.frame(bad, PROTOBUF))
            self.assertEqual(receive_proto(self.c)[4], [b"INVALID_ARGUMENT"])
        self.assertEqual(self.call_proto("ping")[1], [b"ok"])


class Counts(TcpCase):
    def test_lengths_that_count_the_encoding_are_understood_and_spoken(self):
        self.topic()
        c = self.connect(counted=True)
        self.assertEqual(c.call("ping", "first"), {"status": "ok", "id": "first", "data": {}})
        for n in range(3):
            c.ok("publish", **self.names(), payload=n)
        self.assertEqual(len(c.ok("consume", **self.names(), batch_size=9)), 3)

    def test_the_count_is_recognised_in_a_pipelined_burst(self):
        c = self.connect(counted=True)
        c.send_raw(c.frame({"action": "ping", "id": 1}) * 3)
        self.assertEqual([c.receive()["id"] for _ in range(3)], [1, 1, 1])

    def test_white_space_at_the_end_of_a_document_is_a_part_of_it(self):
        c = self.connect()
        c.send_raw(c.frame(b'{"action":"ping"}\n') * 2)
        self.assertEqual([c.receive()["status"] for _ in range(2)], ["ok", "ok"])

    def test_protobuf_with_the_other_count(self):
        c = self.connect(counted=True)
        for _ in range(2):
            c.send_raw(c.frame(proto_command("ping", request_id=3), PROTOBUF))
            self.assertEqual(receive_proto(c)[3], [3])


class BadInput(TcpCase):
    def assert_goes_on(self, connection):
        self.assertEqual(connection.call("ping")["status"], "ok")

    def test_a_length_of_zero(self):
        for first in (True, False):
            c = self.connect()
            if not first:
                c.call("ping")
            c.send_raw(b"\0\0\0\0\0")
            self.assert_refused(c.receive(), "INVALID_ARGUMENT")
            self.assert_goes_on(c)

    def test_a_length_over_the_limit_ends_the_connection(self):
        for length in (2**32 - 1, 16 * 2**20 + 1):
            c = self.connect()
            c.send_raw(struct.pack(">IB", length, JSON) + b"x" * 100)
            self.assert_refused(c.receive(), "TOO_LARGE", "limits.max_request_bytes")
            self.assertTrue(c.at_end())

    def test_answers_that_are_owed_come_before_the_connection_ends(self):
        self.topic()
        c = self.connect()
        c.send_raw(c.frame({"action": "publish", "data": self.names() | {"payload": 1}}) * 20 + b"\xff" * 5)
        for _ in range(20):
            self.assertEqual(c.receive()["status"], "ok")
        self.assert_refused(c.receive(), "TOO_LARGE")
        self.assertTrue(c.at_end())

    def test_an_unknown_encoding(self):
        self.c.call("ping")
        self.c.send_raw(self.c.frame({"action": "ping"}, 9))
        self.assert_refused(self.c.receive(), "INVALID_ARGUMENT", "9")
        self.assert_goes_on(self.c)

    def test_payloads_that_do_not_parse(self):
        for bad in (b"{", b"[]", b"nul", b'{"action":', b"\xff\xfe", b'{"action":"ping"} x', b"[" * 100000, b" "):
            self.c.send_raw(self.c.frame(bad))
            self.assert_refused(self.c.receive(), "INVALID_ARGUMENT")
        self.assert_goes_on(self.c)

    def test_commands_that_make_no_sense(self):
        for command in ({}, {"action": None}, {"action": 1}, {"action": "nope", "id": 3}, {"action": "publish", "data": 3},
                        {"action": "publish"}, {"action": "get_topic", "data": {"namespace": "a", "topic": "b"}}):
            self.c.send_raw(self.c.frame(command))
            answer = self.c.receive()
            self.assert_refused(answer, "INVALID_ARGUMENT")
            self.assertEqual(answer.get("id"), command.get("id"))
        self.assert_goes_on(self.c)

    def test_a_message_over_the_limit(self):
        self.topic()
        self.assert_refused(self.c.call("publish", **self.names(), payload="x" * 2**20), "TOO_LARGE", "limits.max_message_bytes")
        self.c.ok("publish", **self.names(), payload="x" * (2**20 - 2))

    def test_a_frame_that_is_cut_and_left(self):
        for size in (1, 4, 5, 20):
            c = self.connect()
            c.send_raw(c.frame({"action": "ping", "id": "a" * 50})[:size])
            c.socket.shutdown(socket.SHUT_WR)
            self.assertTrue(c.at_end())
        self.assert_goes_on(self.c)

    def test_one_byte_at_a_time(self):
        for payload in (b'{"action":"ping","id":1}', b'{"action":"ping","id":1}\n'):
            c = self.connect()
            for byte in c.frame(payload) * 2:
                c.send_raw(bytes([byte]))
            self.assertEqual([c.receive()["id"] for _ in range(2)], [1, 1])

    def test_http_on_this_port(self):
        c = self.connect()
        c.send_raw(b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
        self.assert_refused(c.receive(), "TOO_LARGE", "HTTP")
        self.assertTrue(c.at_end())


class Life(BrokerCase):
    def test_a_thousand_connections_that_are_opened_and_left(self):
        broker = self.start_broker()
        with Connection(broker) as c:
            left = [socket.create_connection(("127.0.0.1", broker.ports["tcp"]), timeout=DEADLINE) for _ in range(1000)]
            wait_until(lambda: c.ok("stats")["connections"]["tcp"] == 1001, "all are open")
            for one in left:
                one.close()
            wait_until(lambda: c.ok("stats")["connections"]["tcp"] == 1, "all are closed")
            self.assertEqual(c.call("ping")["status"], "ok")

    def test_connections_over_the_limit_are_told_and_closed(self):
        broker = self.start_broker("--limits.max_connections", 2)
        with Connection(broker) as one, Connection(broker) as two:
            self.assertEqual((one.call("ping")["status"], two.call("ping")["status"]), ("ok", "ok"))
            with Connection(broker) as three:
                answer = three.receive()
                self.assertEqual((answer["status"], answer["code"]), ("error", "RESOURCE_EXHAUSTED"))
                self.assertTrue(three.at_end())
        with Connection(broker) as again:
            wait_until(lambda: self.pings(broker), "there is room again")

    def pings(self, broker):
        with Connection(broker) as c:
            return c.call("ping")["status"] == "ok"

    def test_the_broker_stops_while_clients_wait_and_subscribe(self):
        broker = self.start_broker()
        broker.create_topic("orders")
        names = {"namespace": "test", "topic": "orders"}
        with Connection(broker) as waiting, Connection(broker) as subscribed, Connection(broker) as begun:
            subscribed.ok("subscribe", **names)
            waiting.send("consume", **names, wait_ms=60000)
            begun.send_raw(b"\0\0\0")
            wait_until(lambda: broker.ok("GET", "/v1/namespaces/test/topics/orders")["queues"][0]["consumers"] == 2, "both wait")
            start = time.monotonic()
            self.assertEqual(broker.terminate(), 0)
            self.assertLess(time.monotonic() - start, 30)
            self.assertEqual(waiting.receive()["data"], [])
            self.assertTrue(subscribed.at_end())

    def test_what_was_answered_survives_kill_9(self):
        broker = self.start_broker()
        broker.create_topic("orders")
        names = {"namespace": "test", "topic": "orders"}
        with Connection(broker) as c:
            c.send_raw(c.frame({"action": "publish", "data": names | {"payload": 1}}) * 500)
            ids = [c.receive()["data"]["message_id"] for _ in range(500)]
        broker.kill()
        broker.start()
        with Connection(broker) as c:
            self.assertEqual([m["id"] for m in c.ok("consume", **names, batch_size=1000)], ids)


class Looking(BrokerCase):
    """A loop whose only client waits for each answer looks for the next request before it sleeps, as long as that comes."""

    def status(self, broker, thread):
        """State of a loop's thread, and how often it went to sleep so far."""
        for task in pathlib.Path(f"/proc/{broker.process.pid}/task").iterdir():
            try:
                if (task / "comm").read_text().strip() == thread:
                    text = (task / "status").read_text()
                    state = re.search(r"^State:\s*(\w)", text, re.M)[1]
                    return state, int(re.search(r"^voluntary_ctxt_switches:\s*(\d+)", text, re.M)[1])
            except (FileNotFoundError, ProcessLookupError):
                pass  # another thread that has ended
        raise LookupError(thread)

    def asleep(self, broker, thread):
        """How often it went to sleep, once it sleeps."""
        seen = [self.status(broker, thread)]

        def stays_asleep():
            time.sleep(0.02)
            seen.append(self.status(broker, thread))
            return seen[-1] == seen[-2] and seen[-1][0] == "S"

        wait_until(stays_asleep, f"{thread} sleeps")
        return seen[-1][1]

    def test_a_loop_sleeps_when_its_only_client_falls_silent(self):
        broker = self.start_broker()
        broker.create_topic("orders")
        with Connection(broker) as only:
            for _ in range(200):
                only.ok("publish", namespace="test", topic="orders", payload=1)
            before = self.asleep(broker, "tcp-0")
            only.ok("publish", namespace="test", topic="orders", payload=1)
            self.assertGreater(self.asleep(broker, "tcp-0"), before)


if __name__ == "__main__":
    unittest.main()
