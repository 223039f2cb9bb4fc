"""Stealing, resizing, rebalancing: messages that move between queues."""

from delivery import InBackground
from door import Refused
from harness import fnv1a_32, wait_until
from scenario import Scenario, numbers, payloads


class Stealing(Scenario):
    def test_a_consume_of_an_empty_queue_takes_half_of_the_busiest_sibling_from_its_tail(self):
        topic = self.topic(queue_count=3)
        topic.fill(numbers(3, 100), queue_id=1)
        topic.fill(numbers(7), queue_id=2)
        got = topic.consume(0, batch_size=100)
        self.assertEqual([(m.payload, m.queue_id, m.delivery_count) for m in got], [(n, 0, 1) for n in numbers(4, 3)])
        self.assertEqual([topic.counts(q) for q in range(3)], [(0, 4, 0), (3, 0, 0), (3, 0, 0)])
        self.assertEqual(payloads(topic.consume(2, batch_size=100)), numbers(3))

    def test_the_last_message_is_taken_too(self):
        topic = self.topic(queue_count=2)
        topic.publish(b"x", queue_id=1)
        self.assertEqual([(m.payload, m.queue_id) for m in topic.consume(0)], [(b"x", 0)])

    def test_a_waiting_consumer_takes_what_arrives_elsewhere(self):
        topic = self.topic(queue_count=4)
        waiting = InBackground(topic.through(self.open_another()).consume, 0, wait_ms=60_000)
        wait_until(lambda: topic.total("consumers") == 1, "somebody waits")
        topic.publish(b"x", queue_id=3)
        self.assertEqual(payloads(waiting.result()), [b"x"])

    def test_a_subscription_takes_what_arrives_elsewhere(self):
        topic = self.topic(queue_count=2)
        subscription = self.subscribed(topic, 0, max_in_flight=100)
        topic.fill(numbers(9), queue_id=1)
        self.assertEqual(sorted(payloads(subscription.take(9))), numbers(9))

    def test_leased_and_delayed_messages_never_move(self):
        topic = self.topic(queue_count=2)
        topic.fill(numbers(2), queue_id=1)
        topic.publish(queue_id=1, delay_ms=60_000)
        topic.consume(1, batch_size=2)
        self.assertEqual(topic.consume(0, batch_size=10), [])
        self.assertEqual(topic.counts(1), (0, 2, 1))

    def test_nothing_is_taken_where_it_is_switched_off(self):
        topic = self.topic(queue_count=2, steal="off")
        topic.fill(numbers(4), queue_id=1)
        self.assertEqual(topic.consume(0, batch_size=10), [])
        topic.update_topic(steal="half")
        self.assertEqual(payloads(topic.consume(0, batch_size=10)), numbers(2, 2))

    def test_what_moved_is_found_by_its_id(self):
        topic = self.topic(queue_count=2)
        published = topic.fill(numbers(2), queue_id=1)
        message, = topic.consume(0)
        self.assertEqual((message.id, message.queue_id), (published[1], 0))
        self.assertEqual(topic.ack(published, queue_id=1), (2, [], [], 0))
        self.assertEqual(topic.total() + topic.total("leased"), 0)


class Resizing(Scenario):
    def test_growing_is_immediate(self):
        topic = self.topic(queue_count=1)
        topic.publish()
        self.assertEqual(topic.resize_topic(3), (3, 2, False))
        self.assertEqual(self.door.list_topics(self.namespace), [("orders", 3, 2)])
        self.assertEqual({topic.publish().queue_id for _ in range(3)}, {0, 1, 2})
        self.assertEqual(topic.publish(routing_key="user-1").queue_id, fnv1a_32("user-1") % 3)
        self.assertEqual(topic.publish(queue_id=2).queue_id, 2)

    def test_shrinking_moves_what_is_left_to_the_others(self):
        topic = self.topic(queue_count=4)
        topic.fill(numbers(40))
        answer = topic.resize_topic(2)
        self.assertEqual((answer.new_queue_count, answer.version), (2, 2))
        self.refused("NOT_FOUND", topic.publish, queue_id=2, words=["queue 2", "2 queues"])
        self.refused("NOT_FOUND", topic.publish, queue_id=3)
        self.assertEqual({topic.publish(b"more").queue_id for _ in range(4)}, {0, 1})
        self.assertEqual(topic.publish(b"more", routing_key="k").queue_id, fnv1a_32("k") % 2)
        wait_until(lambda: len(topic.info().queues) == 2, "the last queues are gone")
        self.assertEqual(self.door.list_topics(self.namespace), [("orders", 2, 2)])
        self.refused("NOT_FOUND", topic.consume, 2)
        got = topic.consume(0, batch_size=100) + topic.consume(1, batch_size=100)
        self.assertEqual(sorted(payloads(got)), sorted(numbers(40) + [b"more"] * 5))

    def test_leases_are_kept_by_a_shrink(self):
        topic = self.topic(queue_count=2)
        topic.publish(b"x", queue_id=1)
        message, = topic.consume(1)
        topic.resize_topic(1)
        wait_until(lambda: len(topic.info().queues) == 1, "the last queue is gone")
        self.assertEqual(topic.counts(), (0, 1, 0))
        # Who consumed from it may go on to name it.
        self.assertEqual(topic.ack([message.receipt], queue_id=1), (1, [], [], 0))

    def test_one_resize_at_a_time(self):
        topic = self.topic(queue_count=3)
        topic.fill(numbers(9))
        topic.consume(2)  # a lease keeps its queue until drain_timeout
        self.assertTrue(topic.resize_topic(1).draining)
        try:
            topic.resize_topic(5)
            self.assertEqual(topic.info().queue_count, 5)  # the drain was over already
        except Refused as why:
            self.assertEqual((why.code, topic.info().queue_count), ("FAILED_PRECONDITION", 1))

    def test_counts_out_of_range_are_refused(self):
        topic = self.topic(queue_count=2)
        for count in (-1, 0, 1025):
            with self.subTest(count=count):
                self.refused("INVALID_ARGUMENT", topic.resize_topic, count, words=["new_queue_count"])
        self.assertEqual(self.door.list_topics(self.namespace), [("orders", 2, 1)])

    def test_rebalancing_deals_what_waits_evenly(self):
        topic = self.topic(queue_count=3)
        topic.fill(numbers(30), queue_id=1)
        topic.rebalance_topic()
        wait_until(lambda: [q.ready for q in topic.info().queues] == [10, 10, 10], "all have the same")
        got = [topic.consume(q, batch_size=10) for q in range(3)]
        self.assertEqual(sorted(payloads(sum(got, []))), sorted(numbers(30)))
