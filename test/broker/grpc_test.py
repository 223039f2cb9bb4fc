"""The gRPC door: every call, its status codes, long polls that end early, limits, reflection, health, and the way down."""

import json
import os
import queue
import random
import socket
import threading
import time
import unittest

import grpcurl
from delivery import sanitized
from grpc_api import CODE, Client, GrpcCase, SharedGrpcCase, grpc, health, pb, reflection
from harness import wait_until

class EveryCallTest(SharedGrpcCase):
    def test_every_call_of_the_service_does_what_it_says(self):
        call = self.api.call
        self.assertTrue(call("CreateNamespace", name=self.namespace).success)
        self.assertIn(self.namespace, call("ListNamespaces").namespaces)
        created = call("CreateTopic", namespace=self.namespace, name="orders", queue_count=2,
                       settings=pb.TopicSettings(ack_timeout_ms=60_000, max_deliveries=2))
        self.assertTrue(created.success)
        self.assertEqual([(t.name, t.queue_count) for t in call("ListTopics", namespace=self.namespace).topics], [("orders", 2)])

        published = call("Publish", **self.at, payload=b"one", headers={"h": "v"}, routing_key="k", queue_id=1)
        self.assertEqual((len(published.message_id), published.queue_id), (36, 1))
        results = self.publish_all([b"two", b"three"], queue_id=1)
        self.assertEqual([(r.queue_id, r.code) for r in results], [(1, ""), (1, "")])
        peeked = call("Peek", **self.at, queue_id=1, limit=2).messages
        self.assertEqual([m.payload for m in peeked], [b"one", b"two"])

        first, second, third = call("Consume", **self.at, queue_id=1, batch_size=10).messages
        self.assertEqual((first.id, first.namespace, first.topic, first.queue_id, first.payload, dict(first.headers)),
                         (published.message_id, self.namespace, "orders", 1, b"one", {"h": "v"}))
        self.assertEqual((first.routing_key, first.delivery_count, first.receipt), ("k", 1, f"{first.id}#1"))
        self.assertLess(abs(first.timestamp / 1e9 - time.time()), 60)

        acked = call("Ack", **self.at, queue_id=1, message_ids=[first.receipt, "no id", f"{second.id}#9"])
        self.assertEqual((acked.success, acked.acknowledged, list(acked.unknown), list(acked.stale)),
                         (True, 1, ["no id"], [f"{second.id}#9"]))
        extended = call("Extend", **self.at, queue_id=1, message_ids=[second.id], lease_ms=50_000)
        self.assertEqual((extended.success, extended.extended), (True, 1))
        returned = call("Nack", **self.at, queue_id=1, message_ids=[second.id, third.id])
        self.assertEqual((returned.success, returned.returned, returned.dead_lettered), (True, 2, 0))
        again = call("Consume", **self.at, queue_id=1, batch_size=10).messages
        self.assertEqual([(m.payload, m.delivery_count) for m in again], [(b"two", 2), (b"three", 2)])
        dead = call("Nack", **self.at, queue_id=1, message_ids=[m.id for m in again])
        self.assertEqual(dead.dead_lettered, 2)

        letters = call("ListDead", **self.at, limit=10).messages
        self.assertEqual([(d.message.payload, d.reason) for d in letters], [(b"two", "max_deliveries"), (b"three", "max_deliveries")])
        self.assertGreater(letters[0].dead_at, first.timestamp)
        redriven = call("RedriveDead", **self.at, message_ids=[second.id])
        self.assertEqual((redriven.success, redriven.redriven), (True, 1))
        self.assertEqual(call("PurgeDead", **self.at).purged, 1)
        self.assertEqual(sum(call("Purge", **self.at, queue_id=q).purged for q in (0, 1)), 1)

        self.assertTrue(call("UpdateTopic", namespace=self.namespace, name="orders",
                             settings=pb.TopicSettings(max_length=7, overflow="drop_oldest")).success)
        info = self.topic_info()
        self.assertEqual((info.name, info.queue_count, info.settings.max_length, info.settings.overflow, info.settings.ack_timeout_ms),
                         ("orders", 2, 7, "drop_oldest", 60_000))
        self.assertEqual([q.queue_id for q in info.queues], [0, 1])
        resized = call("ResizeTopic", namespace=self.namespace, name="orders", new_queue_count=4)
        self.assertEqual((resized.success, resized.new_queue_count, resized.version, resized.draining), (True, 4, info.version + 1, False))
        self.assertTrue(call("RebalanceTopic", namespace=self.namespace, name="orders").success)
        self.assertIn("totals", json.loads(call("GetStats").json))
        copied = call("Backup", dir=os.path.join(self.temporary_folder(), "copy"))
        self.assertEqual((copied.success, copied.bytes > 0), (True, True))
        self.assertIn("manifest", os.listdir(copied.dir))
        self.assertTrue(call("Rewrite").success)

        self.assertEqual(list(self.api.both("PublishStream", iter([pb.PublishRequest(**self.at, payload=b"s", queue_id=0)])))[0]
                         .results[0].queue_id, 0)
        stream = self.api.stream("Subscribe", **self.at, auto_ack=True)
        self.assertEqual(next(stream).payload, b"s")
        stream.cancel()
        self.assertTrue(call("DeleteTopic", namespace=self.namespace, name="orders").success)
        self.assertTrue(call("DeleteNamespace", name=self.namespace).success)
        self.assertEqual(self.api.called, set(self.api.descriptor.methods_by_name))

    def test_delays_and_times_to_live_are_kept(self):
        self.make_topic()
        self.api.call("Publish", **self.at, payload=b"later", delay_ms=3000)
        self.api.call("Publish", **self.at, payload=b"gone", ttl_ms=1)
        wait_until(lambda: (self.counts().ready, self.counts().delayed) == (0, 1), "the one is gone and the other waits")
        got = self.api.call("Consume", **self.at, wait_ms=30_000).messages
        self.assertEqual([m.payload for m in got], [b"later"])


