"""A disk without room: publishes are refused, everything else goes on, and nothing that was answered is lost."""

import errno
import os
import subprocess
import threading
import unittest

from harness import BrokerCase, wait_until

HOUR = 3_600_000


class FullDisk(BrokerCase):

    def fill(self, broker, topic, size=1000):
        """Publishes until it is refused: the ids of what was answered, and the refusal."""
        ids = []
        with broker.client() as client:
            while True:
                answer = client.request("POST", f"{topic}/publish", {"payload": "x" * size})
                if answer.status != 200:
                    return ids, answer
                ids.append(answer.data["message_id"])

    def check_full_disk(self, fsync):
        broker = self.start_broker("--persistence.aof.fsync", fsync, file_size_limit=60_000)
        topic = broker.create_topic("orders", ack_timeout_ms=HOUR)
        ids, refusal = self.fill(broker, topic)
        self.assertGreater(len(ids), 10)
        self.assert_error(refusal, "UNAVAILABLE")
        ready = broker.get("/health/ready")
        self.assertEqual(ready.status, 503)
        self.assertIn("log", ready.body.decode())
        self.assertEqual(broker.get("/health/live").status, 200)
        self.assertIs(broker.ok("GET", "/v1/stats")["log"]["healthy"], False)
        self.assertEqual(broker.ok("GET", topic)["queues"][0]["ready"], len(ids))
        batch = broker.ok("POST", f"{topic}/publish_batch", {"messages": [{"payload": "y"}] * 3})
        self.assertEqual([a.get("code") for a in batch], ["UNAVAILABLE"] * 3)
        self.assert_error(broker.post("/v1/namespaces", {"name": "another"}), "UNAVAILABLE")
        self.assertEqual(broker.ok("GET", "/v1/namespaces"), ["test"])
        self.assertEqual([m["id"] for m in broker.ok("GET", f"{topic}/queues/0/messages?limit=2")], ids[:2])
        self.assertEqual([m["id"] for m in broker.consume(topic, 0, 5)], ids[:5])
        self.assert_error(broker.post(f"{topic}/queues/0/ack", {"message_ids": ids[:1]}), "UNAVAILABLE")
        return broker, topic, ids

    def test_a_full_disk_refuses_publishes_and_goes_on(self):
        for fsync in ("always", "everysec", "no"):
            with self.subTest(fsync=fsync):
                broker, topic, ids = self.check_full_disk(fsync)
                broker.kill()
                broker.file_size_limit = None
                broker.start()
                self.assertEqual(broker.ok("GET", "/v1/namespaces"), ["test"])
                found = [m["id"] for m in broker.consume(topic, 0, 10_000)]
                held = [m["id"] for m in broker.ok("GET", f"{topic}/queues/0/messages?state=leased&limit=1000")]
                self.assertEqual(sorted(set(found) | set(held)), ids)

    def test_a_broker_on_a_full_disk_can_be_stopped(self):
        broker, topic, ids = self.check_full_disk("everysec")
        self.assertIn(broker.terminate(), (0, 1))
        broker.file_size_limit = None
        broker.start()
        self.assertEqual(sum(broker.ok("GET", topic)["queues"][0][n] for n in ("ready", "leased")), len(ids))

    def test_an_automatic_ack_that_was_answered_on_a_full_disk_holds(self):
        broker, topic, ids = self.check_full_disk("everysec")
        answer = broker.post(f"{topic}/queues/0/consume", {"auto_ack": True})
        if answer.status != 200:
            self.assert_error(answer, "UNAVAILABLE")
            return
        acknowledged = {m["id"] for m in answer.data}
        broker.kill()
        broker.file_size_limit = None
        broker.start()
        self.assertEqual({m["id"] for m in broker.consume(topic, 0, 10_000)} & acknowledged, set())

    def test_a_disk_with_room_again_takes_publishes_again(self):
        broker, topic, ids = self.check_full_disk("everysec")
        broker.lift_file_size_limit()

        def accepted():
            answer = broker.post(f"{topic}/publish", {"payload": "after"})
            return answer.data["message_id"] if answer.status == 200 else None
        after = wait_until(accepted, "a publish is taken again")
        self.assertEqual(broker.get("/health/ready").status, 200)
        broker.kill()
        broker.start()
        found = {m["id"] for m in broker.consume(topic, 0, 10_000)}
        found |= {m["id"] for m in broker.ok("GET", f"{topic}/queues/0/messages?state=leased&limit=1000")}
        self.assertEqual(found, set(ids) | {after})


