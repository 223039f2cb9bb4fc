"""Consuming and settling: order, leases, receipts, dead letters, looking and purging."""

import time

from delivery import InBackground
from harness import wait_until
from scenario import UNKNOWN_ID, Scenario, ids, numbers, payloads


class Consuming(Scenario):
    def test_messages_come_from_the_head_one_unless_asked_for_more(self):
        topic = self.topic()
        topic.fill(numbers(6))
        self.assertEqual(payloads(topic.consume()), [b"0"])
        self.assertEqual(payloads(topic.consume(batch_size=3)), numbers(3, 1))
        self.assertEqual(payloads(topic.consume(batch_size=10_000)), numbers(2, 4))
        self.assertEqual(topic.consume(batch_size=10), [])
        self.assertEqual(topic.counts(), (0, 6, 0))

    def test_auto_ack_acknowledges_at_hand_off(self):
        topic = self.topic()
        topic.fill(numbers(3))
        self.assertEqual(payloads(topic.consume(batch_size=2, auto_ack=True)), numbers(2))
        topic.wait_for_counts((1, 0, 0))

    def test_any_queue_is_the_one_with_most_waiting_first(self):
        topic = self.topic(queue_count=3, steal="off")
        topic.fill(numbers(2), queue_id=1)
        topic.fill(numbers(3, 10), queue_id=2)
        got = topic.consume(-1, batch_size=4)
        self.assertEqual([(m.payload, m.queue_id) for m in got], [(b"10", 2), (b"11", 2), (b"12", 2), (b"0", 1)])
        self.assertEqual(payloads(topic.consume(-1, batch_size=9)), [b"1"])
        self.assertEqual(topic.consume(-1), [])

    def test_ids_may_be_settled_at_any_queue(self):
        topic = self.topic(queue_count=3, steal="off")
        topic.fill(numbers(3), queue_id=2)
        messages = topic.consume(-1, batch_size=3)
        self.assertEqual(payloads(messages), numbers(3))
        somewhere = -1 if self.door.settles_at_any_queue else 0
        self.assertEqual(topic.ack([messages[0].receipt], queue_id=somewhere), (1, [], [], 0))
        topic.extend([messages[1].receipt], queue_id=somewhere)
        topic.nack([messages[2].receipt], queue_id=somewhere)
        self.assertEqual(topic.counts(2), (1, 1, 0))

    def test_without_a_queue_it_is_queue_0(self):
        topic = self.topic(queue_count=2, steal="off")
        topic.fill(numbers(2), queue_id=1)
        self.assertEqual(topic.consume(), [])

    def test_numbers_out_of_range_are_refused(self):
        topic = self.topic()
        for name, value in (("batch_size", -1), ("batch_size", 10_001), ("wait_ms", -1), ("wait_ms", 60_001), ("lease_ms", -1)):
            with self.subTest(name=name, value=value):
                self.refused("INVALID_ARGUMENT", topic.consume, words=[name], **{name: value})
        topic.publish()
        for name in ("batch_size", "lease_ms"):
            if self.door.zero_is_default:
                self.assertEqual(len(topic.consume(**{name: 0})), 1)
                topic.nack(ids(topic.peek(state="leased")))
            else:
                self.refused("INVALID_ARGUMENT", topic.consume, words=[name], **{name: 0})

    def test_a_wait_ends_with_the_first_message(self):
        topic = self.topic()
        waiting = InBackground(topic.through(self.open_another()).consume, batch_size=5, wait_ms=60_000)
        wait_until(lambda: topic.total("consumers") == 1, "somebody waits")
        topic.publish(b"x")
        self.assertEqual(payloads(waiting.result()), [b"x"])
        wait_until(lambda: topic.total("consumers") == 0, "nobody waits")

    def test_a_wait_for_any_queue_ends_with_a_message_in_one_of_them(self):
        topic = self.topic(queue_count=3)
        for queue in range(3):
            waiting = InBackground(topic.through(self.open_another()).consume, -1, wait_ms=60_000, auto_ack=True)
            topic.publish(b"x", queue_id=queue)
            self.assertEqual(payloads(waiting.result()), [b"x"])

    def test_a_wait_in_vain_ends_with_nothing(self):
        topic = self.topic()
        begun = time.monotonic()
        self.assertEqual(topic.consume(wait_ms=200), [])
        self.assertGreaterEqual(time.monotonic() - begun, 0.19)

    def test_what_was_pulled_stays_leased_when_its_connection_ends(self):
        topic = self.topic()
        topic.fill(numbers(2))
        other = self.open_another()
        first, = topic.through(other).consume()
        topic.through(other).peek()  # when this is answered the broker knows that the message has arrived, through whichever door
        other.close()
        self.assertEqual(payloads(topic.consume(batch_size=5)), [b"1"])
        self.assertEqual(topic.ack([first.receipt]).count, 1)


