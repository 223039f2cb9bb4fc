"""Stealing: what moves, what stays, who triggers it, what it costs, and that no message is doubled or lost."""

import threading
import time
import unittest

from delivery import InBackground, Topic, cpu_seconds, ids, payloads, receipts, topic_metric
from harness import BrokerCase, SharedBrokerCase, wait_until

LONG = 600_000


class TopicCase(SharedBrokerCase):
    def new_topic(self, name="orders", **fields):
        return Topic.create(self.broker, name, self.namespace, **({"ack_timeout_ms": LONG} | fields))


class WhatMoves(TopicCase):
    def test_an_empty_queue_takes_the_larger_half_of_the_busiest_from_its_tail(self):
        for waiting in (1, 2, 7, 10):
            topic = self.new_topic(f"t{waiting}", queue_count=4)
            topic.fill(["other"] * (waiting - 1), queue_id=1) if waiting > 1 else None
            topic.fill(range(waiting), queue_id=2)
            stays = waiting // 2
            self.assertEqual(payloads(topic.consume(0)), [stays])
            self.assertEqual(payloads(topic.peek(2)), list(range(stays)))
            self.assertEqual(payloads(topic.peek(0)), list(range(stays + 1, waiting)))
            self.assertEqual(topic.counts(1), (waiting - 1, 0, 0))
            self.assertEqual(topic_metric(topic, "mqlite_steals_total"), 1)
            self.assertEqual(topic_metric(topic, "mqlite_messages_stolen_total"), waiting - stays)

    def test_stolen_messages_keep_everything_but_their_queue(self):
        topic = self.new_topic(queue_count=2)
        published = topic.publish({"a": 1}, queue_id=1, headers={"h": "v"}, routing_key="k")
        before = topic.peek(1)[0]
        message = topic.consume(0)[0]
        self.assertEqual((message["id"], message["queue_id"], message["delivery_count"]), (published, 0, 1))
        changed = {"queue_id", "delivery_count", "receipt"}
        self.assertEqual({k: v for k, v in message.items() if k not in changed},
                         {k: v for k, v in before.items() if k not in changed})

    def test_counts_of_returned_messages_move_with_them(self):
        topic = self.new_topic(queue_count=2)
        topic.publish(1, queue_id=1)
        topic.nack(ids(topic.consume(1)), queue=1)
        self.assertEqual(topic.consume(0)[0]["delivery_count"], 2)

    def test_a_batch_is_filled_from_what_was_stolen(self):
        topic = self.new_topic(queue_count=2)
        topic.fill(range(10), queue_id=1)
        self.assertEqual(payloads(topic.consume(0, 10)), [5, 6, 7, 8, 9])
        self.assertEqual(payloads(topic.peek(1)), [0, 1, 2, 3, 4])

    def test_leased_and_delayed_messages_never_move(self):
        topic = self.new_topic(queue_count=3)
        topic.fill(range(5), queue_id=1)
        topic.publish("later", queue_id=1, delay_ms=LONG)
        held = topic.consume(1, 5)
        self.assertEqual(topic.consume(0, 10), [])
        self.assertEqual([topic.counts(0), topic.counts(1)], [(0, 0, 0), (0, 5, 1)])
        self.assertEqual(topic.ack(receipts(held), queue=1)["acknowledged"], 5)

    def test_a_queue_with_something_to_give_does_not_steal(self):
        topic = self.new_topic(queue_count=2)
        topic.fill([1], queue_id=0)
        topic.fill(range(10), queue_id=1)
        self.assertEqual(payloads(topic.consume(0, 5)), [1])
        self.assertEqual(topic.counts(1), (10, 0, 0))

    def test_steal_off_means_off(self):
        topic = self.new_topic(queue_count=2, steal="off")
        topic.fill(range(10), queue_id=1)
        self.assertEqual(topic.consume(0), [])
        self.assertEqual(topic.consume(0, wait_ms=300), [])
        self.assertEqual(topic.counts(1), (10, 0, 0))
        topic.ok("PATCH", "", {"steal": "half"})
        self.assertEqual(payloads(topic.consume(0)), [5])
        topic.ok("PATCH", "", {"steal": "off"})
        topic.consume(0, 10)
        self.assertEqual(topic.consume(0), [])

    def test_repeated_steals_drain_a_sibling(self):
        topic = self.new_topic(queue_count=2)
        published = topic.fill(range(100), queue_id=1)
        got = []
        while messages := topic.consume(0, 100, auto_ack=True):
            got += ids(messages)
        self.assertEqual(sorted(got), published)

    def test_topics_never_steal_from_each_other(self):
        one, two = self.new_topic("one", queue_count=2), self.new_topic("two", queue_count=2)
        two.fill(range(5))
        self.assertEqual(one.consume(0, 10), [])
        self.assertEqual(two.total(), 5)


