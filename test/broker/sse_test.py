"""Subscriptions by server-sent events: what they bring, their window, their end, and readers that do not read."""

import base64
import json
import unittest

from delivery import Topic, ids, memory_of, payloads, receipts, sanitized
from harness import BrokerCase, SharedBrokerCase, wait_until
from http_clients import RawConnection

LONG = 600_000


class TopicCase(SharedBrokerCase):
    def new_topic(self, name="orders", **fields):
        return Topic.create(self.broker, name, self.namespace, **({"ack_timeout_ms": LONG} | fields))

    def subscribe(self, topic, queue=0, query="", **options):
        subscription = topic.subscribe(queue, query, **options)
        self.addCleanup(subscription.close)
        return subscription


class Stream(TopicCase):
    def test_events_carry_name_id_and_message(self):
        topic = self.new_topic()
        published = topic.publish({"a": [1, None]}, headers={"h": "v"}, routing_key="k")
        subscription = self.subscribe(topic)
        self.assertEqual(subscription.status, 200)
        self.assertTrue(subscription.headers["content-type"].startswith("text/event-stream"))
        event = subscription.next()
        self.assertEqual((event.name, event.id), ("message", published))
        message = dict(event.data)
        self.assertEqual(message, topic.peek(state="leased")[0])
        self.assertGreater(message.pop("timestamp"), 0)
        self.assertEqual(message, {"id": published, "namespace": self.namespace, "topic": "orders", "queue_id": 0,
                                   "payload": {"a": [1, None]}, "headers": {"h": "v"}, "routing_key": "k",
                                   "delivery_count": 1, "receipt": published + "#1"})
        later = topic.publish(2)
        self.assertEqual(subscription.next().id, later)

    def test_payloads_come_byte_for_byte(self):
        topic = self.new_topic()
        spelled = ['{"a" :  1.50, "b":1e3}', '"\\u00e9 \\n"', "12345678901234567890123", "[ ]", "null", '"é\u2028"', "-0.0"]
        for text in spelled:
            body = ('{"payload":%s}' % text).encode()
            self.assertEqual(self.broker.post(topic.path + "/publish", body).status, 200)
        binary = bytes(range(256))
        topic.ok("POST", "/publish", {"payload_base64": base64.b64encode(binary).decode()})
        topic.ok("POST", "/publish", {"payload_base64": base64.b64encode(b"{\n \"a\":\r\n1}").decode()})
        topic.ok("POST", "/publish", {"payload_base64": ""})
        subscription = self.subscribe(topic)
        for text in spelled:
            self.assertIn(f'"payload":{text},', subscription.next().text)
        self.assertEqual(base64.b64decode(subscription.next().data["payload_base64"]), binary)
        self.assertEqual(self.json_of(subscription.next().data), {"a": 1})
        self.assertEqual(subscription.next().data["payload_base64"], "")
        last = topic.publish("end")
        self.assertEqual(subscription.next().id, last)

    @staticmethod
    def json_of(message):
        """JSON with line ends in it must not break the framing, in whichever of the two fields it comes."""
        return message["payload"] if "payload" in message else json.loads(base64.b64decode(message["payload_base64"]))

    def test_it_brings_messages_in_order(self):
        topic = self.new_topic()
        subscription = self.subscribe(topic, query="?auto_ack=true")
        for begin in range(0, 2000, 500):
            topic.fill(range(begin, begin + 500))
        self.assertEqual(payloads(subscription.take(2000)), list(range(2000)))

    def test_bad_queries_and_places_are_refused(self):
        topic = self.new_topic(queue_count=2)
        for query in ("max_in_flight=0", "max_in_flight=-1", "max_in_flight=x", "max_in_flight=99999999999999999999",
                      "auto_ack=maybe"):
            for place in ("/queues/0", ""):
                self.assert_error(topic.call("GET", f"{place}/subscribe?{query}"), "INVALID_ARGUMENT", query.split("=")[0])
        self.assert_error(topic.call("GET", "/queues/2/subscribe"), "NOT_FOUND", "queue 2")
        self.assert_error(self.broker.get(topic.path + "x/subscribe"), "NOT_FOUND", "ordersx")


