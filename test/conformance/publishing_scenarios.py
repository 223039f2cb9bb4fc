"""Publishing: routing, what a message carries, delays, times to live, batches, limits."""

import time
import uuid

from door import Published, Refused
from harness import fnv1a_32, wait_until
from scenario import Scenario, ids, numbers, payloads

# Bytes of every kind: JSON with spellings that a parser would lose, almost JSON, and none at all.
PAYLOADS = [
    b"", b"1", b" 1", b"1 ", b"1.0", b"1e5", b"-0", b"1E+05", b"12345678901234567890123", b"0.10000000000000000000001",
    b'{"a": 1.50,  "b":[1 ,2]}', b'{"a":1,"a":2}', b"{\n}", b"[]", b"null", b"true", b'""', b'"\\u00e4\\/"', '"ä€😀"'.encode(),
    b'{"message_id":"x","data":[{"payload":1}]}', b'"\x7f"', b'"a', b"{", b"nul", b"NaN", b"01", b"+1", b"'a'", b"[1,]", b"\xef\xbb\xbf1",
    b"\xff\xfe", b"\x00", b"\x00\x01\x02", bytes(range(256)), b'"\xff"', b'"\x01"', "ä".encode("latin-1"), b"event: message\n\n",
    b"x" * 100_000, b'"' + b"y" * 100_000 + b'"', b"[" * 900 + b"]" * 900,
]
HEADERS = {"a": "b", "": "empty name", "empty": "", "quote\"\\": "line\nend\r\t\0", "ä€😀": "😀", "Case": "1", "case": "2", "long": "x" * 5000}


class Routing(Scenario):
    def test_queues_are_taken_in_turn_from_queue_0(self):
        topic = self.topic(queue_count=3)
        self.assertEqual([topic.publish().queue_id for _ in range(7)], [0, 1, 2, 0, 1, 2, 0])

    def test_each_topic_takes_its_own_turns(self):
        one, two = self.topic("one", 2), self.topic("two", 2)
        self.assertEqual([t.publish().queue_id for t in (one, one, two, one, two)], [0, 1, 0, 0, 1])

    def test_a_queue_id_names_the_queue(self):
        topic = self.topic(queue_count=3)
        topic.publish()
        self.assertEqual([topic.publish(queue_id=q).queue_id for q in (2, 0, 0, 1)], [2, 0, 0, 1])
        self.assertEqual([topic.publish(queue_id=q, routing_key="k").queue_id for q in (0, 1, 2)], [0, 1, 2])

    def test_minus_one_is_automatic(self):
        topic = self.topic(queue_count=2)
        self.assertEqual([topic.publish(queue_id=-1).queue_id for _ in range(3)], [0, 1, 0])
        self.assertEqual(topic.publish(queue_id=-1, routing_key="k").queue_id, fnv1a_32("k") % 2)

    def test_a_routing_key_picks_a_queue_by_its_hash(self):
        for count in (1, 2, 3, 7, 1000):
            topic = self.topic(f"orders{count}", count)
            for key in ("a", "b", "user-1001", "ä€😀", " ", "x" * 1000):
                self.assertEqual(topic.publish(routing_key=key).queue_id, fnv1a_32(key) % count, (key, count))

    def test_an_empty_key_is_none(self):
        topic = self.topic(queue_count=2)
        self.assertEqual([topic.publish(routing_key="").queue_id for _ in range(3)], [0, 1, 0])
        self.assertIsNone(topic.consume()[0].routing_key)

    def test_each_message_of_a_batch_is_routed_by_itself(self):
        topic = self.topic(queue_count=3)
        batch = [{"payload": b"0"}, {"payload": b"1", "queue_id": 2}, {"payload": b"2", "routing_key": "k"}, {"payload": b"3"},
                 {"payload": b"4", "queue_id": 7}, {"payload": b"5", "queue_id": -2}, {"payload": b"6"}]
        outcomes = topic.publish_batch(batch)
        self.assertEqual([o.code if isinstance(o, Refused) else o.queue_id for o in outcomes],
                         [0, 2, fnv1a_32("k") % 3, 1, "NOT_FOUND", "INVALID_ARGUMENT", 2])
        self.assertEqual(outcomes[4].text, "queue 7 not found in topic orders (3 queues)")
        stored = {m.id: (m.payload, m.queue_id) for m in topic.consume(-1, batch_size=100)}
        self.assertEqual(stored, {o.message_id: (m["payload"], o.queue_id)
                                  for o, m in zip(outcomes, batch) if isinstance(o, Published)})

    def test_a_batch_keeps_its_order(self):
        topic = self.topic()
        published = topic.fill(numbers(1000))
        got = topic.consume(batch_size=1000)
        self.assertEqual((ids(got), payloads(got)), (published, numbers(1000)))

    def test_a_batch_holds_none_to_ten_thousand_messages(self):
        topic = self.topic()
        self.assertEqual(topic.publish_batch([]), [])
        self.assertEqual(len(topic.fill([b""] * 10_000)), 10_000)
        self.refused("INVALID_ARGUMENT", topic.publish_batch, [{"payload": b""}] * 10_001, words=["messages"])
        self.assertEqual(topic.counts(), (10_000, 0, 0))


