"""Doors together: what comes in by one goes out by every other, the same."""

import itertools
import unittest

from doors import DOORS
from door import Refused
from harness import wait_until
from publishing_scenarios import HEADERS, PAYLOADS
from scenario import UNKNOWN_ID, AnyDoorCase, BoundTopic, ids, numbers, payloads


class Across(AnyDoorCase):
    def setUp(self):
        super().setUp()
        self.doors = {name: self.open(name) for name in DOORS}
        self.doors["http"].create_namespace(self.namespace)

    def topics(self, name="orders", queue_count=1, **settings):
        """{door: the topic through it}"""
        self.doors["http"].create_topic(self.namespace, name, queue_count, **settings)
        return {door: BoundTopic(self.doors[door], self.namespace, name) for door in self.doors}

    def check_pairs(self, check):
        """Runs check(one, other) with the topic through each two doors; there may be nothing left in it afterwards."""
        topics = self.topics()
        for one, other in itertools.product(topics, repeat=2):
            with self.subTest(one=one, other=other):
                check(topics[one], topics[other])
                self.assertEqual(topics[one].counts(), (0, 0, 0))

    def test_a_payload_that_is_published_by_one_is_the_same_for_every_other(self):
        def check(one, other):
            published = one.fill(PAYLOADS, headers=HEADERS, routing_key="k")
            got = other.consume(batch_size=1000)
            self.assertEqual((ids(got), payloads(got)), (published, PAYLOADS))
            self.assertTrue(all((m.headers, m.routing_key) == (HEADERS, "k") for m in got))
            self.assertEqual(one.ack([m.receipt for m in got]).count, len(PAYLOADS))
        self.check_pairs(check)

    def test_a_message_looks_the_same_to_all(self):
        topics = self.topics(queue_count=2, max_deliveries=2)
        for topic in topics.values():
            topic.publish(b'{"a": 1.50}', headers=HEADERS, routing_key="k", queue_id=1)
            topic.publish(b"\xff", queue_id=1)
        leased = topics["http"].consume(1, batch_size=2)
        for state in ("ready", "leased"):
            seen = [topic.peek(1, state=state) for topic in topics.values()]
            self.assertTrue(seen[0])
            self.assertEqual(seen, [seen[0]] * len(seen))
        topics["http"].nack(ids(leased), queue_id=1)
        leased = topics["http"].consume(1, batch_size=2)
        topics["http"].nack(ids(leased), queue_id=1)
        dead = [topic.list_dead() for topic in topics.values()]
        self.assertEqual((ids(dead[0]), dead), (ids(leased), [dead[0]] * len(dead)))
        for what in ("get_topic", "list_topics", "list_namespaces"):
            arguments = {"get_topic": (self.namespace, "orders"), "list_topics": (self.namespace,), "list_namespaces": ()}[what]
            answers = [getattr(door, what)(*arguments) for door in self.doors.values()]
            self.assertEqual(answers, [answers[0]] * len(answers))

    def test_what_is_published_by_one_is_pushed_to_every_other(self):
        def check(one, other):
            subscription = self.subscribed(other, auto_ack=True)
            one.fill(PAYLOADS)
            one.publish(b"last", headers=HEADERS)
            got = subscription.take(len(PAYLOADS) + 1)
            self.assertEqual((payloads(got), got[-1].headers), (PAYLOADS + [b"last"], HEADERS))
            one.wait_for_counts((0, 0, 0))
            subscription.close()
            wait_until(lambda: one.total("consumers") == 0, "the subscription has ended")
        self.check_pairs(check)

    def test_a_lease_of_one_is_settled_by_every_other(self):
        def check(one, other):
            one.fill(numbers(3))
            first, second, third = one.consume(batch_size=3)
            self.assertEqual(other.extend([first.receipt, second.receipt, third.receipt], lease_ms=60_000).count, 3)
            self.assertEqual(other.nack([third.receipt]).count, 1)
            again, = other.consume()
            self.assertEqual(other.ack([first.receipt, second.id, third.receipt, again.receipt, UNKNOWN_ID]),
                             (3, [UNKNOWN_ID], [third.receipt], 0))
        self.check_pairs(check)

    def test_what_a_subscription_of_one_did_not_ack_returns_to_every_other(self):
        def check(one, other):
            other.publish(b"x")
            subscription = self.subscribed(one)
            message, = subscription.take(1)
            subscription.cut()
            other.wait_for_counts((1, 0, 0))
            again, = other.consume()
            self.assertEqual((again.id, again.delivery_count), (message.id, 2))
            other.ack([again.id])
        self.check_pairs(check)

    def test_refusals_have_the_same_code_and_words(self):
        topics = self.topics(queue_count=3, max_length=1)
        self.topics("unstolen", queue_count=2, steal="off")
        topics["http"].publish()
        nowhere = (self.namespace, "nowhere")
        orders = (self.namespace, "orders")
        for operation, arguments, fields in [
                ("create_namespace", (self.namespace,), {}), ("create_namespace", ("-x",), {}),
                ("delete_namespace", ("elsewhere",), {}), ("list_topics", ("elsewhere",), {}),
                ("create_topic", orders, {}), ("create_topic", (self.namespace, "a b"), {}), ("create_topic", ("elsewhere", "x"), {}),
                ("create_topic", (self.namespace, "x", 1025), {}), ("create_topic", (self.namespace, "x"), {"overflow": "spill"}),
                ("create_topic", (self.namespace, "x"), {"max_length": -1}), ("get_topic", nowhere, {}),
                ("delete_topic", nowhere, {}), ("update_topic", nowhere, {}), ("update_topic", orders, {"steal": "x"}),
                ("resize_topic", (*orders, 1025), {}), ("resize_topic", (*nowhere, 2), {}), ("rebalance_topic", nowhere, {}),
                ("publish", (*nowhere, b"1"), {}), ("publish", (*orders, b"1"), {"queue_id": 9}),
                ("publish", (*orders, b"1"), {"queue_id": -2}), ("publish", (*orders, b"1"), {"delay_ms": -1}),
                ("publish", (*orders, b"1"), {"ttl_ms": -1}), ("publish", (*orders, b"1"), {}),
                ("publish", (*orders, b"1"), {"delay_ms": 1, "deliver_at_ms": 1}),
                ("publish", (*orders, b"\xff" * (2**20 + 1)), {}), ("consume", nowhere, {}), ("consume", orders, {"queue_id": 9}),
                ("consume", orders, {"batch_size": 10_001}), ("consume", orders, {"wait_ms": 60_001}),
                ("consume", orders, {"lease_ms": -1}), ("ack", (*orders, ["x"]), {"queue_id": 7}),
                ("nack", (*orders, ["x"]), {"delay_ms": -1}), ("extend", (*orders, ["x"]), {"lease_ms": -1}),
                ("subscribe", nowhere, {}), ("subscribe", orders, {"queue_id": 4}), ("subscribe", orders, {"max_in_flight": -1}),
                ("subscribe", (self.namespace, "unstolen"), {"queue_id": -1}), ("peek", orders, {"state": "odd"}),
                ("peek", orders, {"limit": 1001}), ("peek", orders, {"queue_id": 3}), ("purge", orders, {"queue_id": 3}),
                ("list_dead", orders, {"limit": 1001}), ("redrive_dead", nowhere, {}), ("purge_dead", nowhere, {})]:
            with self.subTest(operation=operation, arguments=str(arguments)[:200], fields=fields):
                refusals = {name: self.refusal_of(getattr(door, operation), *arguments, **fields) for name, door in self.doors.items()}
                code, text = refusals["http"]
                self.assertEqual(refusals, {name: (door.spelling(code), text) for name, door in self.doors.items()})

    def refusal_of(self, operation, *arguments, **fields):
        with self.assertRaises(Refused) as caught:
            operation(*arguments, **fields)
        return caught.exception.code, caught.exception.text

    def test_batches_say_the_same_of_what_they_refuse(self):
        topics = self.topics(queue_count=2)
        batch = [{"payload": b"1", "queue_id": 9}, {"payload": b"1", "queue_id": -2}, {"payload": b"1", "ttl_ms": -1},
                 {"payload": b"\xff" * (2**20 + 1)}]
        refusals = {name: [(r.code, r.text) for r in topic.publish_batch(batch)] for name, topic in topics.items()}
        self.assertEqual([code for code, _ in refusals["http"]], ["NOT_FOUND", "INVALID_ARGUMENT", "INVALID_ARGUMENT", "TOO_LARGE"])
        self.assertEqual(refusals, {name: refusals["http"] for name in refusals})


if __name__ == "__main__":
    unittest.main()