class Window(TopicCase):
    def test_no_more_than_max_in_flight_is_out_and_acks_refill_it(self):
        topic = self.new_topic()
        published = topic.fill(range(20))
        subscription = self.subscribe(topic, query="?max_in_flight=4")
        first = subscription.take(4)
        self.assertIsNone(subscription.next(timeout=0.3))
        self.assertEqual(topic.counts(), (16, 4, 0))
        topic.ack(receipts(first[:3]))
        second = subscription.take(3)
        self.assertIsNone(subscription.next(timeout=0.3))
        self.assertEqual(ids(first + second), published[:7])
        self.assertEqual(topic.counts(), (13, 4, 0))

    def test_the_default_window_is_256(self):
        topic = self.new_topic()
        topic.fill(range(300))
        subscription = self.subscribe(topic)
        held = subscription.take(256)
        self.assertIsNone(subscription.next(timeout=0.3))
        topic.ack(ids(held))
        subscription.take(44)

    def test_a_nack_gives_the_message_again(self):
        topic = self.new_topic()
        topic.fill([1, 2])
        subscription = self.subscribe(topic, query="?max_in_flight=1")
        first = subscription.take(1)
        topic.nack(receipts(first))
        again = subscription.take(1)
        self.assertEqual((ids(again), again[0]["delivery_count"]), (ids(first), 2))

    def test_a_lease_that_ends_frees_the_window(self):
        topic = self.new_topic(ack_timeout_ms=1000)
        published = topic.publish(1)
        subscription = self.subscribe(topic, query="?max_in_flight=1")
        for count in (1, 2, 3):
            message = subscription.take(1)[0]
            self.assertEqual((message["id"], message["delivery_count"]), (published, count))

    def test_auto_ack_needs_no_window(self):
        topic = self.new_topic()
        topic.fill(range(500))
        subscription = self.subscribe(topic, query="?auto_ack=True&max_in_flight=3")
        self.assertEqual(payloads(subscription.take(500)), list(range(500)))
        topic.wait_for_counts((0, 0, 0))

    def test_an_ack_through_another_queue_of_the_topic_refills_it(self):
        topic = self.new_topic(queue_count=2)
        topic.fill(range(3), queue_id=0)
        subscription = self.subscribe(topic, query="?max_in_flight=1")
        for expected in range(3):
            message = subscription.take(1)[0]
            self.assertEqual(message["payload"], expected)
            self.assertEqual(topic.ack([message["receipt"]], queue=1)["acknowledged"], 1)

    def test_a_purge_refills_it(self):
        topic = self.new_topic()
        topic.fill(range(2))
        subscription = self.subscribe(topic, query="?max_in_flight=2")
        subscription.take(2)
        purged = topic.ok("DELETE", "/queues/0/messages")["purged"]
        topic.ack(ids(topic.peek(state="leased")))
        self.assertIn(purged, (0, 2))
        topic.publish("next")
        self.assertEqual(payloads(subscription.take(1)), ["next"])