class Leases(Scenario):
    def test_what_is_not_acknowledged_returns_to_the_front_in_its_old_order(self):
        topic = self.topic(ack_timeout_ms=150)
        topic.fill(numbers(5))
        first = topic.consume(batch_size=3)
        self.assertEqual([m.delivery_count for m in first], [1, 1, 1])
        topic.wait_for_counts((5, 0, 0))
        again = topic.consume(batch_size=5, lease_ms=60_000)
        self.assertEqual([(m.payload, m.delivery_count) for m in again], list(zip(numbers(5), [2, 2, 2, 1, 1])))
        self.assertEqual([m.receipt for m in again], [f"{m.id}#{m.delivery_count}" for m in again])

    def test_a_consume_may_name_the_length_of_its_lease(self):
        topic = self.topic()
        topic.publish()
        topic.consume(lease_ms=100)
        topic.wait_for_counts((1, 0, 0))
        self.assertEqual([m.delivery_count for m in topic.consume(wait_ms=60_000)], [2])

    def test_a_lease_can_be_made_longer(self):
        topic = self.topic()
        topic.fill(numbers(2))
        first, second = topic.consume(batch_size=2, lease_ms=3000)
        self.assertEqual(topic.extend([first.receipt], lease_ms=600_000), (1, [], [], 0))
        topic.wait_for_counts((1, 1, 0))
        self.assertEqual(ids(topic.consume(batch_size=5)), [second.id])

    def test_a_lease_can_be_made_shorter(self):
        topic = self.topic()
        topic.publish()
        message, = topic.consume(lease_ms=600_000)
        self.assertEqual(topic.extend([message.id], lease_ms=1).count, 1)
        topic.wait_for_counts((1, 0, 0))


class Acknowledging(Scenario):
    def test_ids_and_receipts_acknowledge(self):
        topic = self.topic()
        topic.fill(numbers(3))
        first, second, third = topic.consume(batch_size=3)
        self.assertEqual(topic.ack([first.id, third.receipt]), (2, [], [], 0))
        self.assertEqual(topic.counts(), (0, 1, 0))
        self.assertEqual(topic.ack([second.receipt]).count, 1)
        self.assertEqual(topic.counts(), (0, 0, 0))

    def test_what_nobody_holds_is_unknown_and_no_error(self):
        topic = self.topic()
        topic.publish()
        message, = topic.consume()
        strange = [UNKNOWN_ID, f"{UNKNOWN_ID}#1", "no id", "", "ä", f"{message.id}#", f"{message.id}#x", f"{message.id}#-1"]
        for operation in (topic.ack, topic.nack, topic.extend):
            self.assertEqual(operation(strange), (0, strange, [], 0))
        self.assertEqual(topic.ack([message.id, "no id", message.id]).count, 1)
        self.assertEqual(topic.ack([message.id]), (0, [message.id], [], 0))
        self.assertEqual(topic.ack([]), (0, [], [], 0))

    def test_a_receipt_of_an_older_delivery_is_stale_and_changes_nothing(self):
        topic = self.topic()
        topic.publish()
        first, = topic.consume()
        topic.nack([first.id])
        second, = topic.consume()
        for operation in (topic.ack, topic.nack, topic.extend):
            self.assertEqual(operation([first.receipt]), (0, [], [first.receipt], 0))
        self.assertEqual(topic.counts(), (0, 1, 0))
        self.assertEqual(topic.ack([first.receipt, second.receipt]), (1, [], [first.receipt], 0))

    def test_a_late_ack_by_id_removes_a_message_that_waits_again(self):
        topic = self.topic()
        topic.fill(numbers(2))
        message, = topic.consume()
        topic.nack([message.id])
        self.assertEqual(topic.ack([message.id]).count, 1)
        self.assertEqual(payloads(topic.consume(batch_size=5)), [b"1"])

    def test_ids_are_looked_for_in_the_other_queues(self):
        topic = self.topic(queue_count=3, steal="off")
        topic.fill(numbers(3), queue_id=2)
        first, second, third = topic.consume(2, batch_size=3)
        self.assertEqual(topic.ack([first.receipt, UNKNOWN_ID], queue_id=0), (1, [UNKNOWN_ID], [], 0))
        self.assertEqual(topic.extend([second.id], queue_id=1, lease_ms=60_000).count, 1)
        self.assertEqual(topic.nack([third.receipt], queue_id=0).count, 1)
        self.assertEqual(topic.counts(2), (1, 1, 0))


