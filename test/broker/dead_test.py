"""Dead letters and the limits that fill them or refuse publishes."""

import base64
import time
import unittest

from delivery import UNKNOWN_ID, InBackground, Topic, ids, memory_of, payloads, receipts, topic_metric
from harness import BrokerCase, SharedBrokerCase, wait_until

LONG = 600_000


class TopicCase(SharedBrokerCase):
    def new_topic(self, name="orders", **fields):
        return Topic.create(self.broker, name, self.namespace, **({"ack_timeout_ms": LONG} | fields))


class MaxDeliveries(TopicCase):
    def test_the_nth_failed_delivery_is_the_last(self):
        topic = self.new_topic(max_deliveries=3)
        poison = topic.publish("poison", headers={"kind": "bad"}, routing_key="k")
        for count in (1, 2, 3):
            message = topic.consume()[0]
            self.assertEqual(message["delivery_count"], count)
            answer = topic.nack([message["receipt"]])
            self.assertEqual((answer["returned"], answer["dead_lettered"]), (1, 0) if count < 3 else (0, 1))
        self.assertEqual(topic.consume(), [])
        self.assertEqual(topic.counts(), (0, 0, 0))
        self.assertEqual(topic.info()["dead"], 1)
        dead = topic.dead()[0]
        self.assertEqual((dead["id"], dead["payload"], dead["headers"], dead["routing_key"], dead["reason"], dead["delivery_count"]),
                         (poison, "poison", {"kind": "bad"}, "k", "max_deliveries", 3))
        self.assertAlmostEqual(dead["dead_at"] / 1e9, time.time(), delta=120)
        self.assertGreaterEqual(dead["dead_at"], dead["timestamp"])

    def test_a_timeout_counts(self):
        topic = self.new_topic(max_deliveries=1)
        one, two = topic.fill([1, 2])
        topic.consume(lease_ms=500)
        wait_until(lambda: topic.info()["dead"] == 1, "the only delivery times out")
        self.assertEqual([(m["id"], m["reason"]) for m in topic.dead()], [(one, "max_deliveries")])
        self.assertEqual(ids(topic.peek()), [two])

    def test_the_end_of_a_subscription_counts(self):
        topic = self.new_topic(max_deliveries=1)
        published = topic.fill(range(3))
        with topic.subscribe(query="?max_in_flight=2") as subscription:
            self.assertEqual(ids(subscription.take(2)), published[:2])
        wait_until(lambda: topic.info()["dead"] == 2, "what the consumer left is dead")
        self.assertEqual(sorted(ids(topic.dead())), published[:2])
        self.assertEqual(topic.counts(), (1, 0, 0))

    def test_a_nack_with_a_delay_counts(self):
        topic = self.new_topic(max_deliveries=1)
        topic.publish(1)
        answer = topic.nack(ids(topic.consume()), delay_ms=LONG)
        self.assertEqual((answer["returned"], answer["dead_lettered"]), (0, 1))
        self.assertEqual(topic.counts(), (0, 0, 0))

    def test_an_ack_in_time_is_no_failure(self):
        topic = self.new_topic(max_deliveries=1)
        topic.publish(1)
        topic.ack(receipts(topic.consume()))
        self.assertEqual((topic.info()["dead"], topic.dead()), (0, []))

    def test_zero_never_dead_letters(self):
        topic = self.new_topic(max_deliveries=0)
        topic.publish(1)
        for count in range(1, 31):
            message = topic.consume()[0]
            self.assertEqual(message["delivery_count"], count)
            topic.nack([message["id"]])
        self.assertEqual(topic.info()["dead"], 0)

    def test_dead_letters_cannot_be_acked_nacked_or_consumed(self):
        topic = self.new_topic(max_deliveries=1)
        poison = topic.publish(1)
        topic.nack(ids(topic.consume()))
        self.assertEqual(topic.ack([poison])["unknown"], [poison])
        self.assertEqual(topic.nack([poison])["unknown"], [poison])
        self.assertEqual(topic.info()["dead"], 1)


