"""Everything about a message survives a kill between two steps, and a stop under load."""

import http.client
import os
import threading
import unittest

from harness import BrokerCase, wait_until

HOUR = 3_600_000


class KillBetweenSteps(BrokerCase):

    def test_everything_about_a_message_survives(self):
        broker = self.start_broker("--persistence.aof.fsync", "no")
        topic = broker.create_topic("orders", queue_count=2, max_deliveries=2, ack_timeout_ms=HOUR, overflow="drop_oldest",
                                    steal="off", max_length=1000, message_ttl_ms=HOUR)
        info = broker.ok("GET", topic)
        broker.publish(topic, "dead", queue_id=0)
        for _ in range(2):
            receipt = broker.consume(topic)[0]["receipt"]
            broker.ok("POST", f"{topic}/queues/0/nack", {"message_ids": [receipt]})
        broker.publish(topic, {"leased": 1.0}, queue_id=0, headers={"h": "v"}, routing_key="k")
        leased = broker.consume(topic, lease_ms=HOUR)[0]
        broker.publish(topic, "once", queue_id=0)
        broker.ok("POST", f"{topic}/queues/0/nack", {"message_ids": [broker.consume(topic)[0]["id"]]})
        broker.publish(topic, "delayed", queue_id=0, delay_ms=HOUR)
        broker.ok("POST", f"{topic}/publish_batch", {"messages": [{"payload": n, "queue_id": 1} for n in range(100)]})

        def everything():
            state = {name: broker.ok("GET", f"{topic}/queues/{queue}/messages?limit=1000&state={name}")
                     for queue in (0, 1) for name in ("ready", "leased", "delayed")}
            return state, broker.ok("GET", f"{topic}/dead?limit=100"), broker.ok("GET", topic)
        before = everything()
        self.assertEqual([m["payload"] for m in before[1]], ["dead"])
        self.assertEqual(before[2]["settings"], info["settings"])
        for _ in range(2):
            broker.kill()
            broker.start()
            self.assertEqual(everything(), before)
        self.assertEqual(broker.ack(topic, 0, [leased["receipt"]]), {"acknowledged": 1, "unknown": [], "stale": []})
        again = broker.consume(topic)[0]
        self.assertEqual((again["payload"], again["delivery_count"]), ("once", 2))
        self.assertEqual([m["payload"] for m in broker.consume(topic, 1, 1000)], list(range(100)))

    def test_a_lease_that_ends_while_the_broker_is_down_or_later_returns_its_message(self):
        broker = self.start_broker()
        topic = broker.create_topic("orders")
        for n in range(3):
            broker.publish(topic, n)
        broker.consume(topic, 0, 1, lease_ms=HOUR)
        broker.consume(topic, 0, 2, lease_ms=1)
        broker.kill()
        broker.start()
        found = []
        wait_until(lambda: found.extend(broker.consume(topic, 0, 10, wait_ms=1000, lease_ms=HOUR)) or len(found) >= 2, "the leases end")
        self.assertEqual([m["payload"] for m in found], [1, 2])
        self.assertTrue(all(m["delivery_count"] >= 2 for m in found), found)

    def test_deleted_things_stay_deleted(self):
        broker = self.start_broker()
        topic = broker.create_topic("orders", queue_count=3)
        broker.publish(topic, 1)
        broker.create_topic("gone")
        broker.create_topic("gone", "other")
        broker.ok("DELETE", "/v1/namespaces/test/topics/gone")
        broker.ok("DELETE", "/v1/namespaces/other")
        broker.ok("DELETE", f"{topic}/queues/0/messages")
        broker.create_topic("orders", "again")
        broker.ok("DELETE", "/v1/namespaces/again/topics/orders")
        new = broker.create_topic("orders", "again", queue_count=2)
        broker.publish(new, "new")
        broker.kill()
        broker.start()
        self.assertEqual(broker.ok("GET", "/v1/namespaces"), ["again", "test"])
        self.assertEqual([t["name"] for t in broker.ok("GET", "/v1/namespaces/test/topics")], ["orders"])
        self.assertEqual([q["ready"] for q in broker.ok("GET", topic)["queues"]], [0, 0, 0])
        self.assertEqual([q["ready"] for q in broker.ok("GET", new)["queues"]], [1, 0])

    def test_without_persistence_a_restart_forgets_and_no_folder_is_made(self):
        broker = self.start_broker("--persistence.enabled", "false")
        broker.publish(broker.create_topic("orders"), 1)
        self.assertEqual(broker.terminate(), 0)
        self.assertFalse(os.path.exists(broker.data))
        broker.start()
        self.assertEqual(broker.ok("GET", "/v1/namespaces"), [])


class Stop(BrokerCase):

    def stop_under_load(self, fsync):
        broker = self.start_broker("--persistence.aof.fsync", fsync)
        topic = broker.create_topic("orders", queue_count=2, steal="off")
        answered = []
        refused = []

        def publish(name):
            try:
                with broker.client() as client:
                    for n in range(1_000_000):
                        answer = client.request("POST", f"{topic}/publish", {"payload": f"{name}-{n}", "queue_id": 0})
                        if answer.status != 200:
                            refused.append(answer)
                            return
                        answered.append(answer.data["message_id"])
            except (OSError, http.client.HTTPException):
                pass
        idle = broker.connect()
        stream = broker.events(f"{topic}/queues/1/subscribe")
        self.assertEqual(stream.status, 200)
        poll = broker.connect()
        poll.send(f"POST {topic}/queues/1/consume HTTP/1.1\r\nHost: x\r\nContent-Length: 17\r\n\r\n" + '{"wait_ms":60000}')
        threads = [threading.Thread(target=publish, args=(name,)) for name in "abcd"]
        for thread in threads:
            thread.start()
        wait_until(lambda: len(answered) > 300, "the load runs")
        # Shorter than the poll would wait: a stop does not wait for it.
        self.assertEqual(broker.terminate(deadline=50), 0)
        for thread in threads:
            thread.join()
        last = []
        while event := stream.next():
            last.append(event.name)
        self.assertEqual(last[-1:], ["shutdown"])
        for connection in (idle, poll, stream):
            connection.close()
        for answer in refused:
            self.assert_error(answer, "UNAVAILABLE")
        broker.start()
        found = {m["id"] for m in broker.consume(topic, 0, 10_000)}
        while more := broker.consume(topic, 0, 10_000):
            found.update(m["id"] for m in more)
        self.assertEqual(set(answered) - found, set())

    def test_a_stop_under_load_keeps_what_was_answered(self):
        for fsync in ("always", "everysec", "no"):
            with self.subTest(fsync=fsync):
                self.stop_under_load(fsync)

    def test_sigint_stops_like_sigterm(self):
        broker = self.start_broker()
        topic = broker.create_topic("orders")
        broker.publish(topic, 1)
        broker.process.send_signal(2)
        self.assertEqual(broker.wait_for_exit(), 0)
        broker.start()
        self.assertEqual(len(broker.consume(topic)), 1)

    def test_an_idle_broker_stops_at_once_and_again_and_again(self):
        broker = self.new_broker()
        for _ in range(5):
            broker.start()
            self.assertEqual(broker.terminate(), 0)


if __name__ == "__main__":
    unittest.main()
