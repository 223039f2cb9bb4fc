"""kill -9 at random points under load from every door, while queues are resized and stolen from and the log is rewritten; after each
start, what is there is held against what the clients were told.

MQLITE_CRASH_SECONDS: how long (15); MQLITE_CRASH_SEED: what the choices are made from (printed).
"""

import os
import random
import subprocess
import sys
import threading
import time
import unittest
import warnings

from harness import BINARY, DEADLINE, SOURCE, BrokerCase, base_environment, wait_until

# Brokers are started while threads of gRPC run; its preparations for a fork would wait for them, and what is forked becomes a broker.
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"
sys.path.insert(0, os.path.join(SOURCE, "test", "conformance"))
try:
    from door import Refused
    from doors import DOORS
finally:
    sys.path.pop(0)

SECONDS = float(os.environ.get("MQLITE_CRASH_SECONDS") or 15)
SEED = int(os.environ.get("MQLITE_CRASH_SEED") or random.SystemRandom().randrange(1 << 32))
HOUR = 3_600_000
POLICIES = ("always", "everysec", "no")
NAMESPACE = "crash"
MOST_QUEUES = 5


class Ledger:
    """What the clients of one topic were told, over all restarts."""

    def __init__(self):
        self.lock = threading.Lock()
        self.attempted = set()    # payloads that were sent
        self.refused = set()      # payloads that were answered with a refusal that stores nothing
        self.payload_of = {}      # id -> payload of each answered publish
        self.deliveries = {}      # id -> highest delivery count that a client saw
        self.held = {}            # id -> delivery count, of leases that nobody settles in this round
        self.ack_sent = set()     # no answer is known
        self.acked = set()        # the ack was answered
        self.gone = set()         # of what acknowledges itself: no longer in the topic, recorded or not

    def published(self, payload, message_id):
        with self.lock:
            assert message_id not in self.payload_of, "one id for two messages"
            self.payload_of[message_id] = payload

    def pushed(self, message):
        """Its count says nothing: it may have waited in a socket while its subscription ended and others went on with the message; and
        where a connection breaks within a burst, none of the burst counts as delivered."""
        assert message.payload.decode() in self.attempted, message

    def delivered(self, messages):
        with self.lock:
            for m in messages:
                assert m.id not in self.acked, f"{m.id} was delivered behind its acknowledgement"
                assert m.payload.decode() in self.attempted, m
                assert self.payload_of.get(m.id, m.payload.decode()) == m.payload.decode(), m
                seen = self.deliveries.get(m.id, 0)
                assert m.delivery_count > seen, f"{m.id}: delivery {m.delivery_count} behind {seen}"
                self.deliveries[m.id] = m.delivery_count


class Load:
    """The clients of one round: threads that work until the broker is killed."""

    def __init__(self, broker, seed):
        self.broker = broker
        self.random = random.Random(seed)
        self.killed = threading.Event()
        self.errors = []
        self.steps = 0
        self.done = {}
        self.threads = []

    def add(self, work, *arguments):
        rng = random.Random(self.random.random())
        name = rng.choice(sorted(DOORS))
        thread = threading.Thread(target=self._run, args=(work, name, rng, arguments))
        self.threads.append(thread)

    def start(self):
        for thread in self.threads:
            thread.start()

    def step(self, what):
        self.steps += 1
        self.done[what] = self.done.get(what, 0) + 1

    def _run(self, work, name, rng, arguments):
        door = None
        try:
            door = DOORS[name](self.broker)
            while not self.killed.is_set():
                work(self, door, rng, *arguments)
        except BaseException as error:  # what fails because of the kill says nothing; the rest is for the main thread
            if not self.killed.is_set():
                self.errors.append(f"{work.__name__} by {name}: {error!r}")
        finally:
            if door is not None:
                try:
                    door.close()
                except Exception:  # the broker has gone
                    pass

    def kill(self):
        self.killed.set()
        self.broker.kill()
        for thread in self.threads:
            thread.join(DEADLINE)
            assert not thread.is_alive(), "a client has not noticed that the broker is gone"