class Returning(Scenario):
    def test_a_nack_returns_to_the_front_in_the_old_order(self):
        topic = self.topic()
        topic.fill(numbers(5))
        taken = topic.consume(batch_size=3)
        self.assertEqual(topic.nack([taken[2].id, taken[0].receipt, taken[1].id], reason="try again"), (3, [], [], 0))
        again = topic.consume(batch_size=5)
        self.assertEqual([(m.payload, m.delivery_count) for m in again], list(zip(numbers(5), [2, 2, 2, 1, 1])))

    def test_a_nack_may_wait(self):
        topic = self.topic()
        topic.fill(numbers(2))
        first, second = topic.consume(batch_size=2)
        topic.nack([first.id], delay_ms=60_000)
        topic.nack([second.id], delay_ms=100)
        self.assertEqual(topic.counts()[1], 0)
        got = topic.consume(batch_size=5, wait_ms=60_000)
        self.assertEqual([(m.payload, m.delivery_count) for m in got], [(b"1", 2)])
        self.assertEqual(topic.counts(), (0, 1, 1))

    def test_negative_times_are_refused(self):
        topic = self.topic()
        self.refused("INVALID_ARGUMENT", topic.nack, [UNKNOWN_ID], delay_ms=-1, words=["delay_ms"])
        self.refused("INVALID_ARGUMENT", topic.extend, [UNKNOWN_ID], lease_ms=-1, words=["lease_ms"])