class StatusTest(SharedGrpcCase):
    def test_refusals_have_the_codes_of_the_one_table_and_name_the_thing(self):
        self.make_topic(queue_count=3)
        call = self.api.call
        nowhere = {"namespace": self.namespace, "topic": "nowhere"}
        for code, words, name, fields in [
                (CODE.ALREADY_EXISTS, [self.namespace], "CreateNamespace", {"name": self.namespace}),
                (CODE.INVALID_ARGUMENT, ["name"], "CreateNamespace", {"name": "-x"}),
                (CODE.INVALID_ARGUMENT, ["name"], "CreateNamespace", {}),
                (CODE.ALREADY_EXISTS, ["orders"], "CreateTopic", {"namespace": self.namespace, "name": "orders"}),
                (CODE.NOT_FOUND, ["elsewhere"], "CreateTopic", {"namespace": "elsewhere", "name": "orders"}),
                (CODE.INVALID_ARGUMENT, ["queue_count"], "CreateTopic", {"namespace": self.namespace, "name": "t", "queue_count": 1025}),
                (CODE.INVALID_ARGUMENT, ["overflow"], "CreateTopic",
                 {"namespace": self.namespace, "name": "t", "settings": pb.TopicSettings(overflow="spill")}),
                (CODE.NOT_FOUND, ["nowhere"], "GetTopic", {"namespace": self.namespace, "name": "nowhere"}),
                (CODE.NOT_FOUND, ["nowhere"], "DeleteTopic", {"namespace": self.namespace, "name": "nowhere"}),
                (CODE.NOT_FOUND, ["elsewhere"], "DeleteNamespace", {"name": "elsewhere"}),
                (CODE.NOT_FOUND, ["elsewhere"], "ListTopics", {"namespace": "elsewhere"}),
                (CODE.NOT_FOUND, ["nowhere"], "Publish", {**nowhere, "payload": b"x"}),
                (CODE.NOT_FOUND, ["queue 9", "orders", "3 queues"], "Publish", {**self.at, "payload": b"x", "queue_id": 9}),
                (CODE.INVALID_ARGUMENT, ["queue_id"], "Publish", {**self.at, "payload": b"x", "queue_id": -2}),
                (CODE.NOT_FOUND, ["queue 9"], "Consume", {**self.at, "queue_id": 9}),
                (CODE.INVALID_ARGUMENT, ["batch_size"], "Consume", {**self.at, "batch_size": 10_001}),
                (CODE.INVALID_ARGUMENT, ["wait_ms"], "Consume", {**self.at, "wait_ms": 60_001}),
                (CODE.NOT_FOUND, ["nowhere"], "Ack", {**nowhere, "message_ids": ["x"]}),
                (CODE.INVALID_ARGUMENT, ["state"], "Peek", {**self.at, "state": "odd"}),
                (CODE.INVALID_ARGUMENT, ["new_queue_count"], "ResizeTopic",
                 {"namespace": self.namespace, "name": "orders", "new_queue_count": 5000}),
        ]:
            with self.subTest(name=name, fields=fields):
                self.assert_status(code, lambda: call(name, **fields), *words)

    def test_a_batch_says_of_each_message_what_became_of_it(self):
        self.make_topic(queue_count=2)
        messages = [pb.PublishRequest(payload=b"a", queue_id=1), pb.PublishRequest(payload=b"b", queue_id=5),
                    pb.PublishRequest(payload=b"c", queue_id=-7), pb.PublishRequest(payload=b"d", queue_id=0)]
        results = self.api.call("PublishBatch", **self.at, messages=messages).results
        self.assertEqual([(r.code, bool(r.message_id)) for r in results],
                         [("", True), ("NOT_FOUND", False), ("INVALID_ARGUMENT", False), ("", True)])

    def test_a_method_that_does_not_exist_is_unimplemented(self):
        method = self.client.channel.unary_unary("/mqlite.v1.MQLiteService/Explode")
        self.assert_status(CODE.UNIMPLEMENTED, lambda: method(b"", timeout=30))

    def raw_call(self, name, request):
        if name == "Subscribe":
            return next(self.client.channel.unary_stream(f"/mqlite.v1.MQLiteService/{name}")(request, timeout=60))
        return self.client.channel.unary_unary(f"/mqlite.v1.MQLiteService/{name}")(request, timeout=60)

    def test_bytes_that_are_no_message_are_refused_in_words_and_the_connection_goes_on(self):
        for name in set(self.api.descriptor.methods_by_name) - {"PublishStream"}:
            with self.subTest(name=name):
                self.assert_status(CODE.INVALID_ARGUMENT, lambda: self.raw_call(name, b"\xff\xff\xff\xff"), f"{name}Request")
        self.api.call("ListNamespaces")

    def test_a_call_without_a_request_is_refused(self):
        method = self.client.channel.stream_unary("/mqlite.v1.MQLiteService/ListNamespaces")
        self.assert_status(CODE.INVALID_ARGUMENT, lambda: method(iter([]), timeout=30), "no request")
        self.assertNotEqual(method(iter([b""]), timeout=30), b"")  # an empty one is one

    def test_millions_of_empty_entries_are_refused_before_they_take_memory(self):
        self.make_topic()

        def field(name, field):
            return bytes([self.api.request(name).DESCRIPTOR.fields_by_name[field].number << 3 | 2])

        def within(tag, content):
            size, length = len(content), b""
            while size >= 0x80:
                length, size = length + bytes([size & 0x7f | 0x80]), size >> 7
            return tag + length + bytes([size]) + content

        many = 7 << 20
        at = pb.AckRequest(**self.at).SerializeToString()  # the others have the same fields for that
        more = field("Publish", "more")
        unknown = bytes([15 << 3 | 2, 0]) * many
        self.broker.forget_peak_memory()
        before = self.broker.peak_memory()
        for name, request in (
                ("PublishBatch", at + (field("PublishBatch", "messages") + b"\0") * many),
                ("PublishBatch", at + within(field("PublishBatch", "messages"), (more + b"\0") * many)),
                ("Publish", at + within(more, (more + b"\0") * many)),
                ("Ack", at + (field("Ack", "message_ids") + b"\0") * many),
                ("Ack", b"\x7b\x7c" + at + (field("Ack", "message_ids") + b"\0") * many),
                ("Ack", b"\xf8\x80\x80\x80\x10\x00" + at + (field("Ack", "message_ids") + b"\0") * many),
                ("CreateTopic", within(field("CreateTopic", "settings"), unknown)),
                ("Subscribe", at + unknown)):
            with self.subTest(name=name, request=request[:20]):
                self.assert_status(CODE.INVALID_ARGUMENT, lambda: self.raw_call(name, request))
        if not sanitized():
            self.assertLess(self.broker.peak_memory() - before, 300 << 20)


