"""Delays and lifetimes of messages, and what of leases and delays survives the end of a broker."""

import time
import unittest

from delivery import InBackground, Topic, ids, memory_of, payloads, receipts
from harness import BrokerCase, SharedBrokerCase, wait_until

# An end that no test waits for, and one that each test may wait for, in milliseconds.
LONG = 600_000
SHORT = 2_000


class TopicCase(SharedBrokerCase):
    def new_topic(self, name="orders", **fields):
        return Topic.create(self.broker, name, self.namespace, **({"ack_timeout_ms": LONG} | fields))


class DelaysAndLifetimes(TopicCase):
    def test_delay_ms_hides_a_message_until_then(self):
        topic = self.new_topic()
        late, now = topic.publish("late", delay_ms=SHORT), topic.publish("now")
        self.assertEqual(topic.counts(), (1, 0, 1))
        self.assertEqual(ids(topic.peek(state="delayed")), [late])
        self.assertEqual(ids(topic.consume(batch_size=5)), [now])
        self.assertEqual(ids(topic.consume(wait_ms=60_000)), [late])

    def test_deliver_at_ms_is_unix_time_and_the_past_is_now(self):
        topic = self.new_topic()
        soon = topic.publish("soon", deliver_at_ms=int(time.time() * 1000) + 3000)
        past = topic.publish("past", deliver_at_ms=1000)
        none = topic.publish("none", delay_ms=0)
        self.assertEqual(topic.counts(), (2, 0, 1))
        self.assertEqual(ids(topic.consume(batch_size=5)), [past, none])
        self.assertEqual(ids(topic.consume(wait_ms=60_000)), [soon])
        self.assertGreaterEqual(time.time() * 1000, topic.peek(state="leased")[-1]["timestamp"] / 1e6)

    def test_delays_end_in_the_order_of_their_ends(self):
        topic = self.new_topic()
        soon = int(time.time() * 1000) + 2000  # neither is due before both are there
        topic.publish("second", deliver_at_ms=soon + 100)
        topic.publish("first", deliver_at_ms=soon)
        topic.wait_for_counts((2, 0, 0))
        self.assertEqual(payloads(topic.consume(batch_size=5)), ["first", "second"])

    def test_bad_delays_and_lifetimes_are_refused(self):
        topic = self.new_topic()
        for fields in ({"delay_ms": -1}, {"delay_ms": "5"}, {"delay_ms": 0.5}, {"delay_ms": 2**63}, {"delay_ms": 1e300},
                       {"deliver_at_ms": -1}, {"deliver_at_ms": 2**63}, {"delay_ms": 2**63 - 1}, {"deliver_at_ms": 2**63 - 1},
                       {"ttl_ms": -1}, {"ttl_ms": "x"}, {"ttl_ms": 2**63}, {"delay_ms": True}):
            answer = topic.call("POST", "/publish", {"payload": 1} | fields)
            self.assert_error(answer, "INVALID_ARGUMENT", *fields)
        answer = topic.call("POST", "/publish", {"payload": 1, "delay_ms": 5, "deliver_at_ms": 5})
        self.assert_error(answer, "INVALID_ARGUMENT")
        self.assertEqual(topic.counts(), (0, 0, 0))

    def test_an_ack_finds_a_delayed_message(self):
        topic = self.new_topic()
        self.assertEqual(topic.ack([topic.publish(1, delay_ms=LONG)])["acknowledged"], 1)
        self.assertEqual(topic.counts(), (0, 0, 0))

    def test_what_outlives_its_ttl_is_dead_with_the_reason_expired(self):
        topic = self.new_topic()
        kept, short = topic.publish("kept"), topic.publish("short", ttl_ms=600)
        wait_until(lambda: topic.info()["dead"] == 1, "the message expires")
        dead = topic.dead()[0]
        self.assertEqual((dead["id"], dead["reason"], dead["payload"]), (short, "expired", "short"))
        self.assertEqual(ids(topic.consume(batch_size=5)), [kept])

    def test_the_smaller_ttl_of_message_and_topic_wins(self):
        topic = self.new_topic(message_ttl_ms=1500)
        long, short = topic.publish("long", ttl_ms=LONG), topic.publish("short", ttl_ms=500)
        wait_until(lambda: topic.info()["dead"] == 2, "the topic's ttl ends the long one, too")
        self.assertEqual(ids(topic.dead()), [short, long])
        self.assertEqual(topic.consume(), [])

    def test_a_message_that_expires_before_its_delay_ends_is_never_delivered(self):
        topic = self.new_topic()
        topic.publish(1, ttl_ms=500, delay_ms=LONG)
        wait_until(lambda: topic.info()["dead"] == 1, "it expires while it is delayed")
        self.assertEqual(topic.counts(), (0, 0, 0))

    def test_a_leased_message_may_be_acked_after_its_ttl(self):
        topic = self.new_topic()
        one, two = topic.publish(1, ttl_ms=1500), topic.publish(2, ttl_ms=1500)
        self.assertEqual(ids(topic.consume(batch_size=2)), [one, two])
        begin = time.monotonic()
        wait_until(lambda: time.monotonic() > begin + 1.7, "the ttl is over")
        self.assertEqual(topic.ack([one])["acknowledged"], 1)
        topic.nack([two])
        wait_until(lambda: topic.info()["dead"] == 1, "a returned message past its ttl is dead")
        self.assertEqual(topic.dead()[0]["reason"], "expired")