class RealFullDisk(BrokerCase):
    """A file system of its own that something else fills, under load."""

    SIZE = 64 << 20

    def setUp(self):
        self.disk = self.temporary_folder()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={self.SIZE}", "tmpfs", self.disk], capture_output=True, text=True)
        if mounted.returncode:
            self.skipTest("file systems cannot be mounted here: " + mounted.stderr.strip())
        self.addCleanup(subprocess.run, ["umount", "--lazy", self.disk], check=True)
        self.published, self.acknowledged, self.errors = [], set(), []
        self.ack_sent, self.kept = set(), set()
        self.refusals = 0
        self.done = threading.Event()

    def work(self, action):
        def loop():
            try:
                with self.broker.client() as client:
                    while not self.done.is_set():
                        action(client)
            except BaseException as error:  # reported by the main thread
                self.errors.append(error)
        thread = threading.Thread(target=loop)
        thread.start()
        return thread

    def publish(self, client):
        answer = client.request("POST", f"{self.topic}/publish", {"payload": "x" * 2000})
        if answer.status == 200:
            self.published.append(answer.data["message_id"])
        else:
            self.assert_error(answer, "UNAVAILABLE", "No space left on device")
            self.refusals += 1

    def consume(self, client):
        answer = client.request("POST", f"{self.topic}/consume", {"batch_size": 5, "wait_ms": 10, "lease_ms": HOUR})
        self.assertEqual(answer.status, 200, answer)
        ids = [m["id"] for m in answer.data]
        if not ids:
            return
        self.consumed += len(ids)
        done = ids[::2]
        self.kept.update(ids[1::2])
        self.ack_sent.update(done)
        answer = client.request("POST", f"{self.topic}/queues/0/ack", {"message_ids": done})
        if answer.status == 200:
            self.acknowledged.update(done)
            self.ack_sent.difference_update(done)
        else:
            self.assert_error(answer, "UNAVAILABLE")

    def fill(self):
        with open(os.path.join(self.disk, "ballast"), "ab") as file:
            try:
                while True:
                    file.write(b"x" * 65536)
                    file.flush()
            except OSError as full:
                self.assertEqual(full.errno, errno.ENOSPC)

    def test_a_disk_that_something_else_fills_and_empties(self):
        self.consumed = 0
        self.broker = self.new_broker(folder=self.temporary_folder())
        self.broker.data = os.path.join(self.disk, "data")
        self.broker.start()
        self.topic = self.broker.create_topic("orders", queue_count=2, ack_timeout_ms=HOUR)
        threads = [self.work(self.publish), self.work(self.publish), self.work(self.consume)]
        for _ in range(3):
            progress = len(self.published) + 20
            wait_until(lambda: len(self.published) > progress or self.errors, "publishes are answered")
            refusals = self.refusals + 3
            self.fill()
            wait_until(lambda: self.refusals > refusals or self.errors, "publishes are refused")
            ready = wait_until(lambda: (a := self.broker.get("/health/ready")).status == 503 and a, "the broker is not ready")
            self.assertIn("No space left on device", ready.body.decode())
            os.remove(os.path.join(self.disk, "ballast"))
            wait_until(lambda: self.broker.get("/health/ready").status == 200 or self.errors, "the broker is ready again")
        self.done.set()
        for thread in threads:
            thread.join()
        self.assertEqual(self.errors, [])
        self.assertGreater(self.consumed, 0)
        self.broker.kill()
        self.broker.start()
        held = list(self.kept | self.ack_sent)
        for at in range(0, len(held), 10_000):
            self.broker.ok("POST", f"{self.topic}/queues/0/nack", {"message_ids": held[at:at + 10_000]})
        found = []
        while more := self.broker.ok("POST", f"{self.topic}/consume", {"batch_size": 10_000, "lease_ms": HOUR}):
            found += [m["id"] for m in more]
        self.assertEqual(len(found), len(set(found)))
        self.assertEqual(set(found) & self.acknowledged, set())
        self.assertEqual(set(self.published) - set(found) - self.acknowledged - self.ack_sent, set())


if __name__ == "__main__":
    unittest.main()