class End(TopicCase):
    def test_what_was_not_acked_returns_to_the_front_at_once(self):
        topic = self.new_topic()
        published = topic.fill(range(10))
        subscription = self.subscribe(topic, query="?max_in_flight=5")
        held = subscription.take(5)
        topic.ack(receipts(held[1:2]))
        subscription.take(1)
        subscription.close()
        topic.wait_for_counts((9, 0, 0))
        again = topic.consume(batch_size=20)
        self.assertEqual(ids(again), [published[0], *published[2:]])
        self.assertEqual([m["delivery_count"] for m in again], [2] * 5 + [1] * 4)

    def test_what_was_pulled_stays_leased_when_a_subscription_ends(self):
        topic = self.new_topic()
        topic.fill(range(3))
        pulled = topic.consume()
        with topic.subscribe(query="?max_in_flight=1") as subscription:
            subscription.take(1)
        topic.wait_for_counts((2, 1, 0))
        self.assertEqual(ids(topic.peek(state="leased")), ids(pulled))

    def test_unread_messages_are_not_lost(self):
        topic = self.new_topic()
        published = topic.fill(["x" * 20_000 + str(i) for i in range(400)])
        subscription = self.subscribe(topic, query="?max_in_flight=1000", small_window=True)
        subscription.take(3)
        subscription.close()
        topic.wait_for_counts((400, 0, 0))
        self.assertEqual(ids(topic.consume(batch_size=400)), published)

    def test_auto_ack_loses_nothing_that_was_not_written(self):
        topic = self.new_topic()
        published = topic.fill(["x" * 100_000 + str(i) for i in range(100)])
        subscription = self.subscribe(topic, query="?auto_ack=true", small_window=True)
        subscription.take(3)
        subscription.close()
        topic.wait_for_consumers(0)
        wait_until(lambda: topic.counts()[1] == 0, "nothing is leased")
        left = ids(topic.consume(batch_size=100))
        self.assertEqual(left, published[len(published) - len(left):])
        # The kernel's buffers take some megabytes at most; the rest was never written.
        self.assertGreater(len(left), 10)

    def test_consumers_are_counted(self):
        topic = self.new_topic(queue_count=2)
        first, second = self.subscribe(topic, 0), self.subscribe(topic, 1)
        topic.wait_for_consumers(2)
        self.assertEqual([q["consumers"] for q in topic.info()["queues"]], [1, 1])
        first.close()
        topic.wait_for_consumers(1)
        second.close()
        topic.wait_for_consumers(0)

    def test_a_deleted_topic_ends_the_stream(self):
        topic = self.new_topic(queue_count=2)
        streams = [self.subscribe(topic), self.subscribe(topic, None)]
        topic.wait_for_consumers(2)
        topic.ok("DELETE", "")
        for stream in streams:
            while stream.next() is not None:
                pass
            self.assertTrue(stream.ended)


class Sharing(TopicCase):
    def test_two_subscribers_share_a_queue(self):
        topic = self.new_topic()
        first = self.subscribe(topic, query="?max_in_flight=5")
        second = self.subscribe(topic, query="?max_in_flight=5")
        topic.wait_for_consumers(2)
        published = topic.fill(range(10))
        both = ids(first.take(5)) + ids(second.take(5))
        self.assertEqual(sorted(both), sorted(published))

    def test_a_topic_subscription_lives_by_stealing(self):
        topic = self.new_topic(queue_count=4)
        published = topic.fill(range(8), queue_id=3)
        subscription = self.subscribe(topic, None)
        got = subscription.take(8)
        published += [topic.publish(i, queue_id=i) for i in range(4)]
        got += subscription.take(4)
        self.assertEqual(sorted(ids(got)), sorted(published))
        topic.ack(receipts(got))
        self.assertEqual(topic.total("leased"), 0)

    def test_a_topic_subscription_attaches_where_the_fewest_consumers_are(self):
        topic = self.new_topic(queue_count=3)
        for queue in (0, 2):
            self.subscribe(topic, queue)
        topic.wait_for_consumers(2)
        self.subscribe(topic, None)
        topic.wait_for_consumers(3)
        self.assertEqual([q["consumers"] for q in topic.info()["queues"]], [1, 1, 1])

    def test_topic_subscriptions_that_come_at_once_are_dealt_out_evenly(self):
        topic = self.new_topic(queue_count=4)
        streams = [RawConnection(self.broker.port) for _ in range(16)]
        for stream in streams:
            self.addCleanup(stream.close)
            stream.send(f"GET {topic.path}/subscribe HTTP/1.1\r\nHost: test\r\n\r\n")
        topic.wait_for_consumers(16)
        self.assertEqual([q["consumers"] for q in topic.info()["queues"]], [4, 4, 4, 4])

    def test_a_topic_subscription_needs_stealing(self):
        topic = self.new_topic(queue_count=2, steal="off")
        self.assert_error(topic.call("GET", "/subscribe"), "FAILED_PRECONDITION", "orders")
        self.assertEqual(self.subscribe(topic, 1).status, 200)