class CrashLoop(BrokerCase):

    def setUp(self):
        warnings.simplefilter("ignore", ResourceWarning)  # connections that the kill has cut are left to the garbage collector
        self.ledgers = {name: Ledger() for name in ("orders", "auto")}
        self.queue_counts = {3}
        self.numbers = iter(range(1 << 60))
        self.rewrites = 0
        self.rewrite_answers = ()

    # --- the clients ------------------------------------------------------------------------------------------------

    def publish(self, load, door, rng, topic):
        ledger = self.ledgers[topic]
        fields = rng.choice([{}, {}, {"routing_key": f"k{rng.randrange(9)}"}, {"headers": {"a": "b"}}, {"delay_ms": rng.randrange(1, 80)}])
        if topic == "orders" and rng.random() < 0.3:
            fields = fields | {"queue_id": rng.randrange(MOST_QUEUES)}
        size = rng.choice((0, 10, 300, 5000))
        payloads = [f'"{next(self.numbers)} {"x" * size}"' for _ in range(rng.choice((1, 1, 1, 5, 20)))]
        ledger.attempted.update(payloads)
        answers = self.publish_all(door, topic, payloads, fields)
        for payload, answer in zip(payloads, answers, strict=True):
            if isinstance(answer, Refused):
                assert answer.code == "NOT_FOUND" and "queue_id" in fields, answer  # the topic has fewer queues now
                ledger.refused.add(payload)
            else:
                ledger.published(payload, answer.message_id)
        load.step("publish")

    @staticmethod
    def publish_all(door, topic, payloads, fields):
        if len(payloads) > 1:
            return door.publish_batch(NAMESPACE, topic, [{"payload": p.encode()} | fields for p in payloads])
        try:
            return [door.publish(NAMESPACE, topic, payloads[0].encode(), **fields)]
        except Refused as refusal:
            if refusal.code != "NOT_FOUND":
                raise
            return [refusal]

    def consume(self, load, door, rng):
        """From a queue that may be empty, so that it steals, or may be gone."""
        queue = rng.choice((-1, *range(MOST_QUEUES)))
        try:
            messages = door.consume(NAMESPACE, "orders", queue, batch_size=rng.choice((1, 5, 30)), lease_ms=HOUR,
                                    wait_ms=rng.choice((0, 0, 50)))
        except Refused as refusal:
            if refusal.code != "NOT_FOUND":
                raise
            return
        self.ledgers["orders"].delivered(messages)
        self.settle(load, door, rng, messages, max(queue, 0))

    def settle(self, load, door, rng, messages, queue):
        ledger = self.ledgers["orders"]
        kept = {}
        acked, nacked = [], []
        for m in messages:
            where = rng.choices(("ack", "nack", "keep"), (80, 10, 10))[0]
            if where == "ack":
                acked.append(m)
            elif where == "nack":
                nacked.append(m)
            else:
                kept[m.id] = m.delivery_count
        with ledger.lock:
            ledger.held.update(kept)
            ledger.ack_sent.update(m.id for m in acked)
        if acked:
            names = [rng.choice((m.id, m.receipt)) for m in acked]
            try:
                settled = door.ack(NAMESPACE, "orders", names, queue)
            except Refused as refusal:
                if refusal.code != "NOT_FOUND":
                    raise
                return  # the queue was dropped meanwhile
            # A queue that is being dropped deals its leases to others: what is on its way just then is found by nobody.
            unsettled = {name.split("#")[0] for name in (*settled.unknown, *settled.stale)}
            with ledger.lock:
                ledger.acked.update(m.id for m in acked if m.id not in unsettled)
                ledger.ack_sent.difference_update(m.id for m in acked if m.id not in unsettled)
            load.step("ack")
        if nacked:
            try:
                door.nack(NAMESPACE, "orders", [m.id for m in nacked], queue)
            except Refused as refusal:
                if refusal.code != "NOT_FOUND":
                    raise
            load.step("nack")

    def subscribe(self, load, door, rng):
        try:
            subscription = door.subscribe(NAMESPACE, "orders", rng.choice((-1, 0)), max_in_flight=20)
        except Refused as refusal:
            if refusal.code not in ("NOT_FOUND", "FAILED_PRECONDITION"):
                raise
            return
        try:
            for _ in range(rng.randrange(1, 60)):
                message = subscription.next(0.05)
                if load.killed.is_set() or subscription.ended:
                    return
                if message is None:
                    continue
                self.ledgers["orders"].pushed(message)
                if rng.random() < 0.8:
                    self.settle_pushed(load, door, message)
        finally:
            subscription.cut()

    def settle_pushed(self, load, door, message):
        ledger = self.ledgers["orders"]
        with ledger.lock:
            ledger.ack_sent.add(message.id)
        try:
            settled = door.ack(NAMESPACE, "orders", [message.id], 0)
        except Refused as refusal:
            if refusal.code != "NOT_FOUND":
                raise
            return
        if settled.count == 1:
            with ledger.lock:
                ledger.acked.add(message.id)
                ledger.ack_sent.discard(message.id)
        load.step("push")

    def consume_automatically(self, load, door, rng):
        """Such a message is leased until its bytes are written, and gone then; the record of that is written with the next answer of
        its queue at the latest. A kill before that brings it back."""
        ledger = self.ledgers["auto"]
        messages = door.consume(NAMESPACE, "auto", batch_size=5, auto_ack=True, wait_ms=20)
        for m in messages:
            assert m.id not in ledger.acked, f"{m.id} was delivered behind its acknowledgement"
            ledger.pushed(m)  # no lease is recorded, so its count is not
        with ledger.lock:
            if messages:
                ledger.acked |= ledger.gone
                ledger.ack_sent -= ledger.gone
            ledger.ack_sent.update(m.id for m in messages)
            ledger.gone = set()
        if not any(queue.leased for queue in door.get_topic(NAMESPACE, "auto").queues):
            with ledger.lock:
                ledger.gone = set(ledger.ack_sent)
        load.step("auto")

    def administer(self, load, door, rng):
        what = rng.choice(("resize", "resize", "rebalance", "rewrite", "rewrite"))
        try:
            if what == "resize":
                wanted = rng.randrange(1, MOST_QUEUES + 1)
                self.queue_counts = self.queue_counts | {wanted}
                door.resize_topic(NAMESPACE, "orders", wanted)
                self.queue_counts = {wanted}
            elif what == "rebalance":
                door.rebalance_topic(NAMESPACE, "orders")
            else:
                answer = self.broker.post("/v1/admin/rewrite")
                assert answer.status in self.rewrite_answers, answer
                self.rewrites += answer.status == 202
        except Refused as refusal:
            if refusal.code != "FAILED_PRECONDITION":
                raise
        load.step(what)
        load.killed.wait(rng.random() * 0.1)

    # --- what is there ----------------------------------------------------------------------------------------------

    def check_folder(self):
        checker = os.path.join(os.path.dirname(BINARY), "mqlite_check")
        result = subprocess.run([checker, self.broker.data], env=base_environment(), capture_output=True, text=True, timeout=DEADLINE)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

    def explain(self, message_id):
        checker = os.path.join(os.path.dirname(BINARY), "mqlite_check")
        return subprocess.run([checker, self.broker.data, "--explain", message_id], env=base_environment(), capture_output=True, text=True,
                              timeout=DEADLINE).stdout

    def check(self, door, topic):
        ledger = self.ledgers[topic]
        details = door.get_topic(NAMESPACE, topic)
        if topic == "orders":
            self.assertIn(details.queue_count, self.queue_counts)
        wait_until(lambda: not any(q.delayed for q in door.get_topic(NAMESPACE, topic).queues), "delays are over")
        counts = door.get_topic(NAMESPACE, topic).queues
        self.check_leases(door, topic, counts)
        found = []
        while messages := door.consume(NAMESPACE, topic, -1, batch_size=200, lease_ms=HOUR):
            found += messages
        ids = {m.id for m in found}
        self.assertEqual(len(ids), len(found), "a message was delivered twice")
        self.assertEqual(sum(q.ready + q.leased for q in counts), len(ids), "a message is in two queues, or in none")
        self.assertEqual(ids & ledger.acked, set(), "acknowledged messages came back")
        try:
            ledger.delivered(found)
        except AssertionError as wrong:
            self.fail(f"{wrong}\n{self.explain(str(wrong)[:36])}")
        missing = set(ledger.payload_of) - ids - ledger.acked - ledger.ack_sent
        if topic == "auto":
            # Handed off in an answer that the kill kept from its consumer.
            self.assertLessEqual(len(missing), 5, missing)
        else:
            self.assertEqual(missing, set(), "answered messages are lost")
        payloads = [m.payload.decode() for m in found]
        self.assertEqual(len(set(payloads)), len(payloads), "one payload has two ids")
        self.assertEqual(set(payloads) & ledger.refused, set(), "a refused message is there")
        for m in found:
            ledger.payload_of.setdefault(m.id, m.payload.decode())
        # Of an ack without an answer it is known now whether it was recorded.
        ledger.acked |= (ledger.ack_sent | missing) - ids
        ledger.ack_sent = set()
        ledger.gone = set()
        self.give_back(door, topic, found)

    def check_leases(self, door, topic, queues):
        """Leases that nobody has settled outlive the broker, with their counts."""
        ledger = self.ledgers[topic]
        leased = {}
        for queue in queues:
            if queue.leased:
                self.assertLess(queue.leased, 1000)
                for m in door.peek(NAMESPACE, topic, queue.queue_id, limit=1000, state="leased"):
                    self.assertNotIn(m.id, leased, "a message is leased in two queues")
                    leased[m.id] = m.delivery_count
        for id_, count in ledger.held.items():
            self.assertGreaterEqual(leased.get(id_, 0), count, f"the lease of {id_} is gone")
        ledger.held = {}
        if leased:
            self.assertEqual(door.nack(NAMESPACE, topic, list(leased)).count, len(leased))

    def give_back(self, door, topic, found):
        """So that the topic does not grow from round to round, most of it is acknowledged."""
        ledger = self.ledgers[topic]
        ids = [m.id for m in found]
        done = ids[:max(0, len(ids) - 100)]
        if done:
            self.assertEqual(door.ack(NAMESPACE, topic, done).count, len(done))
            ledger.acked.update(done)
        if ids[len(done):]:
            self.assertEqual(door.nack(NAMESPACE, topic, ids[len(done):]).count, len(ids) - len(done))

    # --- the loop ---------------------------------------------------------------------------------------------------

    def round(self, rng):
        load = Load(self.broker, rng.random())
        for _ in range(2):
            load.add(self.publish, "orders")
            load.add(self.consume)
        for work in (self.subscribe, self.consume_automatically, self.administer):
            load.add(work)
        load.add(self.publish, "auto")
        target = rng.choice((20, 100, 300, 800))
        load.start()
        try:
            wait_until(lambda: load.steps >= target or load.errors, "the load runs")
            time.sleep(rng.random() * 0.02)
        finally:
            load.kill()
        self.assertEqual(load.errors, [])

    def restart(self, rng):
        """A start; sometimes it is killed as well, before it is ready."""
        self.broker.flags = ["--persistence.aof.fsync", rng.choice(POLICIES), "--persistence.aof.rewrite_min_size", "64KB"]
        while rng.random() < 0.2:
            self.broker.launch()
            time.sleep(rng.random() * 0.03)
            self.broker.kill()
        self.broker.start()

    def test_what_was_answered_holds(self):
        rng = random.Random(SEED)
        self.broker = self.new_broker()
        rounds, end = 0, time.monotonic() + SECONDS
        with self.subTest(seed=SEED):
            self.restart(rng)
            for topic, count in (("orders", 3), ("auto", 1)):
                self.broker.create_topic(topic, NAMESPACE, queue_count=count, ack_timeout_ms=HOUR)
            offered = "/v1/admin/rewrite" in self.broker.get("/openapi.json").json["paths"]
            self.rewrite_answers = (202, 409) if offered else (404,)
            while rounds < 3 or time.monotonic() < end:
                self.round(rng)
                self.check_folder()
                self.restart(rng)
                door = DOORS[rng.choice(sorted(DOORS))](self.broker)
                for topic in self.ledgers:
                    self.check(door, topic)
                door.close()
                rounds += 1
        self.assertTrue(not offered or self.rewrites or rounds < 10, "no log was rewritten")
        answered = sum(len(ledger.payload_of) for ledger in self.ledgers.values())
        print(f"crash loop: seed {SEED}, {rounds} kills, {answered} messages, {self.rewrites} rewrites", file=sys.stderr)


if __name__ == "__main__":
    unittest.main()
