"""Growing, shrinking and rebalancing a topic while it is in use."""

import unittest

from delivery import InBackground, Topic, ids, payloads, receipts
from harness import BrokerCase, SharedBrokerCase, wait_until

LONG = 600_000


def resize(topic, count):
    return topic.ok("PUT", "/resize", {"new_queue_count": count})


def wait_for_queues(topic, count):
    """Until the drain is over."""
    wait_until(lambda: len(topic.info()["queues"]) == count, f"{count} queues are left")


def everything(topic):
    """Ids of all that waits, is leased or delayed, queue by queue; fails when one is there twice."""
    found = []
    for queue in topic.info()["queues"]:
        for state in ("ready", "leased", "delayed"):
            found += ids(topic.peek(queue["queue_id"], state))
    assert len(found) == len(set(found)), "a message is in two places"
    return sorted(found)


class TopicCase(SharedBrokerCase):
    FLAGS = ("--drain_timeout", "1s")

    def new_topic(self, name="orders", **fields):
        return Topic.create(self.broker, name, self.namespace, **({"ack_timeout_ms": LONG} | fields))


class Growing(TopicCase):
    def test_it_is_immediate(self):
        topic = self.new_topic(queue_count=2)
        kept = topic.fill(range(4), queue_id=1)
        answer = resize(topic, 5)
        self.assertEqual(answer, {"new_queue_count": 5, "version": 2, "draining": False})
        info = topic.info()
        self.assertEqual((info["queue_count"], info["version"], len(info["queues"])), (5, 2, 5))
        listed = self.broker.ok("GET", f"/v1/namespaces/{self.namespace}/topics")
        self.assertEqual(listed, [{"name": "orders", "queue_count": 5, "version": 2}])
        topic.publish("new", queue_id=4)
        self.assertEqual(payloads(topic.consume(4)), ["new"])
        self.assertEqual(ids(topic.peek(1)), kept)

    def test_round_robin_and_keys_use_the_new_queues(self):
        topic = self.new_topic(queue_count=1)
        resize(topic, 4)
        for value in range(8):
            topic.publish(value)
        self.assertEqual([topic.counts(queue)[0] for queue in range(4)], [2, 2, 2, 2])
        placed = {topic.ok("POST", "/publish", {"payload": 1, "routing_key": f"k{i}"})["queue_id"] for i in range(100)}
        self.assertEqual(placed, {0, 1, 2, 3})

    def test_waiting_consumers_go_on_waiting(self):
        topic = self.new_topic(queue_count=1)
        waiter = InBackground(topic.consume, 0, wait_ms=60_000)
        topic.wait_for_consumers(1)
        resize(topic, 3)
        topic.publish(1, queue_id=2)
        self.assertEqual(payloads(waiter.result()), [1])

    def test_resize_to_the_same_size_changes_nothing(self):
        topic = self.new_topic(queue_count=3)
        answer = resize(topic, 3)
        self.assertEqual((answer["new_queue_count"], answer["draining"]), (3, False))
        self.assertEqual(topic.info()["version"], answer["version"])
        self.assertEqual(topic.info()["queue_count"], 3)

    def test_bad_sizes_are_refused(self):
        topic = self.new_topic(queue_count=3)
        for count in (0, -1, 1025, 2**31, 2**63, "4", 1.5, None, True, []):
            self.assert_error(topic.call("PUT", "/resize", {"new_queue_count": count}), "INVALID_ARGUMENT", "new_queue_count")
        self.assert_error(topic.call("PUT", "/resize", {}), "INVALID_ARGUMENT", "new_queue_count")
        self.assert_error(topic.call("PUT", "/resize"), "INVALID_ARGUMENT")
        self.assert_error(self.broker.request("PUT", topic.path + "x/resize", {"new_queue_count": 2}), "NOT_FOUND", "ordersx")
        info = topic.info()
        self.assertEqual((info["queue_count"], info["version"]), (3, 1))

    def test_the_largest_size_works(self):
        topic = self.new_topic()
        resize(topic, 1024)
        topic.publish(1, queue_id=1023)
        self.assertEqual(topic.counts(1023), (1, 0, 0))
        self.assert_error(topic.call("POST", "/publish", {"payload": 1, "queue_id": 1024}), "NOT_FOUND", "1024 queues")


