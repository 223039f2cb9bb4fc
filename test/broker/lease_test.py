"""Leases, receipts, acks, nacks and long polls, as one consumer after another sees them."""

import select
import time
import unittest

from delivery import UNKNOWN_ID, InBackground, Topic, ids, payloads, receipts
from harness import RawConnection, SharedBrokerCase, wait_until

# An end that no test waits for, and one that each test may wait for, in milliseconds.
LONG = 600_000
SHORT = 2_000


class TopicCase(SharedBrokerCase):
    def new_topic(self, name="orders", **fields):
        return Topic.create(self.broker, name, self.namespace, **({"ack_timeout_ms": LONG} | fields))


class Redelivery(TopicCase):
    def test_a_timeout_returns_messages_to_the_front_in_their_old_order_with_a_higher_count(self):
        topic = self.new_topic()
        published = topic.fill(range(6))
        first = topic.consume(batch_size=3, lease_ms=SHORT)
        self.assertEqual([m["delivery_count"] for m in first], [1, 1, 1])
        topic.wait_for_counts((6, 0, 0))
        self.assertEqual(ids(topic.peek()), published)
        again = topic.consume(batch_size=10)
        self.assertEqual(ids(again), published)
        self.assertEqual([m["delivery_count"] for m in again], [2, 2, 2, 1, 1, 1])

    def test_the_topics_ack_timeout_holds_when_consume_names_no_lease(self):
        topic = self.new_topic(ack_timeout_ms=SHORT)
        topic.fill([1])
        begin = time.monotonic()
        topic.consume()
        topic.wait_for_counts((1, 0, 0))
        self.assertGreater(time.monotonic() - begin, SHORT / 1000 * 0.9)

    def test_a_receipt_of_an_older_delivery_is_stale_and_changes_nothing(self):
        topic = self.new_topic()
        topic.fill([1])
        old = topic.consume()[0]
        topic.nack([old["id"]])
        nothing = {"unknown": [], "stale": [old["receipt"]]}
        new = topic.consume()[0]
        self.assertEqual(new["receipt"], f"{old['id']}#2")
        self.assertEqual(topic.ack([old["receipt"]]), {"acknowledged": 0} | nothing)
        refused = topic.nack([old["receipt"]])
        self.assertEqual((refused["returned"], refused["stale"]), (0, [old["receipt"]]))
        self.assertEqual(topic.extend([old["receipt"]], LONG), {"extended": 0} | nothing)
        self.assertEqual(topic.counts(), (0, 1, 0))
        self.assertEqual(topic.ack([new["receipt"]]), {"acknowledged": 1, "unknown": [], "stale": []})
        self.assertEqual(topic.counts(), (0, 0, 0))

    def test_what_is_no_id_of_this_topic_comes_back_as_unknown_exactly_as_sent(self):
        topic = self.new_topic()
        topic.fill([1])
        message = topic.consume()[0]
        other = Topic.create(self.broker, "other", self.namespace)
        foreign = other.publish(1)
        strange = [foreign, UNKNOWN_ID, UNKNOWN_ID + "#1", "", "x", "ü\"\n", "#", message["id"] + "#", message["id"] + "#x",
                   message["id"] + "#-1", message["id"] + "#1#1", message["id"][:-1], " " + message["id"]]
        answer = topic.ack(strange)
        self.assertEqual(answer["acknowledged"], 0)
        self.assertEqual(answer["unknown"], strange)
        self.assertEqual(topic.nack(strange)["unknown"], strange)
        self.assertEqual(topic.extend(strange, LONG)["unknown"], strange)
        self.assertEqual(topic.counts(), (0, 1, 0))
        self.assertEqual(other.counts(), (1, 0, 0))

    def test_a_late_ack_by_id_removes_a_message_that_waits_again(self):
        topic = self.new_topic()
        first, second = topic.fill([1, 2])
        topic.consume(lease_ms=SHORT)
        topic.wait_for_counts((2, 0, 0))
        self.assertEqual(topic.ack([first]), {"acknowledged": 1, "unknown": [], "stale": []})
        self.assertEqual(ids(topic.consume(batch_size=10)), [second])

    def test_a_receipt_is_good_until_the_next_delivery(self):
        topic = self.new_topic()
        topic.fill([1])
        held = topic.consume()
        topic.nack(ids(held))
        self.assertEqual(topic.ack(receipts(held))["acknowledged"], 1)
        self.assertEqual(topic.counts(), (0, 0, 0))

    def test_an_id_repeated_in_one_request_counts_once(self):
        topic = self.new_topic()
        topic.fill([1, 2])
        one, two = topic.consume(batch_size=2)
        answer = topic.ack([one["id"], one["id"], one["receipt"]])
        self.assertEqual(answer, {"acknowledged": 1, "unknown": [one["id"], one["receipt"]], "stale": []})
        self.assertEqual(topic.counts(), (0, 1, 0))
        self.assertEqual(topic.extend([two["id"], two["receipt"]], LONG), {"extended": 1, "unknown": [], "stale": []})
        answer = topic.nack([two["id"], two["receipt"]])
        self.assertEqual((answer["returned"], answer["unknown"], answer["stale"]), (1, [], [two["receipt"]]))
        self.assertEqual(topic.counts(), (1, 0, 0))

    def test_repeated_ids_among_others_in_any_order_count_once(self):
        topic = self.new_topic()
        topic.fill(range(6))
        held = receipts(topic.consume(batch_size=6))
        answer = topic.ack([held[i] for i in (3, 0, 5, 0, 1, 3, 4, 2, 5)])
        self.assertEqual(answer, {"acknowledged": 6, "unknown": [held[i] for i in (0, 3, 5)], "stale": []})

    def test_a_second_ack_is_unknown(self):
        topic = self.new_topic()
        topic.fill([1])
        message = topic.consume()[0]
        topic.ack([message["id"]])
        self.assertEqual(topic.ack([message["id"]]), {"acknowledged": 0, "unknown": [message["id"]], "stale": []})

    def test_acks_nacks_and_extends_find_messages_of_other_queues(self):
        topic = self.new_topic(queue_count=3)
        topic.fill([1, 2, 3], queue_id=2)
        one, two, three = topic.consume(2, 3)
        self.assertEqual(topic.ack([one["receipt"]], queue=0)["acknowledged"], 1)
        self.assertEqual(topic.extend([two["id"]], LONG, queue=1), {"extended": 1, "unknown": [], "stale": []})
        self.assertEqual(topic.nack([three["receipt"]], queue=0)["returned"], 1)
        self.assertEqual(topic.counts(2), (1, 1, 0))

    def test_one_request_may_mix_everything(self):
        topic = self.new_topic(queue_count=2)
        topic.fill([1, 2], queue_id=0)
        topic.fill([3], queue_id=1)
        one, two = topic.consume(0, 2)
        three = topic.consume(1)[0]
        topic.nack([two["id"]])
        topic.consume(0)
        answer = topic.ack([UNKNOWN_ID, three["receipt"], two["receipt"], one["id"], "no id"])
        self.assertEqual(answer, {"acknowledged": 2, "unknown": [UNKNOWN_ID, "no id"], "stale": [two["receipt"]]})

    def test_ack_needs_a_list_of_strings(self):
        topic = self.new_topic()
        for body in ({}, {"message_ids": None}, {"message_ids": "x"}, {"message_ids": [1]}, {"message_ids": [None]}, []):
            for verb in ("ack", "nack"):
                self.assert_error(topic.call("POST", f"/queues/0/{verb}", body), "INVALID_ARGUMENT")
        self.assertEqual(topic.ack([]), {"acknowledged": 0, "unknown": [], "stale": []})
        self.assert_error(topic.call("POST", "/queues/1/ack", {"message_ids": []}), "NOT_FOUND", 1, "orders")


