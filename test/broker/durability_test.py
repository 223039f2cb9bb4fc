"""What was answered is there after kill -9 at any moment, and nothing is there twice."""

import http.client
import random
import threading
import unittest

from harness import BrokerCase, wait_until

HOUR = 3_600_000


class History:
    """What the clients of one folder were told, over all its restarts."""

    def __init__(self):
        self.lock = threading.Lock()
        self.steps = 0
        self.payload_of = {}     # id -> payload of each answered publish
        self.attempted = set()   # payloads that were sent, answered or not
        self.deliveries = {}     # id -> highest delivery count that a client saw
        self.leased = set()      # handed out, and no ack was sent
        self.ack_sent = set()    # the ack was sent, its answer is not known
        self.ack_answered = set()
        self.errors = []

    def step(self):
        with self.lock:
            self.steps += 1


class KillUnderLoad(BrokerCase):
    """Publishers, consumers and a killer; the folder is the same over all rounds."""

    ROUNDS = 3
    AUTO_BATCH = 5
    # HTTP fails like this when the broker is killed.
    GONE = (OSError, http.client.HTTPException)

    def publisher(self, name, round_, topic, history, **fields):
        random_ = random.Random(f"{name} {round_}")

        def work(client, number):
            payloads = [f"{name}-{round_}-{number}-{n}" for n in range(random_.choice((1, 1, 1, 20)))]
            history.attempted.update(payloads)
            if len(payloads) == 1:
                answer = client.request("POST", f"{topic}/publish", {"payload": payloads[0]} | fields)
                self.assertEqual(answer.status, 200, answer)
                answers = [answer.data]
            else:
                answer = client.request("POST", f"{topic}/publish_batch",
                                        {"messages": [{"payload": p} | fields for p in payloads]})
                self.assertEqual(answer.status, 200, answer)
                answers = answer.data
            with history.lock:
                for payload, published in zip(payloads, answers, strict=True):
                    self.assertNotIn(published["message_id"], history.payload_of)
                    history.payload_of[published["message_id"]] = payload
        return work

    def acknowledger(self, round_, topic, history, queues=(0, 1)):
        random_ = random.Random(f"ack {round_}")

        def work(client, number):
            queue = f"{topic}/queues/{queues[number % len(queues)]}"
            answer = client.request("POST", f"{queue}/consume", {"batch_size": 8, "lease_ms": HOUR})
            self.assertEqual(answer.status, 200, answer)
            ids = [m["id"] for m in answer.data]
            with history.lock:
                for message in answer.data:
                    self.assertNotIn(message["id"], history.ack_sent | history.ack_answered)
                    history.deliveries[message["id"]] = message["delivery_count"]
                history.leased.update(ids)
            done = [id_ for id_ in ids if random_.random() < 0.8]
            if not done:
                return
            with history.lock:
                history.leased.difference_update(done)
                history.ack_sent.update(done)
            answer = client.request("POST", f"{queue}/ack", {"message_ids": done})
            self.assertEqual((answer.status, answer.data.get("acknowledged")), (200, len(done)), answer)
            with history.lock:
                history.ack_sent.difference_update(done)
                history.ack_answered.update(done)
        return work

    def auto_acknowledger(self, topic, history):
        def work(client, _):
            answer = client.request("POST", f"{topic}/queues/0/consume", {"batch_size": self.AUTO_BATCH, "auto_ack": True})
            self.assertEqual(answer.status, 200, answer)
            with history.lock:
                # A message is acknowledged once its bytes are written: a kill between the two brings it back.
                history.ack_answered.update(history.ack_sent)
                history.ack_sent = {m["id"] for m in answer.data}
                self.assertEqual(history.ack_sent & history.ack_answered, set())
        return work

    def load(self, broker, work, histories):
        """A thread that works on one connection until the broker has gone."""
        def loop():
            number = 0
            try:
                with broker.client() as client:
                    while True:
                        work(client, number)
                        number += 1
                        for history in histories:
                            history.step()
            except self.GONE:
                pass
            except BaseException as error:  # reported by the main thread
                histories[0].errors.append(error)
        thread = threading.Thread(target=loop)
        thread.start()
        return thread

    def check_leases(self, broker, topic, history):
        """What was handed out is still leased, with its delivery count; the rest of the test wants it back."""
        leased = {}
        for queue in range(2):
            for message in broker.ok("GET", f"{topic}/queues/{queue}/messages?state=leased&limit=1000"):
                leased[message["id"]] = message
        self.assertLess(len(leased), 1000)
        self.assertLessEqual(history.leased, set(leased))
        for id_ in history.leased:
            self.assertEqual(leased[id_]["delivery_count"], history.deliveries[id_])
        if leased:
            returned = broker.ok("POST", f"{topic}/queues/0/nack", {"message_ids": list(leased)})
            self.assertEqual(returned["returned"], len(leased), returned)

    def check_messages(self, broker, topic, queues, history, may_miss, round_):
        """Each message is there exactly once, unless its ack was sent."""
        found = []
        for queue in range(queues):
            found += broker.consume(topic, queue, 10_000, lease_ms=HOUR)
        ids = [m["id"] for m in found]
        self.assertEqual(len(ids), len(set(ids)), "a message is there twice")
        self.assertEqual(set(ids) & history.ack_answered, set(), "an acknowledged message came back")
        missing = set(history.payload_of) - set(ids) - history.ack_answered - history.ack_sent
        self.assertLessEqual(len(missing), may_miss, f"messages are lost: {sorted(history.payload_of[m] for m in missing)[:20]}")
        for message in found:
            expected = history.payload_of.setdefault(message["id"], message["payload"])
            self.assertEqual(message["payload"], expected)
            self.assertIn(message["payload"], history.attempted)
            seen = history.deliveries.get(message["id"], 0)
            # A consume whose answer the kill cut off may have counted too, once in each round.
            self.assertIn(message["delivery_count"], range(seen + 1, seen + 3 + round_))
            history.deliveries[message["id"]] = message["delivery_count"]
        by_payload = {m["payload"] for m in found}
        self.assertEqual(len(by_payload), len(found), "a payload has two ids")
        history.ack_answered |= (history.ack_sent | missing) - set(ids)
        history.ack_sent.clear()
        history.leased.clear()
        if ids:
            self.assertEqual(broker.ok("POST", f"{topic}/queues/0/nack", {"message_ids": ids})["returned"], len(ids))

    def kill_under_load(self, fsync):
        broker = self.start_broker("--persistence.aof.fsync", fsync)
        manual = broker.create_topic("manual", queue_count=2, ack_timeout_ms=HOUR)
        auto = broker.create_topic("auto", ack_timeout_ms=HOUR)
        manual_history, auto_history = History(), History()
        killer = random.Random(fsync)
        for round_ in range(self.ROUNDS):
            steps = manual_history.steps + killer.randint(100, 600)
            threads = [
                self.load(broker, self.publisher("one", round_, manual, manual_history), [manual_history]),
                self.load(broker, self.publisher("two", round_, manual, manual_history), [manual_history]),
                self.load(broker, self.acknowledger(round_, manual, manual_history), [manual_history]),
                self.load(broker, self.publisher("three", round_, auto, auto_history), [auto_history]),
                self.load(broker, self.auto_acknowledger(auto, auto_history), [auto_history])]
            wait_until(lambda: manual_history.steps >= steps or manual_history.errors or auto_history.errors, "the load runs")
            broker.kill()
            for thread in threads:
                thread.join()
            self.assertEqual(manual_history.errors + auto_history.errors, [])
            broker.start()
            self.check_leases(broker, manual, manual_history)
            self.check_messages(broker, manual, 2, manual_history, 0, round_)
            self.check_messages(broker, auto, 1, auto_history, self.AUTO_BATCH, round_)

    def test_while_messages_are_stolen(self):
        broker = self.start_broker("--persistence.aof.fsync", "no")
        topic = broker.create_topic("stolen", queue_count=2, ack_timeout_ms=HOUR)
        history = History()
        killer = random.Random(11)
        for round_ in range(self.ROUNDS + 2):
            # All is published to queue 0 and consumed from queue 1: whatever a consumer gets was stolen.
            target = len(history.ack_answered) + killer.randint(50, 200)
            threads = [
                self.load(broker, self.publisher("one", round_, topic, history, queue_id=0), [history]),
                self.load(broker, self.acknowledger(round_, topic, history, [1]), [history]),
                self.load(broker, self.acknowledger(round_ + 100, topic, history, [1, 1, 0]), [history])]
            wait_until(lambda: len(history.ack_answered) >= target or history.errors, "messages are stolen and acknowledged")
            broker.kill()
            for thread in threads:
                thread.join()
            self.assertEqual(history.errors, [])
            broker.start()
            self.check_leases(broker, topic, history)
            self.check_messages(broker, topic, 2, history, 0, round_)

    def test_with_fsync_always(self):
        self.kill_under_load("always")

    def test_with_fsync_everysec(self):
        self.kill_under_load("everysec")

    def test_with_fsync_no(self):
        self.kill_under_load("no")