class Shrinking(TopicCase):
    def test_an_empty_topic_shrinks(self):
        topic = self.new_topic(queue_count=4)
        answer = resize(topic, 2)
        self.assertEqual((answer["new_queue_count"], answer["version"]), (2, 2))
        wait_for_queues(topic, 2)
        info = topic.info()
        self.assertEqual((info["queue_count"], info["version"]), (2, 2))
        self.assert_error(topic.call("POST", "/queues/2/consume", {}), "NOT_FOUND", "queue 2", "2 queues")
        resize(topic, 3)
        self.assertEqual(topic.info()["version"], 3)

    def test_what_is_left_moves_to_the_others_exactly_once(self):
        topic = self.new_topic(queue_count=4)
        published = [topic.fill([f"{queue}:{i}" for i in range(10)], queue_id=queue) for queue in range(4)]
        held = topic.consume(3, 4)
        later = topic.publish("later", queue_id=2, delay_ms=LONG)
        everyone = sorted(sum(published, [later]))
        self.assertTrue(resize(topic, 2)["draining"])
        wait_for_queues(topic, 2)
        self.assertEqual(everything(topic), everyone)
        self.assertEqual(topic.total("delayed"), 1)
        # Acks by the old queue's number: that queue is gone, the ids are found through one that is there.
        self.assertEqual(topic.ack(receipts(held[:1]), queue=0)["acknowledged"], 1)
        answer = topic.ack(ids(held[1:]), queue=1)
        self.assertEqual(answer["acknowledged"], 3)
        rest = []
        while messages := topic.consume_any(100, auto_ack=True):
            rest += ids(messages)
        self.assertEqual(sorted([*rest, later, *ids(held)]), everyone)

    def test_the_order_within_what_moves_is_kept(self):
        topic = self.new_topic(queue_count=2)
        topic.fill(range(50), queue_id=1)
        resize(topic, 1)
        wait_for_queues(topic, 1)
        self.assertEqual(payloads(topic.consume(0, 100)), list(range(50)))

    def test_leases_that_move_still_end_and_count(self):
        topic = self.new_topic(queue_count=2)
        published = topic.publish(1, queue_id=1)
        held = topic.consume(1, lease_ms=3000)
        resize(topic, 1)
        wait_for_queues(topic, 1)
        again = topic.consume(0, wait_ms=60_000)
        self.assertEqual((ids(again), again[0]["delivery_count"]), ([published], 2))
        self.assertEqual(topic.ack(receipts(held))["stale"], receipts(held))

    def test_rebalance_and_steal_off_do_not_hinder_it(self):
        topic = self.new_topic(queue_count=3, steal="off")
        published = topic.fill(range(9), queue_id=2)
        resize(topic, 1)
        wait_for_queues(topic, 1)
        self.assertEqual(sorted(ids(topic.consume(0, 100))), published)

    def test_consumers_of_a_dropped_queue_end(self):
        topic = self.new_topic(queue_count=2)
        stream = topic.subscribe(1)
        self.addCleanup(stream.close)
        waiter = InBackground(topic.call, "POST", "/queues/1/consume", {"wait_ms": 60_000})
        topic.wait_for_consumers(2)
        resize(topic, 1)
        wait_for_queues(topic, 1)
        self.assertIn(waiter.result(40).status, (200, 404))
        while stream.next(40) is not None:
            pass
        self.assertTrue(stream.ended, "a stream of a queue that is gone ends")

    def test_publishing_and_consuming_go_on_while_it_shrinks_and_grows(self):
        topic = self.new_topic(queue_count=6)
        published, handled = [], []

        def publish():
            with self.broker.client() as client:
                for value in range(600):
                    answer = client.request("POST", topic.path + "/publish", {"payload": value, "routing_key": str(value)})
                    self.assertEqual(answer.status, 200, answer)
                    published.append(answer.data["message_id"])

        def consume():
            with self.broker.client() as client:
                while len(handled) < 600 or publisher.is_alive():
                    answer = client.request("POST", topic.path + "/consume", {"batch_size": 20, "wait_ms": 300})
                    self.assertEqual(answer.status, 200, answer)
                    if messages := answer.data:
                        acked = client.request("POST", topic.path + "/queues/0/ack", {"message_ids": receipts(messages)})
                        self.assertEqual(acked.data["acknowledged"], len(messages), acked)
                        handled.extend(ids(messages))

        publisher = InBackground(publish)
        consumer = InBackground(consume)
        for count in (2, 8, 1, 5):
            resize(topic, count)
            wait_for_queues(topic, count)
        publisher.result()
        consumer.result()
        self.assertEqual(sorted(handled), sorted(published))