class NackAndExtend(TopicCase):
    def test_nack_returns_to_the_front_in_the_old_order(self):
        topic = self.new_topic()
        published = topic.fill(range(5))
        held = topic.consume(batch_size=4)
        answer = topic.nack([held[2]["receipt"], held[0]["receipt"], held[3]["id"]])
        self.assertEqual((answer["returned"], answer["dead_lettered"]), (3, 0))
        self.assertEqual(ids(topic.peek()), [published[i] for i in (0, 2, 3, 4)])
        topic.nack([held[1]["id"]])
        self.assertEqual(ids(topic.consume(batch_size=5)), published)

    def test_nack_with_a_delay_hides_the_message_until_then(self):
        topic = self.new_topic()
        first, second = topic.fill([1, 2])
        topic.consume()
        topic.nack([first], delay_ms=SHORT)
        self.assertEqual(topic.counts(), (1, 0, 1))
        self.assertEqual(ids(topic.peek(state="delayed")), [first])
        self.assertEqual(ids(topic.consume(batch_size=5)), [second])
        self.assertEqual(topic.consume(), [])
        again = topic.consume(wait_ms=60_000)
        self.assertEqual((ids(again), again[0]["delivery_count"]), ([first], 2))

    def test_a_nack_wakes_a_long_poll(self):
        topic = self.new_topic()
        topic.fill([1])
        held = topic.consume()
        waiter = InBackground(topic.consume, wait_ms=60_000)
        topic.wait_for_consumers(1)
        topic.nack(ids(held))
        self.assertEqual(waiter.result()[0]["delivery_count"], 2)

    def test_nack_of_a_waiting_message_changes_nothing_of_its_count(self):
        topic = self.new_topic()
        waiting = topic.publish(1)
        topic.nack([waiting])
        self.assertEqual(topic.counts(), (1, 0, 0))
        self.assertEqual(topic.consume()[0]["delivery_count"], 1)

    def test_nack_refuses_a_bad_delay(self):
        topic = self.new_topic()
        held = topic.publish(1)
        topic.consume()
        for delay in (-1, "1", 1.5, True, 2**63):
            self.assert_error(topic.call("POST", "/queues/0/nack", {"message_ids": [held], "delay_ms": delay}),
                              "INVALID_ARGUMENT", "delay_ms")
        self.assertEqual(topic.counts(), (0, 1, 0))

    def test_extend_moves_a_leases_end_both_ways(self):
        topic = self.new_topic()
        topic.fill([1, 2])
        one, two = topic.consume(batch_size=2, lease_ms=2 * SHORT)
        self.assertEqual(topic.extend([one["receipt"]], LONG)["extended"], 1)
        topic.wait_for_counts((1, 1, 0))
        self.assertEqual(ids(topic.peek(state="leased")), [one["id"]])
        self.assertEqual(topic.extend([one["id"]], 1)["extended"], 1)
        topic.wait_for_counts((2, 0, 0))
        self.assertEqual(topic.extend([one["id"], two["receipt"]], LONG)["extended"], 0)

    def test_extend_needs_a_lease(self):
        topic = self.new_topic()
        topic.publish(1)
        held = ids(topic.consume())
        for lease in (0, -1, "1", 2**63):
            self.assert_error(topic.call("POST", "/queues/0/extend", {"message_ids": held, "lease_ms": lease}),
                              "INVALID_ARGUMENT")

    def test_an_extended_lease_keeps_its_count_and_receipt(self):
        topic = self.new_topic()
        topic.publish(1)
        held = topic.consume()[0]
        topic.extend([held["receipt"]], LONG)
        self.assertEqual(topic.peek(state="leased")[0]["receipt"], held["receipt"])
        self.assertEqual(topic.ack([held["receipt"]])["acknowledged"], 1)