class Handling(TopicCase):
    def dead_topic(self, number, **fields):
        topic = self.new_topic(max_deliveries=1, **fields)
        published = topic.fill(range(number))
        taken = topic.consume_any(number) if fields.get("queue_count", 1) > 1 else topic.consume(batch_size=number)
        self.assertEqual(topic.nack(ids(taken))["dead_lettered"], number)
        return topic, published

    def test_the_list_takes_a_limit(self):
        topic, published = self.dead_topic(12)
        self.assertEqual(len(topic.ok("GET", "/dead")), 10)
        self.assertEqual(ids(topic.dead(3)), published[:3])
        self.assertEqual(ids(topic.dead(1000)), published)
        for query in ("limit=0", "limit=-1", "limit=x", "limit=1001"):
            self.assert_error(topic.call("GET", f"/dead?{query}"), "INVALID_ARGUMENT", "limit")

    def test_redrive_of_all_lets_the_count_start_anew(self):
        topic, published = self.dead_topic(4)
        self.assertEqual(topic.ok("POST", "/dead/redrive"), {"redriven": 4})
        self.assertEqual(topic.info()["dead"], 0)
        again = topic.consume(batch_size=10)
        self.assertEqual((ids(again), payloads(again)), (published, [0, 1, 2, 3]))
        self.assertEqual({m["delivery_count"] for m in again}, {1})
        self.assertEqual(topic.ok("POST", "/dead/redrive", {}), {"redriven": 0})

    def test_redrive_by_id(self):
        topic, published = self.dead_topic(4)
        answer = topic.ok("POST", "/dead/redrive", {"message_ids": [published[2], UNKNOWN_ID, "x", published[0], published[0]]})
        self.assertEqual(answer["redriven"], 2)
        self.assertEqual(sorted(ids(topic.dead())), sorted([published[1], published[3]]))
        self.assertEqual(sorted(ids(topic.consume(batch_size=9))), sorted([published[0], published[2]]))
        self.assertEqual(topic.ok("POST", "/dead/redrive", {"message_ids": []})["redriven"], 0)
        self.assertEqual(topic.info()["dead"], 2)

    def test_redriven_messages_fail_again_after_n_deliveries(self):
        topic, published = self.dead_topic(1)
        topic.ok("POST", "/dead/redrive")
        topic.nack(ids(topic.consume()))
        self.assertEqual(ids(topic.dead()), published)

    def test_an_expired_message_that_is_redriven_can_be_consumed(self):
        topic = self.new_topic()
        expired = topic.publish(1, ttl_ms=300)
        wait_until(lambda: topic.info()["dead"] == 1, "it expires")
        topic.ok("POST", "/dead/redrive")
        self.assertEqual(ids(topic.consume(wait_ms=5000)), [expired])

    def test_redrive_wakes_a_long_poll_of_any_queue(self):
        topic, published = self.dead_topic(1, queue_count=3)
        waiter = InBackground(topic.consume, 2, wait_ms=60_000)
        topic.wait_for_consumers(1)
        topic.ok("POST", "/dead/redrive")
        self.assertEqual(ids(waiter.result()), published)

    def test_purge(self):
        topic, _ = self.dead_topic(5, queue_count=2)
        topic.publish("stays")
        self.assertEqual(topic.ok("DELETE", "/dead"), {"purged": 5})
        self.assertEqual((topic.info()["dead"], topic.dead(), topic.total()), (0, [], 1))
        self.assertEqual(topic.ok("DELETE", "/dead"), {"purged": 0})

    def test_missing_topics_are_not_found(self):
        topic = self.new_topic()
        for method, path in (("GET", "/dead"), ("DELETE", "/dead"), ("POST", "/dead/redrive")):
            self.assert_error(self.broker.request(method, topic.path + "x" + path), "NOT_FOUND", "ordersx")