class Draining(SharedBrokerCase):
    # Long enough that a drain is still on when the tests look.
    FLAGS = ("--drain_timeout", "600s")

    def draining_topic(self, **fields):
        """Three queues of three messages each, of which the last two drain."""
        topic = Topic.create(self.broker, "orders", self.namespace, queue_count=3, ack_timeout_ms=LONG, **fields)
        self.published = [topic.fill([f"{queue}:{i}" for i in range(3)], queue_id=queue) for queue in range(3)]
        answer = resize(topic, 1)
        self.assertEqual(answer, {"new_queue_count": 1, "version": 2, "draining": True})
        return topic

    def test_publishes_by_id_are_not_found_and_routed_ones_avoid_it(self):
        topic = self.draining_topic()
        for queue in (1, 2):
            self.assert_error(topic.call("POST", "/publish", {"payload": 1, "queue_id": queue}), "NOT_FOUND", f"queue {queue}")
        for value in range(6):
            self.assertEqual(topic.ok("POST", "/publish", {"payload": value})["queue_id"], 0)
            routed = topic.ok("POST", "/publish", {"payload": value, "routing_key": str(value)})
            self.assertEqual(routed["queue_id"], 0)

    def test_the_size_that_will_be_is_shown_and_another_resize_refused(self):
        topic = self.draining_topic()
        info = topic.info()
        self.assertEqual((info["queue_count"], info["version"]), (1, 2))
        for count in (2, 3, 5):
            self.assert_error(topic.call("PUT", "/resize", {"new_queue_count": count}), "FAILED_PRECONDITION", "orders")
        self.assertEqual(topic.info()["version"], 2)

    def test_consumers_empty_it_and_then_it_goes(self):
        topic = self.draining_topic(steal="off")
        for queue in (2, 1):
            messages = topic.consume(queue, 10)
            self.assertEqual(ids(messages), self.published[queue])
            self.assertEqual(topic.ack(receipts(messages), queue=queue)["acknowledged"], 3)
        wait_for_queues(topic, 1)
        self.assertEqual(ids(topic.peek(0)), self.published[0])
        resize(topic, 2)

    def test_consume_from_any_queue_drains_too(self):
        topic = self.draining_topic()
        got = []
        while messages := topic.consume_any(2):
            got += ids(messages)
            self.assertEqual(topic.ack(receipts(messages))["acknowledged"], len(messages))
        self.assertEqual(sorted(got), sorted(sum(self.published, [])))
        wait_for_queues(topic, 1)

    def test_the_queues_that_stay_steal_from_it(self):
        topic = self.draining_topic()
        got = []
        while messages := topic.consume(0, 10, auto_ack=True):
            got += ids(messages)
        self.assertEqual(sorted(got), sorted(sum(self.published, [])))
        wait_for_queues(topic, 1)

    def test_it_never_steals_itself(self):
        topic = self.draining_topic()
        topic.consume(2, 10)
        topic.fill(range(20), queue_id=0)
        self.assertEqual(len(topic.consume(2, 10)), 0)
        self.assertEqual(topic.counts(0)[0], 23)

    def test_a_draining_topic_can_be_deleted(self):
        topic = self.draining_topic()
        topic.ok("DELETE", "")
        self.assertEqual(topic.call("GET", "").status, 404)