class LongPollTest(SharedGrpcCase):
    def test_a_wait_ends_with_the_first_message(self):
        self.make_topic()
        waiting = self.api.future("Consume", **self.at, wait_ms=60_000)
        wait_until(lambda: self.counts().consumers == 1, "the consume waits")
        self.api.call("Publish", **self.at, payload=b"x")
        self.assertEqual([m.payload for m in waiting.result().messages], [b"x"])

    def test_a_wait_for_nothing_is_answered_with_nothing(self):
        self.make_topic()
        self.assertEqual(len(self.api.call("Consume", **self.at, wait_ms=50).messages), 0)

    def assert_nobody_waits(self):
        """No waiter is left, and the next message is delivered for the first time to whoever asks."""
        wait_until(lambda: self.counts().consumers == 0, "the waiter is gone")
        self.api.call("Publish", **self.at, payload=b"x")
        self.assertEqual((self.counts().ready, self.counts().leased), (1, 0))
        got = self.api.call("Consume", **self.at).messages
        self.assertEqual([(m.payload, m.delivery_count) for m in got], [(b"x", 1)])

    def test_a_deadline_that_passes_leaves_no_waiter_and_no_lease(self):
        self.make_topic()
        self.assert_status(CODE.DEADLINE_EXCEEDED, lambda: self.api.call("Consume", timeout=0.3, **self.at, wait_ms=60_000))
        self.assert_nobody_waits()

    def test_a_cancelled_wait_leaves_no_waiter_and_no_lease(self):
        self.make_topic()
        waiting = self.api.future("Consume", **self.at, wait_ms=60_000)
        wait_until(lambda: self.counts().consumers == 1, "the consume waits")
        waiting.cancel()
        self.assert_nobody_waits()

    def test_a_cancelled_wait_at_any_queue_leaves_nothing_behind(self):
        self.make_topic(queue_count=3)
        self.at["queue_id"] = -1
        waiting = self.api.future("Consume", **self.at, wait_ms=60_000)
        time.sleep(0.2)  # the wait of a whole topic is not counted anywhere; the test is right without this as well
        waiting.cancel()
        del self.at["queue_id"]
        self.api.call("Publish", **self.at, payload=b"x", queue_id=0)
        # What the broker gives to the call before it has heard of its end comes back, at once and as if it had not been given.
        wait_until(lambda: (self.counts().ready, self.counts().leased) == (1, 0), "the message waits")
        self.api.call("Publish", **self.at, payload=b"y", queue_id=0)
        self.assertEqual((self.counts().ready, self.counts().leased), (2, 0), "nobody waits any more")
        got = self.api.call("Consume", **self.at, batch_size=2).messages
        self.assertEqual([(m.payload, m.delivery_count) for m in got], [(b"x", 1), (b"y", 1)])

    def test_a_connection_that_breaks_leaves_no_waiter(self):
        self.make_topic()
        other = Client(self.broker.ports["grpc"])
        waiting = other.api.future("Consume", **self.at, wait_ms=60_000)
        wait_until(lambda: self.counts().consumers == 1, "the consume waits")
        other.close()
        self.assertRaises(grpc.RpcError, waiting.result)
        self.assert_nobody_waits()

    def test_nothing_is_lost_when_deadlines_and_messages_meet(self):
        self.make_topic(ack_timeout_ms=1000)
        chance = random.Random(7)
        sent, got = set(), set()

        def consume(timeout):
            try:
                messages = self.api.call("Consume", timeout=timeout, **self.at, batch_size=5, wait_ms=60_000).messages
            except grpc.RpcError as error:
                self.assertEqual(error.code(), CODE.DEADLINE_EXCEEDED)
                return
            got.update(m.id for m in messages)
            self.api.call("Ack", **self.at, message_ids=[m.receipt for m in messages])

        for _ in range(60):
            waiter = threading.Thread(target=consume, args=(chance.uniform(0.003, 0.02),))
            waiter.start()
            time.sleep(chance.uniform(0, 0.02))
            sent.add(self.api.call("Publish", **self.at, payload=b"x").message_id)
            waiter.join()
        wait_until(lambda: consume(2) or got == sent, "all messages arrive")
        self.assertEqual((self.counts().ready, self.counts().leased, self.counts().consumers), (0, 0, 0))


