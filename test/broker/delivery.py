"""What tests of delivery share: a topic with one method for each operation, a push subscription that can be read,
left unread or cut, long polls in the background, and the metrics as a dictionary.
"""

import collections
import json
import os
import re
import select
import socket
import threading
import time

import harness

UNKNOWN_ID = "01890000-0000-7000-8000-000000000000"

Event = collections.namedtuple("Event", "name id data text")


def ids(messages):
    return [message["id"] for message in messages]


def payloads(messages):
    return [message["payload"] for message in messages]


def receipts(messages):
    return [message["receipt"] for message in messages]


class Topic:
    """One topic of a broker; survives the broker's restart, since each call connects anew."""

    def __init__(self, broker, path):
        self.broker = broker
        self.path = path

    @classmethod
    def create(cls, broker, name="orders", namespace="test", **fields):
        return cls(broker, broker.create_topic(name, namespace, **fields))

    def call(self, method, path, body=None):
        """The Answer, whatever its status."""
        return self.broker.request(method, self.path + path, body)

    def ok(self, method, path, body=None):
        return self.broker.ok(method, self.path + path, body)

    # --- publishing -------------------------------------------------------------------------------------------

    def publish(self, payload, **fields):
        """The id."""
        return self.ok("POST", "/publish", {"payload": payload} | fields)["message_id"]

    def fill(self, values, **fields):
        """Publishes a batch with these payloads; the ids. Every one must be stored."""
        answers = self.ok("POST", "/publish_batch", {"messages": [{"payload": value} | fields for value in values]})
        assert all("message_id" in answer for answer in answers), answers
        return [answer["message_id"] for answer in answers]

    # --- consuming --------------------------------------------------------------------------------------------

    def consume(self, queue=0, batch_size=1, **fields):
        return self.ok("POST", f"/queues/{queue}/consume", {"batch_size": batch_size} | fields)

    def consume_any(self, batch_size=1, **fields):
        return self.ok("POST", "/consume", {"batch_size": batch_size} | fields)

    def ack(self, names, queue=0):
        return self.ok("POST", f"/queues/{queue}/ack", {"message_ids": names})

    def nack(self, names, queue=0, **fields):
        return self.ok("POST", f"/queues/{queue}/nack", {"message_ids": names} | fields)

    def extend(self, names, lease_ms, queue=0):
        return self.ok("POST", f"/queues/{queue}/extend", {"message_ids": names, "lease_ms": lease_ms})

    def subscribe(self, queue=0, query="", **options):
        """queue None: from any queue of the topic."""
        place = "" if queue is None else f"/queues/{queue}"
        return Subscription(self.broker.port, f"{self.path}{place}/subscribe{query}", **options)

    # --- looking ----------------------------------------------------------------------------------------------

    def peek(self, queue=0, state="ready", limit=1000):
        return self.ok("GET", f"/queues/{queue}/messages?state={state}&limit={limit}")

    def info(self):
        return self.ok("GET", "")

    def counts(self, queue=0):
        """(ready, leased, delayed) of one queue."""
        found = self.info()["queues"][queue]
        return found["ready"], found["leased"], found["delayed"]

    def total(self, field="ready"):
        return sum(queue[field] for queue in self.info()["queues"])

    def dead(self, limit=1000):
        return self.ok("GET", f"/dead?limit={limit}")

    def wait_for_counts(self, expected, queue=0):
        harness.wait_until(lambda: self.counts(queue) == expected,
                           f"(ready, leased, delayed) = {expected} in queue {queue}")

    def wait_for_consumers(self, number):
        harness.wait_until(lambda: self.total("consumers") == number, f"{number} consumers")