class Consume(TopicCase):
    def test_auto_ack_leaves_nothing(self):
        topic = self.new_topic()
        topic.fill(range(3))
        self.assertEqual(payloads(topic.consume(batch_size=2, auto_ack=True)), [0, 1])
        self.assertEqual(topic.counts(), (1, 0, 0))

    def test_batch_sizes(self):
        topic = self.new_topic()
        topic.fill(range(10_000))
        topic.fill([10_000])
        self.assertEqual(payloads(topic.ok("POST", "/queues/0/consume", {})), [0])
        self.assertEqual(payloads(topic.ok("POST", "/queues/0/consume")), [1])
        self.assertEqual(payloads(topic.consume(batch_size=10_000)), list(range(2, 10_001)))
        for place in ("/queues/0/consume", "/consume"):
            for size in (0, -1, 10_001, "1", 1.5, True, [], 2**40):
                self.assert_error(topic.call("POST", place, {"batch_size": size}), "INVALID_ARGUMENT", "batch_size")
            for field, value in (("wait_ms", -1), ("wait_ms", 60_001), ("wait_ms", "1"), ("lease_ms", 0), ("lease_ms", -5),
                                 ("lease_ms", "x"), ("auto_ack", 1), ("auto_ack", "true")):
                self.assert_error(topic.call("POST", place, {field: value}), "INVALID_ARGUMENT", field)

    def test_a_body_that_is_no_object_is_refused(self):
        topic = self.new_topic()
        for body in ("[]", "1", "nul", "{", '{"batch_size":1}x'):
            self.assert_error(topic.call("POST", "/queues/0/consume", body), "INVALID_ARGUMENT")

    def test_missing_queues_topics_and_namespaces_are_named(self):
        topic = self.new_topic(queue_count=3)
        self.assert_error(topic.call("POST", "/queues/9/consume", {}), "NOT_FOUND", "queue 9", "orders", "3 queues")
        self.assert_error(self.broker.post(topic.path + "x/queues/0/consume", {}), "NOT_FOUND", "ordersx")
        self.assert_error(self.broker.post(topic.path + "x/consume", {}), "NOT_FOUND", "ordersx")

    def test_consume_from_any_queue_gathers_a_batch_most_waiting_first(self):
        topic = self.new_topic(queue_count=4)
        topic.fill(["a", "b"], queue_id=1)
        topic.fill(["c", "d", "e", "f"], queue_id=2)
        topic.fill(["g"], queue_id=3)
        self.assertEqual(payloads(topic.consume_any()), ["c"])
        self.assertEqual(payloads(topic.consume_any(4)), ["d", "e", "f", "a"])
        self.assertEqual(sorted(payloads(topic.consume_any(10))), ["b", "g"])
        self.assertEqual(topic.consume_any(10), [])

    def test_the_choice_of_the_queue_counts_what_was_answered_before(self):
        for round_number in range(5):
            topic = self.new_topic(f"t{round_number}", queue_count=3)
            topic.fill(range(5), queue_id=1)
            topic.fill(range(9), queue_id=2)
            topic.consume(2, 8)
            self.assertEqual(topic.consume_any()[0]["queue_id"], 1)

    def test_consume_from_any_queue_answers_with_each_messages_queue(self):
        topic = self.new_topic(queue_count=2)
        topic.fill([1], queue_id=1)
        message = topic.consume_any()[0]
        self.assertEqual(topic.counts(message["queue_id"]), (0, 1, 0))
        self.assertEqual(topic.ack([message["receipt"]], queue=message["queue_id"])["acknowledged"], 1)