class LimitTest(GrpcCase):
    def test_messages_and_requests_over_their_limits_are_refused(self):
        broker = self.start_broker("--limits.max_message_bytes", "1000", "--limits.max_request_bytes", "5000")
        broker.create_topic("t")
        api = self.client_of(broker).api
        at = {"namespace": "test", "topic": "t"}
        api.call("Publish", **at, payload=b"x" * 1000)
        self.assert_status(CODE.RESOURCE_EXHAUSTED, lambda: api.call("Publish", **at, payload=b"x" * 1001), "1000")
        self.assert_status(CODE.RESOURCE_EXHAUSTED, lambda: api.call("Publish", **at, payload=b"x" * 900, headers={"h": "y" * 200}))
        self.assert_status(CODE.RESOURCE_EXHAUSTED, lambda: api.call("Publish", **at, payload=b"x" * 5001))
        results = api.call("PublishBatch", **at, messages=[pb.PublishRequest(payload=b"x" * n) for n in (1001, 10)]).results
        self.assertEqual([r.code for r in results], ["TOO_LARGE", ""])
        self.assertEqual(api.call("GetTopic", namespace="test", name="t").queues[0].ready, 2)

    def test_one_answer_is_not_more_than_clients_take_unless_told_to(self):
        broker = self.start_broker()
        broker.create_topic("t")
        api = self.client_of(broker).api
        at = {"namespace": "test", "topic": "t"}
        for _ in range(10):
            api.call("Publish", **at, payload=b"x" * (1 << 20), queue_id=0)
        got = []
        while sum(map(len, got)) < 10:
            got.append(api.call("Consume", **at, queue_id=0, batch_size=10).messages)
            self.assertTrue(got[-1])
        self.assertEqual([m.delivery_count for messages in got for m in messages], [1] * 10)
        self.assertGreater(len(got[0]), 1)

    def test_a_full_queue_refuses(self):
        broker = self.start_broker()
        broker.create_topic("t", max_length=1)
        api = self.client_of(broker).api
        api.call("Publish", namespace="test", topic="t", payload=b"1")
        self.assert_status(CODE.RESOURCE_EXHAUSTED, lambda: api.call("Publish", namespace="test", topic="t", payload=b"2"))

    def test_connections_are_counted_and_refused_over_the_limit(self):
        broker = self.start_broker("--limits.max_connections", "3")

        def connections():
            stats = json.loads(first.api.call("GetStats").json)
            return stats["connections"]["grpc"]

        first = self.client_of(broker)
        self.assertEqual(connections(), 1)
        others = [Client(broker.ports["grpc"]) for _ in range(2)]
        for other in others:
            other.api.call("ListNamespaces")
        self.assertEqual(connections(), 3)
        with Client(broker.ports["grpc"]) as refused:
            self.assert_status(CODE.UNAVAILABLE, lambda: refused.api.call("ListNamespaces", timeout=20))
        for other in others:
            other.close()
        wait_until(lambda: connections() == 1, "closed connections no longer count")
        with Client(broker.ports["grpc"]) as again:
            again.api.call("ListNamespaces")