class Restart(BrokerCase):
    def test_what_was_delayed_is_where_it_was(self):
        broker = self.start_broker()
        topic = Topic.create(broker)
        late = topic.publish("late", delay_ms=300)
        early = topic.fill([0, 1])
        topic.wait_for_counts((3, 0, 0))
        between = topic.publish("between")
        later = topic.publish("later", delay_ms=1)
        topic.wait_for_counts((5, 0, 0))
        self.assertEqual(ids(topic.peek()), [*early, late, between, later])
        broker.kill()
        broker.start()
        self.assertEqual(ids(topic.peek()), [*early, late, between, later])

    def test_leases_delays_counts_acks_and_settings_survive_a_kill(self):
        broker = self.start_broker()
        topic = Topic.create(broker, queue_count=2, ack_timeout_ms=LONG, max_deliveries=7)
        published = topic.fill(range(6), queue_id=0)
        topic.nack(ids(topic.consume(batch_size=2)))
        held = topic.consume(batch_size=3, lease_ms=LONG)
        later = topic.publish("later", queue_id=1, delay_ms=LONG)
        due = topic.publish("due", queue_id=1, deliver_at_ms=int(time.time() * 1000) + 500)
        topic.nack([published[2]], delay_ms=LONG)
        topic.ack([published[3]])
        broker.kill()
        time.sleep(0.6)  # the delay of "due" ends while no broker runs
        broker.start()
        self.assertEqual(topic.info()["settings"]["max_deliveries"], 7)
        self.assertEqual(topic.counts(0), (2, 2, 1))
        self.assertEqual([(m["id"], m["delivery_count"]) for m in topic.peek(state="leased")],
                         [(m["id"], 2) for m in held[:2]])
        self.assertEqual(ids(topic.peek(0, "delayed")), [published[2]])
        topic.wait_for_counts((1, 0, 1), queue=1)
        self.assertEqual((ids(topic.peek(1)), ids(topic.peek(1, "delayed"))), ([due], [later]))
        self.assertEqual(topic.ack(receipts(held[:1]))["acknowledged"], 1)
        self.assertEqual(topic.extend(receipts(held[1:2]), 1)["extended"], 1)
        topic.wait_for_counts((3, 0, 1))
        again = topic.consume(batch_size=10)
        self.assertEqual([(m["id"], m["delivery_count"]) for m in again],
                         [(published[1], 3), (published[4], 1), (published[5], 1)])

    def test_a_lease_that_ended_while_no_broker_ran_returns_to_the_front(self):
        broker = self.start_broker()
        topic = Topic.create(broker, ack_timeout_ms=LONG)
        published = topic.fill(range(3))
        topic.consume(lease_ms=SHORT)
        broker.kill()
        time.sleep(SHORT / 1000)
        broker.start()
        topic.wait_for_counts((3, 0, 0))
        again = topic.consume(batch_size=3)
        self.assertEqual(ids(again), published)
        self.assertEqual([m["delivery_count"] for m in again], [2, 1, 1])

    def test_a_late_ack_removes_the_message_from_the_log_too(self):
        broker = self.start_broker()
        topic = Topic.create(broker, ack_timeout_ms=LONG)
        published = topic.fill(range(3))
        topic.consume(lease_ms=SHORT)
        topic.wait_for_counts((3, 0, 0))
        topic.ack(published[:1])
        held = topic.consume()
        self.assertEqual(ids(held), published[1:2])
        topic.ack(ids(held))
        broker.kill()
        broker.start()
        self.assertEqual(ids(topic.consume(batch_size=10)), published[2:])

    def test_a_clean_stop_keeps_everything_and_ends_long_polls(self):
        broker = self.start_broker()
        topic = Topic.create(broker, ack_timeout_ms=LONG)
        published = topic.fill(range(3))
        topic.consume(batch_size=1)
        idle = Topic.create(broker, "idle")
        waiter = InBackground(idle.call, "POST", "/queues/0/consume", {"wait_ms": 60_000})
        idle.wait_for_consumers(1)
        self.assertEqual(broker.terminate(), 0)
        try:
            self.assertIn(waiter.result().status, (200, 503))
        except OSError:
            pass  # a closed connection tells the client as much
        broker.start()
        self.assertEqual(topic.counts(), (2, 1, 0))
        self.assertEqual(ids(topic.peek()), published[1:])
        self.assertEqual(ids(topic.peek(state="leased")), published[:1])


class Memory(BrokerCase):
    def test_the_memory_of_a_queue_that_was_deep_goes_back_to_the_system(self):
        broker = self.start_broker()
        with open(f"/proc/{broker.process.pid}/maps", encoding="ascii") as file:
            if "tcmalloc" not in file.read():
                self.skipTest("the allocator is not ours to ask")
        resident = lambda: memory_of(broker)["resident_bytes"]
        topic = Topic.create(broker)
        idle = resident()
        batch = {"messages": [{"payload": "x" * 250}] * 10_000}
        for _ in range(40):
            topic.ok("POST", "/publish_batch", batch)
        deep = resident()
        self.assertGreater(deep - idle, 100_000_000)
        self.assertEqual(topic.ok("DELETE", "/queues/0/messages"), {"purged": 400_000})
        wait_until(lambda: resident() - idle < 60_000_000, "most of it is given back")


if __name__ == "__main__":
    unittest.main()