class Subscription:
    """Server-sent events on a raw socket: reads only when asked to. small_window: a small receive buffer."""

    def __init__(self, port, path, small_window=False):
        self.socket = socket.socket()
        if small_window:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        self.socket.settimeout(harness.DEADLINE)
        self.socket.connect(("127.0.0.1", port))
        self.socket.sendall(f"GET {path} HTTP/1.1\r\nHost: test\r\nAccept: text/event-stream\r\n\r\n".encode())
        self._raw = b""
        self._text = b""
        self.ended = False
        while b"\r\n\r\n" not in self._raw:
            data = self.socket.recv(65536)
            assert data, f"the stream ended in its head: {self._raw!r}"
            self._raw += data
        head, self._raw = self._raw.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        self.status = int(lines[0].split(" ")[1])
        self.headers = {name.lower(): value.strip() for name, value in (line.split(":", 1) for line in lines[1:])}
        self._chunked = self.headers.get("transfer-encoding", "").lower() == "chunked"
        self._decode()

    def read_error(self):
        """The JSON body of an answer that is no stream."""
        size = int(self.headers["content-length"])
        while len(self._text) < size:
            assert self._receive(harness.DEADLINE), "the answer is cut short"
        return json.loads(self._text[:size])

    def next(self, timeout=harness.DEADLINE):
        """The next event; None when none came in time or the stream ended (see `ended`)."""
        end = time.monotonic() + timeout
        while True:
            while b"\n\n" in self._text:
                block, self._text = self._text.split(b"\n\n", 1)
                if (event := self._parse(block)) is not None:
                    return event
            if not self._receive(max(0, end - time.monotonic())):
                return None

    def take(self, number, timeout=harness.DEADLINE):
        """The Messages of the next `number` events; fails when there are fewer in time."""
        taken = []
        while len(taken) < number:
            event = self.next(timeout)
            assert event is not None, f"{len(taken)} of {number} events came; ended: {self.ended}"
            assert event.name == "message", event
            taken.append(event.data)
        return taken

    def _receive(self, timeout):
        if self.ended or not select.select([self.socket], [], [], timeout)[0]:
            return False
        try:
            data = self.socket.recv(1 << 18)
        except ConnectionResetError:
            data = b""
        if not data:
            self.ended = True
            return False
        self._raw += data
        self._decode()
        return True

    def _decode(self):
        if not self._chunked:
            self._text += self._raw
            self._raw = b""
            return
        while b"\r\n" in self._raw:
            size_line, rest = self._raw.split(b"\r\n", 1)
            size = int(size_line.split(b";")[0], 16)
            if len(rest) < size + 2:
                return
            assert rest[size:size + 2] == b"\r\n", "a chunk does not end where it says"
            self._text += rest[:size]
            self._raw = rest[size + 2:]
            if size == 0:
                self.ended = True
                return

    @staticmethod
    def _parse(block):
        """None for a comment alone."""
        fields = {}
        for line in block.decode().split("\n"):
            if line.startswith(":") or not line:
                continue
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            fields[name] = fields[name] + "\n" + value if name in fields else value
        if not fields:
            return None
        text = fields.get("data")
        try:
            data = None if text is None else json.loads(text)
        except ValueError:
            data = text
        return Event(fields.get("event", "message"), fields.get("id"), data, text)

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class InBackground(threading.Thread):
    """Runs a call on a thread of its own; result() returns what it returned or raises what it raised."""

    def __init__(self, call, *arguments, **options):
        super().__init__(daemon=True)
        self._call = lambda: call(*arguments, **options)
        self._outcome = None
        self._error = None
        self.start()

    def run(self):
        try:
            self._outcome = self._call()
        except BaseException as error:  # handed to the thread that asks for the result
            self._error = error

    def result(self, timeout=harness.DEADLINE):
        self.join(timeout)
        assert not self.is_alive(), "the call has not returned"
        if self._error is not None:
            raise self._error
        return self._outcome


SAMPLE = re.compile(r'^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$')
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"')


def parse_metrics(text):
    """{(name, ((label, value), …sorted)): number} of a Prometheus text; fails on a line that is none."""
    found = {}
    for line in text.split("\n"):
        if not line or line.startswith("#"):
            continue
        match = SAMPLE.match(line)
        assert match, f"no sample: {line!r}"
        labels = tuple(sorted(LABEL.findall(match[2] or "")))
        key = (match[1], labels)
        assert key not in found, f"twice: {line!r}"
        found[key] = float(match[3])
    return found


def metric(broker, name, **labels):
    """The value of one sample with exactly these labels; None when there is none."""
    answer = broker.get("/metrics")
    assert answer.status == 200, answer
    return parse_metrics(answer.body.decode()).get((name, tuple(sorted(labels.items()))))


def topic_metric(topic, name):
    """A metric with the labels of one topic alone."""
    _, _, _, namespace, _, name_of_topic = topic.path.split("/")
    return metric(topic.broker, name, namespace=namespace, topic=name_of_topic)


def cpu_seconds(broker):
    """What the broker's process has used up so far, user and system."""
    with open(f"/proc/{broker.process.pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_of(broker):
    return broker.ok("GET", "/v1/stats")["memory"]


def sanitized():
    """Whether the binary is built with a sanitizer, whose bookkeeping makes measures of memory meaningless."""
    with open(harness.BINARY, "rb") as file:
        return re.search(rb"__(a|t|m)san_init", file.read()) is not None
