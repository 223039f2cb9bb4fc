"""What every door offers, whatever it speaks: the words of the contract as Python values, and one method for each operation.

A protocol joins the suite by an adapter: a subclass of Door, most easily of JsonDoor (json_dialect.py) or ProtoDoor
(proto_dialect.py), that is named in doors.py.
"""

import time
from typing import NamedTuple, Optional

from harness import DEADLINE


class Refused(Exception):
    """An error of section 3: `code` as the contract spells it, `text` for people."""

    def __init__(self, code, text):
        super().__init__(f"{code}: {text}")
        self.code = code
        self.text = text


class Message(NamedTuple):
    """A delivery, or what a look shows of a message; payload is bytes, routing_key is None where there is none."""
    id: str
    namespace: str
    topic: str
    queue_id: int
    payload: bytes
    timestamp: int
    headers: dict
    routing_key: Optional[str]
    delivery_count: int
    receipt: str
    reason: Optional[str] = None  # of dead letters, like dead_at
    dead_at: Optional[int] = None


class Published(NamedTuple):
    message_id: str
    queue_id: int


class Settled(NamedTuple):
    """count: acknowledged, returned or extended; dead_lettered: of nack, else 0."""
    count: int
    unknown: list = []
    stale: list = []
    dead_lettered: int = 0


class Queue(NamedTuple):
    queue_id: int
    ready: int
    leased: int
    delayed: int
    bytes: int
    consumers: int


class TopicDetails(NamedTuple):
    name: str
    queue_count: int
    version: int
    settings: dict
    dead: int
    queues: list


class Resized(NamedTuple):
    new_queue_count: int
    version: int
    draining: bool


class Subscription:
    """Messages that are pushed; on a connection of its own, so that cut() ends it without a word."""

    def next(self, timeout=DEADLINE):
        """The next Message; None when none came in time, or the subscription has ended."""
        raise NotImplementedError

    def take(self, number):
        """The next `number` Messages."""
        taken = []
        while len(taken) < number:
            message = self.next()
            assert message is not None, f"{len(taken)} of {number} messages came"
            taken.append(message)
        return taken

    def wait_for_end(self):
        """Waits until the broker ends the subscription."""
        end = time.monotonic() + DEADLINE
        while not self.ended:
            self.next(0.1)
            assert time.monotonic() < end, "the subscription has not ended"

    @property
    def ended(self):
        raise NotImplementedError

    def close(self):
        """Unsubscribes, as politely as the protocol can; nothing after the first time, like cut()."""
        if not self._gone:
            self._gone = True
            self.unsubscribe()

    def cut(self):
        """The connection is gone."""
        if not self._gone:
            self._gone = True
            self.hang_up()

    _gone = False

    def unsubscribe(self):
        raise NotImplementedError

    def hang_up(self):
        raise NotImplementedError


class Door:
    """One client of one broker. Absent fields are not sent; every refusal is raised as Refused.

    zero_is_default: a number that is 0 looks like one that is absent.
    settles_at_any_queue: a settlement may name no queue. (HTTP has it in the path.)
    """

    zero_is_default = False
    settles_at_any_queue = True

    def spelling(self, code):
        """The code as far as the protocol can tell it from others."""
        return code

    def create_namespace(self, name):
        raise NotImplementedError

    def delete_namespace(self, name):
        raise NotImplementedError

    def list_namespaces(self):
        """Names."""
        raise NotImplementedError

    def create_topic(self, namespace, name, queue_count=None, **settings):
        raise NotImplementedError

    def delete_topic(self, namespace, name):
        raise NotImplementedError

    def list_topics(self, namespace):
        """[(name, queue_count, version)]"""
        raise NotImplementedError

    def get_topic(self, namespace, name):
        """TopicDetails"""
        raise NotImplementedError

    def update_topic(self, namespace, name, **settings):
        raise NotImplementedError

    def resize_topic(self, namespace, name, new_queue_count):
        """Resized"""
        raise NotImplementedError

    def rebalance_topic(self, namespace, name):
        raise NotImplementedError

    def publish(self, namespace, topic, payload, **fields):
        """Published. fields: headers, routing_key, queue_id, delay_ms, deliver_at_ms, ttl_ms."""
        raise NotImplementedError

    def publish_batch(self, namespace, topic, messages):
        """Published or Refused of each of the messages, which are dictionaries of what publish() takes."""
        raise NotImplementedError

    def consume(self, namespace, topic, queue_id=0, **fields):
        """Messages. fields: batch_size, auto_ack, wait_ms, lease_ms."""
        raise NotImplementedError

    def subscribe(self, namespace, topic, queue_id=0, **fields):
        """A Subscription that stands. fields: auto_ack, max_in_flight."""
        raise NotImplementedError

    def ack(self, namespace, topic, message_ids, queue_id=0):
        """Settled, like nack and extend."""
        raise NotImplementedError

    def nack(self, namespace, topic, message_ids, queue_id=0, **fields):
        """fields: delay_ms, reason."""
        raise NotImplementedError

    def extend(self, namespace, topic, message_ids, queue_id=0, **fields):
        """fields: lease_ms."""
        raise NotImplementedError

    def peek(self, namespace, topic, queue_id=0, **fields):
        """Messages. fields: limit, state."""
        raise NotImplementedError

    def purge(self, namespace, topic, queue_id=0):
        """How many."""
        raise NotImplementedError

    def list_dead(self, namespace, topic, **fields):
        """Messages with reason and dead_at. fields: limit."""
        raise NotImplementedError

    def redrive_dead(self, namespace, topic, message_ids=None):
        """How many; all of them when none is named."""
        raise NotImplementedError

    def purge_dead(self, namespace, topic):
        """How many."""
        raise NotImplementedError

    def stats(self):
        """What /v1/stats shows."""
        raise NotImplementedError

    def close(self):
        raise NotImplementedError