class WhoTriggers(TopicCase):
    def test_a_long_poll_steals_what_is_there_and_what_comes(self):
        topic = self.new_topic(queue_count=3)
        topic.fill([1], queue_id=2)
        self.assertEqual(payloads(topic.consume(0, wait_ms=60_000)), [1])
        waiter = InBackground(topic.consume, 0, wait_ms=60_000)
        topic.wait_for_consumers(1)
        topic.fill([2], queue_id=1)
        self.assertEqual(payloads(waiter.result()), [2])

    def test_a_long_poll_that_waited_long_still_steals(self):
        topic = self.new_topic(queue_count=2)
        waiter = InBackground(topic.consume, 0, wait_ms=60_000)
        waiter.join(3)
        topic.fill([1], queue_id=1)
        self.assertEqual(payloads(waiter.result()), [1])

    def test_what_a_sibling_gets_back_or_due_wakes_too(self):
        topic = self.new_topic(queue_count=2)
        topic.fill([1], queue_id=1)
        held = topic.consume(1)
        waiter = InBackground(topic.consume, 0, wait_ms=60_000)
        topic.wait_for_consumers(1)
        topic.nack(ids(held), queue=1)
        self.assertEqual(payloads(waiter.result()), [1])
        waiter = InBackground(topic.consume, 0, wait_ms=60_000)
        topic.wait_for_consumers(1)
        topic.publish(2, queue_id=1, delay_ms=300)
        self.assertEqual(payloads(waiter.result()), [2])
        topic.publish(3, queue_id=1)
        topic.consume(1, lease_ms=1000)
        self.assertEqual(payloads(topic.consume(0, wait_ms=60_000)), [3])

    def test_a_subscriber_steals_from_every_sibling_again_and_again(self):
        topic = self.new_topic(queue_count=4)
        with topic.subscribe(0) as subscription:
            topic.wait_for_consumers(1)
            for value in range(40):
                topic.publish(value, queue_id=value % 4)
                self.assertEqual(payloads(subscription.take(1)), [value])

    def test_a_subscriber_steals_what_came_while_it_was_busy(self):
        topic = self.new_topic(queue_count=4)
        with topic.subscribe(0) as subscription:
            topic.wait_for_consumers(1)
            for _ in range(20):
                for queue in range(4):
                    topic.publish(queue, queue_id=queue)
                self.assertEqual(sorted(payloads(subscription.take(4))), [0, 1, 2, 3])

    def test_a_subscriber_with_a_full_window_does_not_steal(self):
        topic = self.new_topic(queue_count=2)
        topic.fill([1, 2], queue_id=0)
        with topic.subscribe(0, "?max_in_flight=2") as subscription:
            held = subscription.take(2)
            topic.fill(range(10), queue_id=1)
            self.assertIsNone(subscription.next(timeout=0.5))
            self.assertEqual(topic.counts(1), (10, 0, 0))
            topic.ack(ids(held))
            subscription.take(2)

    def test_two_starving_queues_do_not_pass_messages_to_and_fro(self):
        topic = self.new_topic(queue_count=4)
        waiters = [InBackground(topic.consume, queue, wait_ms=60_000) for queue in (0, 1, 2, 3)]
        topic.wait_for_consumers(4)
        topic.fill(range(4), queue_id=0)
        self.assertEqual(sorted(payloads(waiter.result())[0] for waiter in waiters), [0, 1, 2, 3])