class Rebalancing(TopicCase):
    def test_it_deals_the_waiting_messages_evenly(self):
        topic = self.new_topic(queue_count=4)
        published = topic.fill(range(41), queue_id=1)
        held = topic.consume(1, 3)
        topic.publish("later", queue_id=1, delay_ms=LONG)
        topic.ok("POST", "/rebalance")
        wait_until(lambda: topic.total() == 38, "all are there")
        waiting = [topic.counts(queue)[0] for queue in range(4)]
        self.assertEqual(sorted(waiting), [9, 9, 10, 10])
        self.assertEqual(topic.counts(1)[1:], (3, 1))
        self.assertEqual(sorted(i for queue in range(4) for i in ids(topic.peek(queue))), published[3:])
        self.assertEqual(topic.ack(receipts(held), queue=1)["acknowledged"], 3)

    def test_order_within_a_queue_stays_the_order_of_publishing(self):
        topic = self.new_topic(queue_count=3)
        topic.fill(range(30), queue_id=2)
        topic.ok("POST", "/rebalance")
        for queue in range(3):
            found = payloads(topic.peek(queue))
            self.assertEqual(found, sorted(found))

    def test_it_works_with_steal_off_and_on_an_empty_topic(self):
        topic = self.new_topic(queue_count=2, steal="off")
        topic.ok("POST", "/rebalance")
        topic.fill(range(10), queue_id=0)
        topic.ok("POST", "/rebalance")
        self.assertEqual([topic.counts(0)[0], topic.counts(1)[0]], [5, 5])

    def test_a_missing_topic_is_not_found(self):
        self.assert_error(self.broker.post("/v1/namespaces/none/topics/x/rebalance"), "NOT_FOUND", "none")


class Restart(BrokerCase):
    def test_a_kill_in_the_middle_of_a_drain_loses_and_doubles_nothing(self):
        broker = self.start_broker("--drain_timeout", "600s")
        topic = Topic.create(broker, queue_count=4, ack_timeout_ms=LONG)
        published = [i for queue in range(4) for i in topic.fill(range(10), queue_id=queue)]
        published.append(topic.publish("later", queue_id=3, delay_ms=LONG))
        held = topic.consume(3, 2)
        resize(topic, 2)
        broker.kill()
        broker.flags = ["--drain_timeout", "1s"]
        broker.start()
        info = topic.info()
        self.assertEqual((info["queue_count"], info["version"]), (2, 2))
        wait_for_queues(topic, 2)
        self.assertEqual(everything(topic), sorted(published))
        self.assertEqual(topic.ack(receipts(held))["acknowledged"], 2)
        self.assert_error(topic.call("POST", "/publish", {"payload": 1, "queue_id": 2}), "NOT_FOUND")

    def test_sizes_versions_and_moves_survive_a_kill(self):
        broker = self.start_broker("--drain_timeout", "1s")
        topic = Topic.create(broker, queue_count=2, ack_timeout_ms=LONG)
        published = sorted(topic.fill(range(20), queue_id=1))
        resize(topic, 4)
        topic.ok("POST", "/rebalance")
        resize(topic, 3)
        wait_for_queues(topic, 3)
        before = [sorted(ids(topic.peek(queue))) for queue in range(3)]
        broker.kill()
        broker.start()
        info = topic.info()
        self.assertEqual((info["queue_count"], info["version"], len(info["queues"])), (3, 3, 3))
        self.assertEqual([sorted(ids(topic.peek(queue))) for queue in range(3)], before)
        self.assertEqual(everything(topic), published)
        self.assertEqual(resize(topic, 1)["version"], 4)

    def test_what_moved_is_where_it_was_after_a_kill_and_known_by_its_old_queue(self):
        broker = self.start_broker("--drain_timeout", "1s")
        topic = Topic.create(broker, queue_count=3, ack_timeout_ms=LONG)
        topic.fill(range(10))
        held = topic.consume(2)
        resize(topic, 1)
        wait_for_queues(topic, 1)
        topic.publish("later")
        order = ids(topic.peek())
        self.assertEqual(len(order), 10)
        for restart in range(3):
            with self.subTest(restart=restart):
                broker.kill()
                broker.start()
                self.assertEqual(ids(topic.peek()), order)
                self.assertEqual(topic.ok("POST", "/queues/2/extend", {"message_ids": receipts(held), "lease_ms": LONG})["extended"], 1)
                self.assert_error(topic.call("POST", "/queues/3/ack", {"message_ids": receipts(held)}), "NOT_FOUND")
                if restart == 1:
                    broker.ok("POST", "/v1/admin/rewrite")
                    wait_until(lambda: broker.ok("GET", "/v1/stats")["log"]["rewrite"]["succeeded"] == 1, "the log is rewritten")
        self.assertEqual(topic.ok("POST", "/queues/2/ack", {"message_ids": receipts(held)})["acknowledged"], 1)


if __name__ == "__main__":
    unittest.main()