class Content(Scenario):
    def test_a_message_has_an_id_a_time_and_a_receipt(self):
        topic = self.topic(queue_count=2)
        before = time.time_ns()
        published = topic.publish(b"x", queue_id=1)
        after = time.time_ns()
        message, = topic.consume(1)
        self.assertEqual((message.id, message.queue_id), published)
        self.assertEqual((len(message.id), uuid.UUID(message.id).version, str(uuid.UUID(message.id))), (36, 7, message.id))
        self.assertEqual(message[1:5], (self.namespace, "orders", 1, b"x"))
        # The clocks of two processes are one; a busy machine may take its time in between.
        self.assertTrue(before - 10**9 <= message.timestamp <= after + 10**9, (before, message.timestamp, after))
        self.assertEqual((message.headers, message.routing_key, message.delivery_count, message.receipt),
                         ({}, None, 1, f"{message.id}#1"))

    def test_ids_are_ascending_in_a_queue(self):
        topic = self.topic()
        published = [topic.publish().message_id for _ in range(20)] + topic.fill(numbers(20))
        self.assertEqual(published, sorted(published))
        self.assertEqual(len(set(published)), 40)

    def test_payloads_come_back_byte_for_byte(self):
        topic = self.topic()
        for payload in PAYLOADS:
            topic.publish(payload)
        self.assertEqual(payloads(topic.peek(limit=1000)), PAYLOADS)
        self.assertEqual(payloads(topic.consume(batch_size=1000)), PAYLOADS)

    def test_payloads_of_a_batch_come_back_byte_for_byte(self):
        topic = self.topic()
        topic.fill(PAYLOADS)
        self.assertEqual(payloads(topic.consume(batch_size=1000)), PAYLOADS)

    def test_pushed_payloads_come_byte_for_byte(self):
        topic = self.topic()
        topic.fill(PAYLOADS)
        self.assertEqual(payloads(self.subscribed(topic).take(len(PAYLOADS))), PAYLOADS)

    def test_headers_and_the_routing_key_come_back(self):
        topic = self.topic()
        topic.publish(headers=HEADERS, routing_key="ä \"\\\n😀")
        topic.publish(headers={})
        first, second = topic.peek()
        self.assertEqual((first.headers, first.routing_key), (HEADERS, "ä \"\\\n😀"))
        self.assertEqual((second.headers, second.routing_key), ({}, None))
        pushed = self.subscribed(topic).take(2)
        self.assertEqual([(m.headers, m.routing_key) for m in pushed], [(HEADERS, "ä \"\\\n😀"), ({}, None)])