class TopicLimits(TopicCase):
    def test_max_length_rejects(self):
        topic = self.new_topic(max_length=3)
        topic.fill(range(3))
        self.assert_error(topic.call("POST", "/publish", {"payload": 1}), "RESOURCE_EXHAUSTED", "orders")
        topic.ack(ids(topic.consume()))
        topic.publish(3)
        self.assertEqual(payloads(topic.consume(batch_size=9)), [1, 2, 3])

    def test_a_batch_stops_at_the_limit(self):
        topic = self.new_topic(max_length=3)
        answers = topic.ok("POST", "/publish_batch", {"messages": [{"payload": i} for i in range(5)]})
        self.assertEqual([a.get("code") for a in answers], [None, None, None, "RESOURCE_EXHAUSTED", "RESOURCE_EXHAUSTED"])
        self.assertEqual(payloads(topic.peek()), [0, 1, 2])

    def test_the_limit_counts_the_whole_topic_leased_and_delayed_included(self):
        topic = self.new_topic(max_length=4, queue_count=4)
        topic.publish(0, queue_id=0)
        topic.publish(1, queue_id=1, delay_ms=LONG)
        topic.fill([2, 3], queue_id=2)
        topic.consume(2)
        for queue in range(4):
            self.assert_error(topic.call("POST", "/publish", {"payload": 1, "queue_id": queue}), "RESOURCE_EXHAUSTED")
        self.assertEqual(topic.total() + topic.total("leased") + topic.total("delayed"), 4)

    def test_dead_letters_do_not_count(self):
        topic = self.new_topic(max_length=1, max_deliveries=1)
        topic.publish(1)
        topic.nack(ids(topic.consume()))
        topic.publish(2)
        self.assertEqual((topic.info()["dead"], topic.counts()), (1, (1, 0, 0)))

    def test_max_bytes_rejects_and_counts_what_goes(self):
        topic = self.new_topic(max_bytes=10_000)
        text = "x" * 3000
        topic.fill([text] * 3)
        self.assert_error(topic.call("POST", "/publish", {"payload": text}), "RESOURCE_EXHAUSTED", "orders")
        topic.consume(auto_ack=True)
        topic.publish(text)
        self.assertGreaterEqual(topic.total("bytes"), 9000)
        self.assertLessEqual(topic.total("bytes"), 10_000)

    def test_room_made_by_an_answered_request_can_be_used_at_once(self):
        topic = self.new_topic(max_length=1)
        makes_room = (lambda: topic.consume(auto_ack=True), lambda: topic.ack(ids(topic.consume())),
                      lambda: topic.ok("DELETE", "/queues/0/messages"))
        for _ in range(20):
            for make_room in makes_room:
                topic.publish(1)
                make_room()

    def test_drop_oldest_moves_the_oldest_to_the_dead_letters(self):
        topic = self.new_topic(max_length=3, overflow="drop_oldest")
        published = topic.fill(range(5))
        self.assertEqual(ids(topic.peek()), published[2:])
        self.assertEqual([(m["id"], m["reason"]) for m in topic.dead()], [(i, "overflow") for i in published[:2]])
        sixth = topic.publish(5)
        self.assertEqual(ids(topic.consume(batch_size=9)), [*published[3:], sixth])

    def test_drop_oldest_by_bytes(self):
        topic = self.new_topic(max_bytes=10_000, overflow="drop_oldest")
        published = [topic.publish(str(i) + "x" * 3000) for i in range(5)]
        self.assertEqual(ids(topic.peek()), published[2:])
        self.assertEqual(sorted(ids(topic.dead())), published[:2])

    def test_drop_oldest_holds_for_the_whole_topic(self):
        topic = self.new_topic(max_length=4, overflow="drop_oldest", queue_count=4)
        published = [topic.publish(i, queue_id=queue) for i, queue in enumerate((1, 1, 0, 3, 0, 0, 2, 0, 0, 3))]
        self.assertEqual(topic.total(), 4)
        self.assertEqual(sorted(ids(topic.dead())), published[:6])
        left = [m["id"] for queue in range(4) for m in topic.peek(queue)]
        self.assertEqual(sorted(left), published[6:])

    def test_what_is_larger_than_the_topic_may_be_is_refused(self):
        topic = self.new_topic(max_bytes=100, overflow="drop_oldest")
        kept = topic.publish("a")
        self.assert_error(topic.call("POST", "/publish", {"payload": "x" * 200}), "RESOURCE_EXHAUSTED", "max_bytes")
        self.assertEqual((ids(topic.peek()), topic.dead()), ([kept], []))

    def test_drop_oldest_takes_delayed_messages_too(self):
        for limit in ({"max_length": 3}, {"max_bytes": 20}):
            with self.subTest(**limit):
                topic = self.new_topic("-".join(limit), overflow="drop_oldest", queue_count=2, **limit)
                published = [topic.publish("12345", delay_ms=LONG) for _ in range(20)]
                left = [m["id"] for queue in range(2) for m in topic.peek(queue, state="delayed")]
                self.assertEqual(len(left), 3 if "max_length" in limit else 2)
                self.assertEqual(sorted(left), published[-len(left):])
                self.assertEqual(sorted(m["id"] for m in topic.ok("GET", "/dead?limit=100")), published[:-len(left)])
                now = topic.publish("54321")
                self.assertEqual(sorted(m["id"] for m in topic.ok("GET", "/dead?limit=100")), published[:1 - len(left)])
                self.assertIn(now, [m["id"] for queue in range(2) for m in topic.peek(queue)])

    def test_drop_oldest_finds_what_is_delayed_in_a_queue_where_nothing_waits(self):
        topic = self.new_topic(max_length=4, overflow="drop_oldest", queue_count=2, steal="off")
        delayed = [topic.publish(n, queue_id=1, delay_ms=LONG) for n in range(3)]
        topic.info()
        for n in range(10):
            topic.publish(n, queue_id=0)
            topic.consume(0, auto_ack=True)
        kept = topic.fill("ab", queue_id=0)
        self.assertEqual((ids(topic.dead()), ids(topic.peek(0))), (delayed[:1], kept))

    def test_drop_oldest_never_takes_a_leased_message(self):
        topic = self.new_topic(max_length=2, overflow="drop_oldest")
        first, second = topic.fill([1, 2])
        held = topic.consume()
        third = topic.publish(3)
        self.assertEqual(ids(topic.peek(state="leased")), [first])
        self.assertEqual(ids(topic.dead()), [second])
        self.assertEqual(ids(topic.peek()), [third])
        self.assertEqual(topic.ack(receipts(held))["acknowledged"], 1)

    def test_a_lowered_limit_refuses_the_next_publish(self):
        topic = self.new_topic()
        topic.fill(range(5))
        topic.ok("PATCH", "", {"max_length": 2})
        self.assert_error(topic.call("POST", "/publish", {"payload": 1}), "RESOURCE_EXHAUSTED")
        self.assertEqual(topic.total(), 5)
        topic.ok("PATCH", "", {"max_length": 0})
        topic.publish(1)

    def test_a_refused_publish_leaves_no_trace(self):
        topic = self.new_topic(max_length=1)
        topic.publish(1)
        topic.call("POST", "/publish", {"payload": 2})
        self.assertEqual(topic_metric(topic, "mqlite_messages_published_total"), 1)