class ReflectionTest(SharedGrpcCase):
    def ask(self, **fields):
        requests = iter([reflection.ServerReflectionRequest(**fields)])
        return next(iter(self.client.reflection.both("ServerReflectionInfo", requests, timeout=60)))

    def test_reflection_lists_the_services(self):
        names = {s.name for s in self.ask(list_services="").list_services_response.service}
        self.assertLessEqual({"mqlite.v1.MQLiteService", "grpc.reflection.v1alpha.ServerReflection"}, names)

    def reflected_call(self, method, text):
        return json.loads(grpcurl.call(self.client.channel, "mqlite.v1.MQLiteService", method, text))

    def test_the_first_lines_of_the_manual_work_through_reflection(self):
        self.assertIs(self.reflected_call("CreateNamespace", '{"name": "production"}')["success"], True)
        created = self.reflected_call("CreateTopic", '{"namespace": "production", "name": "orders", "queue_count": 3}')
        self.assertIs(created["success"], True)
        published = self.reflected_call("Publish", '{"namespace": "production", "topic": "orders", "payload": "eyJvcmRlciI6MTIzfQ=="}')
        self.assertEqual(len(published["messageId"]), 36)
        message, = self.broker.consume("/v1/namespaces/production/topics/orders", published.get("queueId", 0))
        self.assertEqual((message["id"], message["payload"]), (published["messageId"], {"order": 123}))


