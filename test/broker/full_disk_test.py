"""A disk without room: publishes are refused, everything else goes on, and nothing that was answered is lost."""

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


if __name__ == "__main__":
    unittest.main()
