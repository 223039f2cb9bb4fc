"""Subscriptions: windows, order, what returns when one ends."""

from harness import wait_until
from scenario import Scenario, ids, numbers, payloads


class Subscribing(Scenario):
    def test_messages_are_pushed_in_order_as_they_come(self):
        topic = self.topic()
        topic.fill(numbers(5))
        subscription = self.subscribed(topic)
        first = subscription.take(5)
        for number in numbers(5, 5):
            topic.publish(number)
        got = first + subscription.take(5)
        self.assertEqual(payloads(got), numbers(10))
        self.assertEqual({(m.delivery_count, m.queue_id, m.receipt == f"{m.id}#1") for m in got}, {(1, 0, True)})
        self.assertEqual(topic.counts(), (0, 10, 0))
        self.assertEqual(topic.ack([m.receipt for m in got]).count, 10)

    def test_the_window_bounds_what_is_pushed(self):
        topic = self.topic()
        topic.fill(numbers(10))
        subscription = self.subscribed(topic, max_in_flight=3)
        first = subscription.take(3)
        self.assertEqual(topic.counts(), (7, 3, 0))
        topic.ack([first[0].id, first[2].receipt])
        self.assertEqual(payloads(subscription.take(2)), numbers(2, 3))
        topic.nack([first[1].id])
        self.assertEqual([(m.payload, m.delivery_count) for m in subscription.take(1)], [(b"1", 2)])
        self.assertEqual(topic.counts(), (5, 3, 0))

    def test_the_usual_window_is_256(self):
        topic = self.topic()
        topic.fill(numbers(300))
        subscription = self.subscribed(topic)
        self.assertEqual(payloads(subscription.take(256)), numbers(256))
        self.assertEqual(topic.counts(), (44, 256, 0))

    def test_auto_ack_acknowledges_at_hand_off(self):
        topic = self.topic()
        topic.fill(numbers(10))
        self.assertEqual(payloads(self.subscribed(topic, auto_ack=True, max_in_flight=2).take(10)), numbers(10))
        topic.wait_for_counts((0, 0, 0))

    def test_what_is_not_acknowledged_in_time_comes_again(self):
        topic = self.topic(ack_timeout_ms=100)
        topic.publish()
        first, second = self.subscribed(topic).take(2)
        self.assertEqual((first.id, first.delivery_count, second.delivery_count), (second.id, 1, 2))

    def test_what_a_closed_subscription_did_not_ack_returns_to_the_front_at_once(self):
        self.assert_returned(lambda subscription: subscription.close())

    def test_what_a_cut_connection_did_not_ack_returns_to_the_front_at_once(self):
        self.assert_returned(lambda subscription: subscription.cut())

    def assert_returned(self, end):
        topic = self.topic(ack_timeout_ms=3_600_000)
        topic.fill(numbers(6))
        subscription = topic.subscribe(max_in_flight=4)
        taken = subscription.take(4)
        topic.ack([taken[1].receipt])
        subscription.next(0.05)  # the fifth, for which there is room now
        end(subscription)
        topic.wait_for_counts((5, 0, 0))
        again = topic.consume(batch_size=10)
        self.assertEqual(payloads(again), [b"0", b"2", b"3", b"4", b"5"])
        self.assertEqual([m.delivery_count for m in again if m.payload in (b"0", b"2", b"3")], [2, 2, 2])
        self.assertEqual(topic.total("consumers"), 0)

    def test_the_end_of_a_subscription_is_a_failed_delivery(self):
        topic = self.topic(max_deliveries=1)
        published = topic.publish().message_id
        subscription = topic.subscribe()
        subscription.take(1)
        subscription.cut()
        wait_until(lambda: ids(topic.list_dead()) == [published], "the message is dead")

    def test_two_subscriptions_share_a_queue(self):
        topic = self.topic()
        one, two = self.subscribed(topic, max_in_flight=5), self.subscribed(topic, max_in_flight=5)
        wait_until(lambda: topic.total("consumers") == 2, "both are there")
        topic.fill(numbers(10))
        self.assertEqual(sorted(payloads(one.take(5) + two.take(5))), numbers(10))

    def test_any_queue_lives_by_stealing(self):
        topic = self.topic(queue_count=3)
        subscription = self.subscribed(topic, -1, max_in_flight=100)
        for queue in range(3):
            topic.fill(numbers(4, 10 * queue), queue_id=queue)
        self.assertEqual(sorted(payloads(subscription.take(12))), sorted(n for q in range(3) for n in numbers(4, 10 * q)))

    def test_any_queue_is_refused_where_nothing_is_stolen(self):
        topic = self.topic(queue_count=2, steal="off")
        self.refused("FAILED_PRECONDITION", topic.subscribe, -1, words=["steal"])
        self.subscribed(topic, 1)

    def test_windows_out_of_range_are_refused(self):
        topic = self.topic()
        self.refused("INVALID_ARGUMENT", topic.subscribe, max_in_flight=-1, words=["max_in_flight"])
        if not self.door.zero_is_default:
            self.refused("INVALID_ARGUMENT", topic.subscribe, max_in_flight=0, words=["max_in_flight"])

    def test_a_deleted_topic_ends_its_subscriptions(self):
        topic = self.topic()
        subscription = self.subscribed(topic)
        topic.delete_topic()
        subscription.wait_for_end()

    def test_a_consumer_is_counted_while_it_is_there(self):
        topic = self.topic(queue_count=2)
        subscription = topic.subscribe(1)
        wait_until(lambda: [q.consumers for q in topic.info().queues] == [0, 1], "it is counted")
        subscription.close()
        wait_until(lambda: topic.total("consumers") == 0, "it is gone")