class HealthTest(GrpcCase):
    def status(self, client, service=""):
        return client.health.call("Check", service=service).status

    def test_a_broker_that_runs_is_serving(self):
        client = self.client_of(self.start_broker())
        for service in ("", "mqlite.v1.MQLiteService"):
            wait_until(lambda: self.status(client, service) == health.HealthCheckResponse.SERVING, "it serves")
        self.assert_status(CODE.NOT_FOUND, lambda: self.status(client, "other.Service"))

    def test_a_watcher_is_told_that_the_broker_stops(self):
        broker = self.start_broker()
        watch = self.client_of(broker).health.stream("Watch", service="")
        self.assertEqual(next(watch).status, health.HealthCheckResponse.SERVING)
        broker.ask_to_stop()
        # What it is may be told once more before it changes.
        told = next(status.status for status in watch if status.status != health.HealthCheckResponse.SERVING)
        self.assertEqual(told, health.HealthCheckResponse.NOT_SERVING)
        self.assertEqual(broker.wait_for_exit(), 0)

    def test_a_log_that_cannot_be_written_is_not_serving(self):
        broker = self.start_broker(file_size_limit=200_000)
        broker.create_topic("t")
        client = self.client_of(broker)

        def fill():
            try:
                client.api.call("Publish", namespace="test", topic="t", payload=b"x" * 50_000)
            except grpc.RpcError as error:
                self.assertEqual(error.code(), CODE.UNAVAILABLE)
                return True
            return False

        wait_until(fill, "a publish is refused")
        wait_until(lambda: self.status(client) == health.HealthCheckResponse.NOT_SERVING, "health says so")
        self.assertGreaterEqual(len(client.api.call("Peek", namespace="test", topic="t").messages), 1)


class OtherProtocolsTest(SharedGrpcCase):
    def test_a_payload_is_the_same_over_grpc_and_http(self):
        path = self.topic()
        for payload in (b'{"a": 1.50,  "b":[ ]}', b"", b"\x00\xff\xfe", "\u00fc\u6f22".encode(), b"not json"):
            with self.subTest(payload=payload):
                self.api.call("Publish", **self.at, payload=payload, headers={"k": "\u00fc"}, routing_key="r")
                raw = self.broker.request("POST", f"{path}/queues/0/consume", {"auto_ack": True})
                message, = raw.data
                self.assertEqual((message["headers"], message["routing_key"]), ({"k": "\u00fc"}, "r"))
                body = {name: message[name] for name in ("payload", "payload_base64") if name in message}
                if "payload" in body:
                    self.assertIn(b'"payload":' + payload, raw.body)
                self.broker.ok("POST", f"{path}/publish", body) if "payload_base64" in body else self.broker.request(
                    "POST", f"{path}/publish", b'{"payload":' + payload + b"}")
                back, = self.api.call("Consume", **self.at, auto_ack=True).messages
                self.assertEqual(back.payload, payload)

    def test_receipts_are_good_on_every_protocol(self):
        path = self.topic()
        self.broker.publish(path, 1)
        self.broker.publish(path, 2)
        message, = self.api.call("Consume", **self.at).messages
        self.assertEqual(self.broker.ack(path, 0, [message.receipt])["acknowledged"], 1)
        other, = self.broker.consume(path)
        self.assertEqual(self.api.call("Ack", **self.at, message_ids=[other["receipt"]]).acknowledged, 1)