class LongPoll(TopicCase):
    def test_it_ends_empty_after_its_wait(self):
        topic = self.new_topic(queue_count=2)
        for consume in (topic.consume, topic.consume_any):
            begin = time.monotonic()
            self.assertEqual(consume(wait_ms=SHORT), [])
            self.assertGreater(time.monotonic() - begin, 0.9)
        topic.wait_for_consumers(0)

    def test_it_returns_when_something_is_published(self):
        topic = self.new_topic(queue_count=3)
        for queue in (0, 2):
            waiter = InBackground(topic.consume, queue, 10, wait_ms=60_000)
            topic.wait_for_consumers(1)
            topic.publish(7, queue_id=queue)
            self.assertEqual(payloads(waiter.result()), [7])

    def test_each_message_wakes_one_waiter(self):
        topic = self.new_topic(steal="off")
        waiters = [InBackground(topic.consume, wait_ms=60_000) for _ in range(8)]
        topic.wait_for_consumers(8)
        topic.fill(range(5))
        wait_until(lambda: sum(not w.is_alive() for w in waiters) == 5, "five waiters have theirs")
        topic.fill(range(5, 8))
        self.assertEqual(sorted(payloads(w.result())[0] for w in waiters), list(range(8)))
        self.assertEqual(topic.counts(), (0, 8, 0))

    def test_it_waits_for_any_queue_of_the_topic(self):
        for steal in ("half", "off"):
            topic = self.new_topic(f"steal-{steal}", queue_count=4, steal=steal)
            for queue in range(4):
                waiter = InBackground(topic.consume_any, 5, wait_ms=60_000)
                waiter.join(0.1)
                topic.publish(queue, queue_id=queue)
                self.assertEqual(payloads(waiter.result()), [queue])

    def test_a_delayed_message_wakes_it_when_it_is_due(self):
        topic = self.new_topic()
        topic.publish(1, delay_ms=SHORT)
        begin = time.monotonic()
        self.assertEqual(payloads(topic.consume(wait_ms=60_000)), [1])
        self.assertLess(time.monotonic() - begin, 50)

    def test_a_client_that_vanishes_leaves_nothing_leased(self):
        topic = self.new_topic(queue_count=2)
        for place in ("/queues/0/consume", "/consume"):
            connection = RawConnection(self.broker.port)
            body = '{"wait_ms":60000}'
            connection.send(f"POST {topic.path}{place} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n{body}")
            self.assertEqual(select.select([connection.socket], [], [], 0.3)[0], [], "it waits")
            connection.close()
            wait_until(lambda: self.broker.ok("GET", "/v1/stats")["connections"]["http"] == 1, "the broker sees the end")
            topic.wait_for_consumers(0)
            published = topic.publish(1)
            self.assertEqual((topic.total("ready"), topic.total("leased")), (1, 0))
            self.assertEqual(topic.ack([published])["acknowledged"], 1)

    def test_a_deleted_topic_ends_it(self):
        topic = self.new_topic(queue_count=2)
        waiters = [InBackground(topic.call, "POST", place, {"wait_ms": 60_000})
                   for place in ("/queues/0/consume", "/consume")]
        for waiter in waiters:
            waiter.join(0.3)
            self.assertTrue(waiter.is_alive(), "it waits")
        topic.ok("DELETE", "")
        for waiter in waiters:
            self.assertIn(waiter.result(30).status, (404, 200))


if __name__ == "__main__":
    unittest.main()
