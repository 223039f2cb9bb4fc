"""What scenarios share: a broker, the door that MQLITE_DOOR names, and topics that remember where they are."""

import os
import uuid

from door import Refused
from doors import DOORS
from harness import SharedBrokerCase, wait_until

UNKNOWN_ID = "01890000-0000-7000-8000-000000000000"


class BoundTopic:
    """One topic through one door: the door's operations without the names."""

    def __init__(self, door, namespace, name):
        self.door = door
        self.at = (namespace, name)

    def __getattr__(self, operation):
        method = getattr(self.door, operation)
        return lambda *arguments, **fields: method(*self.at, *arguments, **fields)

    def through(self, door):
        """The same topic through another door."""
        return BoundTopic(door, *self.at)

    def publish(self, payload=b"1", **fields):
        return self.door.publish(*self.at, payload, **fields)

    def fill(self, payloads, **fields):
        """Publishes these payloads, each of which must be stored; the ids."""
        outcomes = self.door.publish_batch(*self.at, [{"payload": payload} | fields for payload in payloads])
        for outcome in outcomes:
            if isinstance(outcome, Refused):
                raise outcome
        return [outcome.message_id for outcome in outcomes]

    def info(self):
        return self.door.get_topic(*self.at)

    def counts(self, queue_id=0):
        """(ready, leased, delayed)"""
        queue = self.info().queues[queue_id]
        return queue.ready, queue.leased, queue.delayed

    def total(self, field="ready"):
        return sum(getattr(queue, field) for queue in self.info().queues)

    def wait_for_counts(self, expected, queue_id=0):
        wait_until(lambda: self.counts(queue_id) == expected, f"(ready, leased, delayed) = {expected} in queue {queue_id}")


def payloads(messages):
    return [message.payload for message in messages]


def ids(messages):
    return [message.id for message in messages]


def numbers(count, first=0):
    """Payloads that tell their place."""
    return [b"%d" % n for n in range(first, first + count)]


class AnyDoorCase(SharedBrokerCase):
    """Tests with doors; each has a namespace of its own."""

    FLAGS = ("--drain_timeout", "300ms")

    def setUp(self):
        super().setUp()
        self.namespace = f"n-{uuid.uuid4()}"

    def open(self, kind):
        door = DOORS[kind](self.broker)
        self.addCleanup(door.close)
        return door

    def subscribed(self, topic, *arguments, **fields):
        """A Subscription that ends with the test."""
        subscription = topic.subscribe(*arguments, **fields)
        self.addCleanup(subscription.cut)
        return subscription

    def assert_refused(self, door, code, operation, *arguments, text=None, words=(), **fields):
        """The call is refused with the code, and with the text or one that holds the words."""
        with self.assertRaises(Refused, msg=(operation, arguments, fields)) as caught:
            operation(*arguments, **fields)
        self.assertEqual(caught.exception.code, door.spelling(code), caught.exception)
        if text is not None:
            self.assertEqual(caught.exception.text, text)
        for word in words:
            self.assertIn(word, caught.exception.text)


class Scenario(AnyDoorCase):
    """Tests through one door."""

    def setUp(self):
        super().setUp()
        self.door = self.open_another()

    def open_another(self):
        """One more client of the same door."""
        return self.open(os.environ["MQLITE_DOOR"])

    def topic(self, name="orders", queue_count=1, **settings):
        if self.namespace not in self.door.list_namespaces():
            self.door.create_namespace(self.namespace)
        self.door.create_topic(self.namespace, name, queue_count, **settings)
        return BoundTopic(self.door, self.namespace, name)

    def refused(self, code, operation, *arguments, **more):
        self.assert_refused(self.door, code, operation, *arguments, **more)