class RoughPeerTest(SharedGrpcCase):
    def test_bytes_that_are_no_http2_do_no_harm(self):
        chance = random.Random(3)
        preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
        for garbage in (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x00" * 4096, chance.randbytes(10_000), preface + chance.randbytes(10_000),
                        preface + b"\xff\xff\xff\x00\x00\x00\x00\x00\x00", b"\x16\x03\x01\x02\x00\x01"):
            with socket.create_connection(("127.0.0.1", self.broker.ports["grpc"]), timeout=60) as peer:
                try:
                    peer.sendall(garbage)
                    peer.shutdown(socket.SHUT_WR)
                    while peer.recv(65536):
                        pass
                except TimeoutError:
                    raise
                except OSError:  # the broker may have closed the connection at any point, even before the shutdown
                    pass
        self.api.call("ListNamespaces")
        self.assertTrue(self.broker.running)


class ShutdownTest(GrpcCase):
    def test_a_stop_ends_waits_and_streams_and_says_why(self):
        broker = self.start_broker()
        broker.create_topic("t", queue_count=2)
        client = self.client_of(broker)
        at = {"namespace": "test", "topic": "t"}
        waiting = client.api.future("Consume", **at, queue_id=1, wait_ms=60_000)
        subscription = client.api.stream("Subscribe", **at)
        subscription.initial_metadata()
        requests = queue.Queue()
        publishing = client.api.both("PublishStream", iter(requests.get, None))
        requests.put(pb.PublishRequest(**at, payload=b"x", queue_id=0))
        self.assertEqual(len(next(publishing).results), 1)
        message = next(subscription)
        self.assertEqual(client.api.call("Ack", **at, message_ids=[message.id]).acknowledged, 1)
        info = lambda: client.api.call("GetTopic", namespace="test", name="t").queues
        wait_until(lambda: info()[1].consumers == 1, "the consume waits")
        begun = time.monotonic()
        broker.ask_to_stop()
        for stream in (subscription, publishing):
            with self.assertRaises(grpc.RpcError) as caught:
                next(stream)
            self.assert_ended(caught.exception, CODE.UNAVAILABLE, "shutting down")
        self.assertEqual(len(waiting.result().messages), 0)
        self.assertEqual(broker.wait_for_exit(), 0)
        self.assertLess(time.monotonic() - begun, 4, "a stop without anything to wait for takes no patience")
        requests.put(None)

    def test_what_was_answered_is_there_after_a_stop_under_load(self):
        broker = self.start_broker()
        broker.create_topic("t")
        clients = [self.client_of(broker) for _ in range(4)]
        published, unexpected = [], []

        def publish(api):
            while True:
                try:
                    published.append(api.call("Publish", namespace="test", topic="t", payload=b"x").message_id)
                except grpc.RpcError as error:
                    if error.code() not in (CODE.UNAVAILABLE, CODE.CANCELLED):
                        unexpected.append(error)
                    return

        threads = [threading.Thread(target=publish, args=(c.api,)) for c in clients]
        for thread in threads:
            thread.start()
        wait_until(lambda: len(published) > 200, "the load runs")
        self.assertEqual(broker.terminate(), 0)
        for thread in threads:
            thread.join()
        self.assertEqual(unexpected, [])
        broker.start()
        found = self.client_of(broker).api.call("Consume", namespace="test", topic="t", batch_size=10_000).messages
        self.assertLessEqual(set(published), {m.id for m in found})

    def test_a_port_that_is_taken_stops_the_start(self):
        taken = self.start_broker().ports["grpc"]
        other = self.new_broker("--server.grpc.port", taken).launch()
        self.assertEqual(other.wait_for_exit(), 1)
        self.assertIn(f"grpc: address 127.0.0.1:{taken} is in use", other.log)


if __name__ == "__main__":
    unittest.main()