class KillDuringChurn(BrokerCase):
    """Namespaces and topics are made, changed and deleted while kill -9 hits: what was answered holds."""

    def churn(self, broker, worker, round_, known):
        """Works on names of its own; known: topic -> the states that it may be in, None for not there."""
        random_ = random.Random(f"{worker} {round_}")
        namespace = f"/v1/namespaces/worker{worker}/topics"
        try:
            with broker.client() as client:
                while True:
                    topic = f"t{random_.randrange(4)}"
                    state = known.get(topic, {None})
                    assert len(state) == 1, "a state is uncertain only at the start of a round"
                    if state == {None}:
                        wanted = (random_.randint(1, 5), random_.randint(0, 9))
                        known[topic] = state | {wanted}
                        answer = client.request("POST", namespace, {"name": topic, "queue_count": wanted[0], "max_deliveries": wanted[1]})
                        self.assertEqual(answer.status, 201, answer)
                    elif random_.random() < 0.5:
                        wanted = (next(iter(state))[0], random_.randint(0, 9))
                        known[topic] = state | {wanted}
                        answer = client.request("PATCH", f"{namespace}/{topic}", {"max_deliveries": wanted[1]})
                        self.assertEqual(answer.status, 200, answer)
                    else:
                        client.request("POST", f"{namespace}/{topic}/publish", {"payload": 1})
                        wanted = None
                        known[topic] = state | {None}
                        answer = client.request("DELETE", f"{namespace}/{topic}")
                        self.assertEqual(answer.status, 200, answer)
                    known[topic] = {wanted}
                    with self.lock:
                        self.steps += 1
        except (OSError, http.client.HTTPException):
            pass
        except BaseException as error:  # reported by the main thread
            self.errors.append(error)

    def test_what_was_answered_about_topics_holds(self):
        self.lock, self.steps, self.errors = threading.Lock(), 0, []
        broker = self.start_broker("--persistence.aof.fsync", "no")
        known = [{} for _ in range(4)]
        for worker in range(4):
            broker.ok("POST", "/v1/namespaces", {"name": f"worker{worker}"})
        killer = random.Random(7)
        for round_ in range(4):
            target = self.steps + killer.randint(50, 300)
            threads = [threading.Thread(target=self.churn, args=(broker, worker, round_, known[worker])) for worker in range(4)]
            for thread in threads:
                thread.start()
            wait_until(lambda: self.steps >= target or self.errors, "the churn goes on")
            broker.kill()
            for thread in threads:
                thread.join()
            self.assertEqual(self.errors, [])
            broker.start()
            for worker in range(4):
                namespace = f"/v1/namespaces/worker{worker}/topics"
                listed = {t["name"]: t["queue_count"] for t in broker.ok("GET", namespace)}
                for topic, states in known[worker].items():
                    found = None
                    if topic in listed:
                        info = broker.ok("GET", f"{namespace}/{topic}")
                        found = (info["queue_count"], info["settings"]["max_deliveries"])
                    self.assertIn(found, states, f"{topic} of worker {worker}")
                    known[worker][topic] = {found}


if __name__ == "__main__":
    unittest.main()