class SlowReaders(BrokerCase):
    def test_a_subscriber_that_never_reads_costs_no_memory_beyond_its_messages(self):
        broker = self.start_broker("--persistence.enabled", "false")
        topic = Topic.create(broker, ack_timeout_ms=LONG)
        idle = memory_of(broker)["resident_bytes"]
        with topic.subscribe(query="?max_in_flight=100000", small_window=True), \
                topic.subscribe(query="?auto_ack=true", small_window=True):
            text = "x" * 100_000
            with broker.client() as client:
                for _ in range(20):
                    body = {"messages": [{"payload": text}] * 100}
                    self.assertEqual(client.request("POST", topic.path + "/publish_batch", body).status, 200)
            memory = memory_of(broker)
            # 200 MB are queued, and may be held once; what waits for two sockets is bounded.
            self.assertGreater(memory["message_bytes"], 150_000_000)
            if not sanitized():
                self.assertLess(memory["resident_bytes"] - idle, memory["message_bytes"] * 1.3 + 64_000_000)
            ready, leased, _ = topic.counts()
            self.assertGreater(ready, 1500, "what a socket does not take stays in the queue")
            other = topic.consume(batch_size=5, auto_ack=True)
            self.assertEqual(len(other), 5)
            neighbour = Topic.create(broker, "neighbour")
            with neighbour.subscribe() as reader:
                neighbour.publish("hello")
                self.assertEqual(payloads(reader.take(1)), ["hello"])
            topic.ok("DELETE", "/queues/0/messages")

    def test_a_slow_reader_gets_everything_in_order(self):
        broker = self.start_broker()
        topic = Topic.create(broker, ack_timeout_ms=LONG)
        subscription = topic.subscribe(query="?auto_ack=true", small_window=True)
        self.addCleanup(subscription.close)
        for part in range(10):
            topic.fill([f"{part * 100 + i}:" + "x" * 20_000 for i in range(100)])
        for expected in range(1000):
            self.assertEqual(subscription.take(1)[0]["payload"].split(":")[0], str(expected))


class Shutdown(BrokerCase):
    def test_streams_end_with_the_event_shutdown(self):
        broker = self.start_broker()
        topic = Topic.create(broker, queue_count=2)
        published = topic.publish(1)
        streams = [topic.subscribe(), topic.subscribe(1), topic.subscribe(None)]
        topic.wait_for_consumers(3)
        wait_until(lambda: topic.total("leased") == 1, "one of them has the message")
        broker.ask_to_stop()
        for stream in streams:
            names = []
            while (event := stream.next()) is not None:
                names.append(event.name)
            self.assertTrue(stream.ended)
            self.assertEqual(names[-1:], ["shutdown"])
            stream.close()
        self.assertEqual(broker.wait_for_exit(), 0)
        broker.start()
        wait_until(lambda: topic.total("ready") == 1, "the pushed message is back")
        self.assertEqual(ids(topic.consume_any()), [published])

    def test_an_unread_stream_does_not_hold_up_the_stop(self):
        broker = self.start_broker("--shutdown_timeout", "2s")
        topic = Topic.create(broker, ack_timeout_ms=LONG)
        topic.fill(["x" * 100_000] * 100)
        subscription = topic.subscribe(small_window=True)
        self.addCleanup(subscription.close)
        wait_until(lambda: topic.counts()[1] > 0, "it is served")
        self.assertEqual(broker.terminate(30), 0)
        broker.start()
        wait_until(lambda: topic.counts() == (100, 0, 0), "all are back")

    def test_after_a_kill_what_was_pushed_is_delivered_again(self):
        broker = self.start_broker()
        topic = Topic.create(broker, ack_timeout_ms=LONG)
        published = topic.fill(range(5))
        subscription = topic.subscribe(query="?max_in_flight=3")
        self.addCleanup(subscription.close)
        held = subscription.take(3)
        topic.ack(receipts(held[:1]))
        subscription.take(1)
        broker.kill()
        broker.start()
        topic.wait_for_counts((4, 0, 0))
        again = topic.consume(batch_size=9)
        self.assertEqual(ids(again), published[1:])
        self.assertEqual([m["delivery_count"] for m in again], [2, 2, 2, 1])


if __name__ == "__main__":
    unittest.main()