class DeadLetters(Scenario):
    def kill(self, topic, count):
        """Lets the messages fail their last delivery; they must come with delivery_count 1 more each."""
        for _ in range(topic.info().settings["max_deliveries"]):
            topic.nack(ids(topic.consume(batch_size=count)))

    def test_the_last_delivery_that_fails_makes_a_dead_letter(self):
        topic = self.topic(max_deliveries=2)
        published = topic.fill(numbers(2))
        taken = topic.consume(batch_size=2)
        self.assertEqual(topic.nack(ids(taken)), (2, [], [], 0))
        self.assertEqual(topic.nack(ids(topic.consume(batch_size=2))), (0, [], [], 2))
        self.assertEqual((topic.counts(), topic.info().dead), ((0, 0, 0), 2))
        dead = topic.list_dead()
        self.assertEqual([(m.id, m.payload, m.reason, m.delivery_count) for m in dead],
                         [(i, p, "max_deliveries", 2) for i, p in zip(published, numbers(2))])
        self.assertTrue(all(m.dead_at > m.timestamp for m in dead))

    def test_a_timeout_is_a_failure_too(self):
        topic = self.topic(max_deliveries=1, ack_timeout_ms=100)
        topic.publish()
        topic.consume()
        wait_until(lambda: topic.info().dead == 1, "the message is dead")

    def test_they_are_listed_up_to_a_limit(self):
        topic = self.topic(max_deliveries=1)
        topic.fill(numbers(15))
        self.kill(topic, 15)
        self.assertEqual(len(topic.list_dead()), 10)
        self.assertEqual(payloads(topic.list_dead(limit=3)), numbers(3))
        self.assertEqual(len(topic.list_dead(limit=1000)), 15)
        self.refused("INVALID_ARGUMENT", topic.list_dead, limit=1001, words=["limit"])

    def test_they_can_be_redriven_by_id_and_begin_anew(self):
        topic = self.topic(max_deliveries=1)
        published = topic.fill(numbers(3))
        self.kill(topic, 3)
        self.assertEqual(topic.redrive_dead([published[1], UNKNOWN_ID]), 1)
        self.assertEqual([(m.payload, m.delivery_count, m.reason) for m in topic.consume(batch_size=5)], [(b"1", 1, None)])
        self.assertEqual(ids(topic.list_dead()), [published[0], published[2]])

    def test_they_can_be_redriven_all(self):
        topic = self.topic(max_deliveries=1)
        topic.fill(numbers(3))
        self.kill(topic, 3)
        self.assertEqual(topic.redrive_dead(), 3)
        self.assertEqual(sorted(payloads(topic.consume(batch_size=5))), numbers(3))
        self.assertEqual(topic.info().dead, 0)
        self.assertEqual(topic.redrive_dead(), 0)

    def test_they_can_be_purged(self):
        topic = self.topic(max_deliveries=1)
        topic.fill(numbers(3))
        self.kill(topic, 2)
        self.assertEqual(topic.purge_dead(), 2)
        self.assertEqual((topic.purge_dead(), topic.list_dead(), topic.counts()), (0, [], (1, 0, 0)))


class Looking(Scenario):
    def test_a_look_shows_messages_by_state_and_changes_nothing(self):
        topic = self.topic(queue_count=2)
        topic.fill(numbers(4), queue_id=1)
        late = topic.publish(b"late", queue_id=1, delay_ms=60_000).message_id
        leased, = topic.consume(1)
        for _ in range(2):
            self.assertEqual(payloads(topic.peek(1)), numbers(3, 1))
            self.assertEqual(payloads(topic.peek(1, limit=2, state="ready")), numbers(2, 1))
            self.assertEqual([(m.id, m.delivery_count, m.receipt) for m in topic.peek(1, state="leased")],
                             [(leased.id, 1, leased.receipt)])
            self.assertEqual(ids(topic.peek(1, state="delayed")), [late])
            self.assertEqual(topic.peek(0), [])
        self.assertEqual(topic.counts(1), (3, 1, 1))
        self.assertEqual([m.delivery_count for m in topic.consume(1, batch_size=5)], [1, 1, 1])

    def test_a_look_shows_ten_to_a_thousand(self):
        topic = self.topic()
        topic.fill(numbers(1001))
        self.assertEqual(payloads(topic.peek()), numbers(10))
        self.assertEqual(payloads(topic.peek(limit=1000)), numbers(1000))
        self.refused("INVALID_ARGUMENT", topic.peek, limit=1001, words=["limit"])
        self.refused("INVALID_ARGUMENT", topic.peek, state="odd", words=["state"])

    def test_a_purge_drops_what_waits_and_leaves_what_is_leased(self):
        topic = self.topic(queue_count=2)
        topic.fill(numbers(4), queue_id=1)
        topic.fill(numbers(2), queue_id=0)
        topic.publish(queue_id=1, delay_ms=60_000)
        leased, = topic.consume(1)
        self.assertEqual(topic.purge(1), 4)
        self.assertEqual((topic.counts(0), topic.counts(1)), ((2, 0, 0), (0, 1, 0)))
        self.assertEqual(topic.ack([leased.receipt], queue_id=1).count, 1)
        self.assertEqual(topic.purge(1), 0)