class Time(Scenario):
    def test_a_delayed_message_is_not_there_before_its_time(self):
        topic = self.topic()
        topic.publish(b"late", delay_ms=60_000)
        topic.publish(b"soon", deliver_at_ms=int(time.time() * 1000) + 60_000)
        topic.publish(b"now", delay_ms=0)
        topic.publish(b"past", deliver_at_ms=1)
        self.assertEqual(topic.counts(), (2, 0, 2))
        self.assertEqual(payloads(topic.consume(batch_size=10)), [b"now", b"past"])
        self.assertEqual(sorted(payloads(topic.peek(state="delayed"))), [b"late", b"soon"])

    def test_a_delayed_message_arrives_when_its_time_has_come(self):
        topic = self.topic()
        for name in ("delay_ms", "deliver_at_ms"):
            with self.subTest(name=name):
                sent = time.time()
                topic.publish(b"a", **{name: 200 if name == "delay_ms" else int(sent * 1000) + 200})
                self.assertEqual(payloads(topic.consume(wait_ms=60_000, auto_ack=True)), [b"a"])
                self.assertGreaterEqual(time.time(), sent + 0.19)

    def test_a_message_that_waits_too_long_becomes_a_dead_letter(self):
        topic = self.topic()
        sent_ns = time.time_ns()
        gone = topic.publish(b"gone", ttl_ms=50).message_id
        topic.publish(b"stays", ttl_ms=60_000)
        wait_until(lambda: topic.info().dead == 1, "the message has expired")
        dead, = topic.list_dead()
        self.assertEqual((dead.id, dead.payload, dead.reason, dead.delivery_count), (gone, b"gone", "expired", 0))
        self.assertGreaterEqual(dead.dead_at, sent_ns + 49_000_000)
        self.assertEqual(payloads(topic.consume(batch_size=10)), [b"stays"])

    def test_a_topic_may_have_a_time_to_live_for_all(self):
        topic = self.topic(message_ttl_ms=50)
        topic.fill(numbers(3))
        wait_until(lambda: topic.info().dead == 3, "the messages have expired")
        self.assertEqual({m.reason for m in topic.list_dead()}, {"expired"})
        self.assertEqual(topic.consume(), [])

    def test_negative_times_are_refused(self):
        topic = self.topic()
        for name in ("delay_ms", "deliver_at_ms", "ttl_ms"):
            with self.subTest(name=name):
                self.refused("INVALID_ARGUMENT", topic.publish, words=[name], **{name: -1})


class Limits(Scenario):
    def test_a_full_topic_refuses(self):
        topic = self.topic(queue_count=2, max_length=3)
        outcomes = topic.publish_batch([{"payload": n} for n in numbers(5)])
        self.assertEqual([getattr(o, "code", None) for o in outcomes], [None] * 3 + ["RESOURCE_EXHAUSTED"] * 2)
        self.refused("RESOURCE_EXHAUSTED", topic.publish, words=["orders"])
        message, = topic.consume()
        self.refused("RESOURCE_EXHAUSTED", topic.publish)  # what is leased counts
        topic.ack([message.id])
        topic.publish()
        self.assertEqual(topic.total(), 3)

    def test_a_topic_may_drop_its_oldest_instead(self):
        topic = self.topic(max_length=3, overflow="drop_oldest")
        topic.fill(numbers(5))
        self.assertEqual(payloads(topic.peek()), numbers(3, 2))
        self.assertEqual([(m.payload, m.reason) for m in topic.list_dead()], [(b"0", "overflow"), (b"1", "overflow")])

    def test_bytes_are_limited_too(self):
        topic = self.topic(max_bytes=1000)
        topic.publish(b"x" * 400)
        topic.publish(b"x" * 400)
        self.refused("RESOURCE_EXHAUSTED", topic.publish, b"x" * 400)
        topic.publish(b"x" * 100)
        topic.update_topic(overflow="drop_oldest")
        topic.publish(b"y" * 400)
        self.assertEqual([m.reason for m in topic.list_dead()], ["overflow"])

    def test_a_message_has_a_largest_size(self):
        topic = self.topic()
        self.refused("TOO_LARGE", topic.publish, b"x" * (2**20 + 1), words=["limits.max_message_bytes"])
        self.refused("TOO_LARGE", topic.publish, b"x" * (2**20 - 2), headers={"a": "bc"})
        self.refused("TOO_LARGE", topic.publish, b"x" * (2**20 - 2), routing_key="abc")
        topic.publish(b"x" * 2**20)
        topic.publish(b"x" * (2**20 - 3), headers={"a": "bc"})
        too_large, fine = topic.publish_batch([{"payload": b"x" * (2**20 + 1)}, {"payload": b"fine"}])
        self.assertEqual((too_large.code, isinstance(fine, Published)), ("TOO_LARGE", True))
        self.assertEqual([len(m.payload) for m in topic.consume(batch_size=10)], [2**20, 2**20 - 3, 4])