class MaxMemory(BrokerCase):
    def test_it_refuses_publishes_and_nothing_else(self):
        broker = self.start_broker("--limits.max_memory", "2MB")
        topic = Topic.create(broker, ack_timeout_ms=LONG)
        text = "x" * 100_000
        stored = []
        for _ in range(60):
            answer = topic.call("POST", "/publish", {"payload": text})
            if answer.status != 200:
                break
            stored.append(answer.data["message_id"])
        self.assert_error(answer, "RESOURCE_EXHAUSTED")
        self.assertGreater(len(stored), 5)
        self.assertLessEqual(memory_of(broker)["message_bytes"], 2 << 20)
        Topic.create(broker, "other")
        self.assertEqual(ids(topic.peek(limit=2)), stored[:2])
        held = topic.consume(batch_size=1000)
        self.assertEqual(ids(held), stored)
        self.assertEqual(topic.call("POST", "/publish", {"payload": text}).status, 429)
        self.assertEqual(topic.ack(receipts(held))["acknowledged"], len(stored))
        topic.publish(text)

    def test_the_size_of_one_message_is_limited(self):
        broker = self.start_broker("--limits.max_message_bytes", "1KB")
        topic = Topic.create(broker)
        self.assert_error(topic.call("POST", "/publish", {"payload": "x" * 1100}), "TOO_LARGE")
        self.assert_error(topic.call("POST", "/publish", {"payload": 1, "headers": {"h": "x" * 1100}}), "TOO_LARGE")
        self.assert_error(topic.call("POST", "/publish", {"payload": 1, "routing_key": "x" * 1100}), "TOO_LARGE")
        many = topic.ok("POST", "/publish_batch", {"messages": [{"payload": "x" * 900}, {"payload": "x" * 1100}] * 3})
        self.assertEqual([m.get("code") for m in many], [None, "TOO_LARGE"] * 3)
        topic.ok("POST", "/publish", {"payload_base64": base64.b64encode(b"\xff" * 1024).decode()})
        self.assert_error(topic.call("POST", "/publish", {"payload_base64": base64.b64encode(b"\xff" * 1025).decode()}),
                          "TOO_LARGE")
        self.assertEqual(topic.total(), 4)