class Crowd(BrokerCase):
    def test_each_of_20000_messages_of_one_queue_is_handled_once_by_eight_consumers(self):
        broker = self.start_broker()
        topic = Topic.create(broker, queue_count=8, ack_timeout_ms=LONG)
        counts, stop, handled = [0] * 8, threading.Event(), [[] for _ in range(8)]

        def work(queue):
            with broker.client() as client:
                while not stop.is_set():
                    messages = client.request("POST", f"{topic.path}/queues/{queue}/consume",
                                              {"batch_size": 50, "wait_ms": 500}).data
                    if messages:
                        answer = client.request("POST", f"{topic.path}/queues/{queue}/ack",
                                                {"message_ids": receipts(messages)}).data
                        counts[queue] += answer["acknowledged"]
                        handled[queue] += [(m["id"], m["delivery_count"]) for m in messages]

        workers = [InBackground(work, queue) for queue in range(8)]
        published = []
        for begin in range(0, 20_000, 2_000):
            published += topic.fill(range(begin, begin + 2_000), queue_id=5)
        wait_until(lambda: sum(counts) >= 20_000 or not all(w.is_alive() for w in workers), "all are handled", 200)
        stop.set()
        for worker in workers:
            worker.result()
        every = [item for items in handled for item in items]
        self.assertEqual(sorted(every), [(i, 1) for i in sorted(published)])
        self.assertEqual(sum(counts), 20_000)
        self.assertTrue(all(counts), f"every consumer has had work: {counts}")
        self.assertEqual((topic.total(), topic.total("leased")), (0, 0))
        self.assertGreater(topic_metric(topic, "mqlite_steals_total"), 7)

    def test_waiting_consumers_of_empty_topics_use_no_processor_time(self):
        broker = self.start_broker()
        topics = [Topic.create(broker, f"t{i}", queue_count=10) for i in range(10)]
        waiters = [InBackground(topic.call, "POST", f"/queues/{queue}/consume", {"wait_ms": 60_000})
                   for topic in topics for queue in range(10)]
        for topic in topics:
            topic.wait_for_consumers(10)
        time.sleep(0.5)
        before, refused = cpu_seconds(broker), sum(topic_metric(t, "mqlite_steal_refusals_total") for t in topics)
        time.sleep(2)
        used = cpu_seconds(broker) - before
        self.assertLess(used, 0.4, "processor seconds in two seconds of waiting")
        more = sum(topic_metric(t, "mqlite_steal_refusals_total") for t in topics) - refused
        self.assertLess(more, 1000, "each of 100 queues asks now and then at most")
        for topic in topics:
            topic.ok("DELETE", "")
        for waiter in waiters:
            waiter.result()

    def test_no_message_is_lost_or_doubled_by_a_kill_during_stealing(self):
        broker = self.start_broker()
        topic = Topic.create(broker, queue_count=8, ack_timeout_ms=LONG)
        published, acked = [], set()
        for round_number in range(3):
            published += topic.fill(range(3_000), queue_id=round_number)
            self.kill_under_load(broker, topic, acked, len(acked) + 500)
            broker.start()
            where = {}
            for queue in range(8):
                ready, leased, delayed = topic.counts(queue)
                seen = ids(topic.peek(queue)) + ids(topic.peek(queue, "leased"))
                if ready <= 1000 and leased <= 1000:
                    self.assertEqual(len(seen), ready + leased + delayed)
                for message_id in seen:
                    self.assertNotIn(message_id, where, f"in queues {where.get(message_id)} and {queue}")
                    where[message_id] = queue
            self.assertFalse(set(where) & acked, "an acked message is back")
            self.return_leased(topic)
        rest = []
        while messages := topic.consume_any(10_000, auto_ack=True):
            rest += ids(messages)
        self.assertEqual(len(rest), len(set(rest)))
        self.assertFalse(set(rest) & acked)
        lost = set(published) - set(rest) - acked - self.unsure
        self.assertFalse(lost, f"{len(lost)} of {len(published)} are lost")

    def setUp(self):
        # Acks that were sent but not answered when the broker was killed.
        self.unsure = set()

    @staticmethod
    def return_leased(topic):
        for queue in range(8):
            while held := topic.peek(queue, "leased"):
                topic.nack(ids(held), queue=queue)

    def kill_under_load(self, broker, topic, acked, goal):
        guard = threading.Lock()

        def work(queue):
            with broker.client() as client:
                while True:
                    messages = client.request("POST", f"{topic.path}/queues/{queue}/consume", {"batch_size": 3}).data
                    names = ids(messages)
                    with guard:
                        self.unsure.update(names)
                    client.request("POST", f"{topic.path}/queues/{queue}/ack", {"message_ids": names})
                    with guard:
                        self.unsure.difference_update(names)
                        acked.update(names)

        workers = [InBackground(work, queue) for queue in range(8)]
        wait_until(lambda: len(acked) >= goal, "enough are acked")
        broker.kill()
        for worker in workers:
            with self.assertRaises(Exception):
                worker.result()


if __name__ == "__main__":
    unittest.main()