class Restart(BrokerCase):
    def test_dead_letters_and_limits_survive_a_kill(self):
        broker = self.start_broker()
        topic = Topic.create(broker, queue_count=2, max_deliveries=1, max_length=5, overflow="drop_oldest", ack_timeout_ms=LONG)
        failed = topic.publish("failed", headers={"a": "b"}, queue_id=0)
        topic.nack(ids(topic.consume()))
        short = topic.publish("short", ttl_ms=100, queue_id=1)
        wait_until(lambda: topic.info()["dead"] == 2, "both are dead")
        published = topic.fill(range(6), queue_id=0)
        before = topic.dead()
        self.assertEqual([(m["id"], m["reason"]) for m in before],
                         [(failed, "max_deliveries"), (short, "expired"), (published[0], "overflow")])
        broker.kill()
        broker.start()
        self.assertEqual(topic.dead(), before)
        self.assertEqual(ids(topic.peek()), published[1:])
        topic.ok("PATCH", "", {"max_length": 0})
        topic.ok("POST", "/dead/redrive", {"message_ids": [failed]})
        broker.kill()
        broker.start()
        self.assertEqual(ids(topic.dead()), [short, published[0]])
        topic.ok("DELETE", "/dead")
        broker.kill()
        broker.start()
        self.assertEqual((topic.dead(), topic.info()["dead"]), ([], 0))
        again = {m["id"]: m["delivery_count"] for m in topic.consume_any(100)}
        self.assertEqual(again.get(failed, 1), 1)

    def test_a_queue_that_is_full_after_a_restart_is_full(self):
        broker = self.start_broker()
        topic = Topic.create(broker, max_length=3)
        topic.fill(range(3))
        topic.consume(lease_ms=LONG)
        broker.kill()
        broker.start()
        self.assertEqual(topic.call("POST", "/publish", {"payload": 1}).status, 429)


if __name__ == "__main__":
    unittest.main()
