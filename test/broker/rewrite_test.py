"""The log is rewritten while the broker works, and copied; whatever ends it meanwhile, nothing that was answered is lost."""

import http.client
import json
import os
import re
import shutil
import threading
import unittest

from harness import BrokerCase, wait_until

HOUR = 3_600_000
REWRITE = "/v1/admin/rewrite"
BACKUP = "/v1/admin/backup"
NEVER = ("--persistence.aof.rewrite_percentage", "0")


def log_of(broker):
    return broker.ok("GET", "/v1/stats")["log"]


def rewritten(broker, before=0):
    """The state of rewrites once more than `before` have succeeded and none runs."""
    def look():
        state = log_of(broker)["rewrite"]
        return state if state["succeeded"] > before and not state["running"] else None
    return wait_until(look, "a rewrite has succeeded")


def rewrite(broker):
    before = log_of(broker)["rewrite"]["succeeded"]
    wait_until(lambda: broker.post(REWRITE).status == 202, "a rewrite begins")
    return rewritten(broker, before)


def log_files(broker):
    return sorted(name for name in os.listdir(broker.data) if name.endswith(".log"))


class Load:
    """Publishes and acknowledges from several connections until it is stopped or the broker goes."""

    def __init__(self, broker, topic, publishers=3):
        self.published, self.acked, self.perhaps_acked = set(), set(), set()
        self.broker, self.topic = broker, topic
        self._stop = threading.Event()
        self.threads = [threading.Thread(target=self._run, args=(self._publish, n)) for n in range(publishers)]
        self.threads.append(threading.Thread(target=self._run, args=(self._consume, 0)))
        for thread in self.threads:
            thread.start()

    def _run(self, work, number):
        try:
            with self.broker.client() as client:
                while not self._stop.is_set():
                    work(client, number)
        except (OSError, http.client.HTTPException):
            pass

    def _publish(self, client, number):
        messages = [{"payload": {"n": n}, "headers": {"h": "x" * 20}} for n in range(20)]
        answer = client.request("POST", f"{self.topic}/publish_batch", {"messages": messages})
        if answer.status == 200:
            self.published.update(m["message_id"] for m in answer.data if "message_id" in m)

    def _consume(self, client, _):
        answer = client.request("POST", f"{self.topic}/consume", {"batch_size": 10, "lease_ms": HOUR})
        if answer.status != 200 or not answer.data:
            return
        ids = [m["id"] for m in answer.data]
        self.perhaps_acked.update(ids)
        answer = client.request("POST", f"{self.topic}/queues/0/ack", {"message_ids": ids})
        if answer.status == 200:
            self.acked.update(ids)

    def stop(self):
        self._stop.set()
        self.join()

    def join(self):
        for thread in self.threads:
            thread.join()


def all_messages(broker, topic):
    """Every message of the topic, by id; fails when one is in two places."""
    found = {}
    for queue in broker.ok("GET", topic)["queues"]:
        for state in ("leased", "delayed"):
            for message in broker.ok("GET", f"{topic}/queues/{queue['queue_id']}/messages?limit=1000&state={state}"):
                assert message["id"] not in found, message
                found[message["id"]] = state
    while more := broker.ok("POST", f"{topic}/consume", {"batch_size": 10_000, "lease_ms": HOUR}):
        for message in more:
            assert message["id"] not in found, message
            found[message["id"]] = "ready"
    return found


class Rewrite(BrokerCase):

    def test_everything_about_a_message_survives_a_rewrite(self):
        broker = self.start_broker(*NEVER)
        topic = broker.create_topic("orders", queue_count=3, max_deliveries=2, ack_timeout_ms=HOUR, steal="off",
                                    overflow="drop_oldest", max_length=1000, message_ttl_ms=HOUR)
        broker.create_topic("empty", "other")
        broker.publish(topic, "dead", queue_id=0)
        broker.publish(topic, "redriven", queue_id=0)
        for _ in range(2):
            receipts = [m["receipt"] for m in broker.consume(topic, batch_size=2)]
            broker.ok("POST", f"{topic}/queues/0/nack", {"message_ids": receipts})
        redriven = [m["id"] for m in broker.ok("GET", f"{topic}/dead") if m["payload"] == "redriven"]
        broker.ok("POST", f"{topic}/dead/redrive", {"message_ids": redriven})
        broker.publish(topic, {"leased": 1.0}, queue_id=1, headers={"h": "v"}, routing_key="k")
        broker.consume(topic, 1, lease_ms=HOUR)
        broker.ok("POST", f"{topic}/publish_batch", {"messages": [{"payload": n, "queue_id": 2} for n in range(5000)]})
        returned = broker.consume(topic, 2, batch_size=20)
        broker.ok("POST", f"{topic}/queues/2/nack", {"message_ids": [m["id"] for m in returned[3:9]]})
        broker.ack(topic, 2, [m["id"] for m in returned[10:]])
        broker.publish(topic, "delayed", queue_id=0, delay_ms=HOUR)

        def everything():
            state = {f"{name} {queue}": broker.ok("GET", f"{topic}/queues/{queue}/messages?limit=1000&state={name}")
                     for queue in (0, 1, 2) for name in ("ready", "leased", "delayed")}
            return state, broker.ok("GET", f"{topic}/dead?limit=100"), broker.ok("GET", topic)
        before = everything()
        self.assertGreaterEqual(rewrite(broker)["messages"], 4990)
        files = log_files(broker)
        self.assertEqual([re.sub(r"\d+", "", name) for name in files], ["base-.log", "incr-.log"])
        self.assertEqual(everything(), before)
        for restart in (broker.kill, broker.terminate):
            restart()
            broker.start()
            after = everything()
            for name in before[0]:
                self.assertEqual(after[0][name], before[0][name], name)
            self.assertEqual(after[1], before[1])
            self.assertEqual(after[2], before[2])
            self.assertEqual(broker.ok("GET", "/v1/namespaces"), ["other", "test"])
            rewrite(broker)

    def test_acknowledged_messages_go_and_the_rest_takes_little_more_than_its_bytes(self):
        broker = self.start_broker(*NEVER)
        topic = broker.create_topic("orders")
        payload = "x" * 254  # and the quotation marks
        headers = {"customer": "c" * 30}
        for _ in range(6):
            messages = [{"payload": payload, "headers": headers} for _ in range(5000)]
            broker.ok("POST", f"{topic}/publish_batch", {"messages": messages})
        for _ in range(2):
            taken = broker.consume(topic, batch_size=5000)
            broker.ack(topic, 0, [m["id"] for m in taken])
        before = log_of(broker)["bytes"]
        rewrite(broker)
        after = log_of(broker)
        live = 20_000 * (256 + len("customer") + 30)
        self.assertLess(after["bytes"], before)
        self.assertLessEqual(after["bytes"], 1.15 * live)
        self.assertEqual(sum(os.path.getsize(os.path.join(broker.data, name)) for name in log_files(broker)
                             if name.startswith("base")), after["base_bytes"])
        broker.kill()
        broker.start()
        self.assertEqual(broker.ok("GET", topic)["queues"][0]["ready"], 20_000)

    def test_growth_starts_a_rewrite_by_itself(self):
        broker = self.start_broker("--persistence.aof.rewrite_min_size", "1MB", "--persistence.aof.fsync", "no")
        topic = broker.create_topic("orders", queue_count=2)
        load = Load(broker, topic)
        state = rewritten(broker)
        state = rewritten(broker, state["succeeded"])
        load.stop()
        self.assertEqual((state["failed"], state["last_problem"]), (0, ""))
        broker.kill()
        broker.start()
        found = all_messages(broker, topic)
        self.assertEqual(load.published - load.perhaps_acked - set(found), set())
        self.assertEqual(load.acked & set(found), set())

    def test_kills_during_rewrites_lose_nothing(self):
        broker = self.new_broker(*NEVER)
        published, acked, perhaps = set(), set(), set()
        for round_number, fsync in enumerate(("always", "everysec", "no", "always", "no")):
            broker.flags = [*NEVER, "--persistence.aof.fsync", fsync]
            broker.start()
            topic = broker.create_topic("orders", queue_count=3) if not published else topic
            load = Load(broker, topic)
            wait_until(lambda: len(load.published) > 300, "the load runs")
            self.assertEqual(broker.post(REWRITE).status, 202)
            if round_number % 2:
                rewritten(broker)
                broker.post(REWRITE)
            wait_until(lambda: log_of(broker)["rewrite"]["messages"] > 0 or log_of(broker)["rewrite"]["succeeded"],
                       "a rewrite writes")
            broker.kill()
            load.join()
            published |= load.published
            acked |= load.acked
            perhaps |= load.perhaps_acked
        broker.start()
        found = all_messages(broker, topic)
        self.assertEqual(published - perhaps - set(found), set())
        self.assertEqual(acked & set(found), set())

    def test_a_stop_during_a_rewrite_is_clean(self):
        broker = self.start_broker(*NEVER)
        topic = broker.create_topic("orders")
        for _ in range(10):
            broker.ok("POST", f"{topic}/publish_batch", {"messages": [{"payload": "x" * 500}] * 5000})
        self.assertEqual(broker.post(REWRITE).status, 202)
        self.assertEqual(broker.terminate(), 0)
        broker.start()
        self.assertEqual(broker.ok("GET", topic)["queues"][0]["ready"], 50_000)
        self.assertNotIn("manifest.tmp", os.listdir(broker.data))

    def test_one_at_a_time_and_what_is_told_of_it(self):
        broker = self.start_broker(*NEVER)
        topic = broker.create_topic("orders")
        for _ in range(20):
            broker.ok("POST", f"{topic}/publish_batch", {"messages": [{"payload": "x" * 500}] * 5000})
        with broker.client() as client:
            answers = [client.request("POST", REWRITE) for _ in range(2)]
            busy = client.request("POST", BACKUP, {"dir": os.path.join(broker.folder, "copy")})
        self.assertEqual(answers[0].status, 202, answers)
        self.assert_error(answers[1], "FAILED_PRECONDITION", "rewritten")
        self.assert_error(busy, "FAILED_PRECONDITION")
        state = rewritten(broker)
        self.assertEqual((state["succeeded"], state["failed"], state["messages"]), (1, 0, 100_000))
        self.assertGreater(state["last_ended"], 0)
        self.assertGreater(state["bytes"], 50_000_000)
        self.assertGreater(log_of(broker)["base_bytes"], 50_000_000)
        metrics = broker.get("/metrics").body.decode()
        self.assertIn('mqlite_log_rewrites_total{result="success"} 1', metrics)
        self.assertIn('mqlite_log_rewrites_total{result="failure"} 0', metrics)
        self.assertIn("mqlite_log_rewrite_running 0", metrics)
        self.assertRegex(metrics, r"(?m)^mqlite_log_base_bytes [1-9]")
        self.assert_error(broker.get(REWRITE), "METHOD_NOT_ALLOWED")

    def test_without_a_log_there_is_nothing_to_rewrite_or_copy(self):
        broker = self.start_broker("--persistence.enabled", "false")
        self.assert_error(broker.post(REWRITE), "FAILED_PRECONDITION", "persistence.enabled")
        self.assert_error(broker.post(BACKUP, {"dir": broker.folder + "/copy"}), "FAILED_PRECONDITION")

    def test_a_rewrite_that_finds_no_room_leaves_the_log_in_force(self):
        broker = self.start_broker(*NEVER, file_size_limit=4 << 20)
        topic = broker.create_topic("orders", queue_count=2)
        publish = f"{topic}/publish_batch"
        broker.ok("POST", publish, {"messages": [{"payload": "x" * 500}] * 5000})
        rewrite(broker)
        broker.ok("POST", publish, {"messages": [{"payload": "y" * 500}] * 4000})
        before = log_of(broker)["bytes"]
        self.assertEqual(broker.post(REWRITE).status, 202)
        wait_until(lambda: log_of(broker)["rewrite"]["failed"], "the rewrite has failed")
        state = log_of(broker)["rewrite"]
        self.assertEqual((state["succeeded"], state["failed"], state["running"]), (1, 1, False))
        self.assertRegex(state["last_problem"], r"base-\d+\.log: write")
        self.assertGreaterEqual(log_of(broker)["bytes"], before)
        self.assertEqual(sum(name.startswith("base") for name in log_files(broker)), 1)
        self.assertIn('mqlite_log_rewrites_total{result="failure"} 1', broker.get("/metrics").body.decode())
        self.assertEqual(broker.get("/health/ready").status, 200)
        broker.publish(topic, "after")
        broker.lift_file_size_limit()
        rewrite(broker)
        broker.kill()
        broker.start()
        self.assertEqual(sum(q["ready"] for q in broker.ok("GET", topic)["queues"]), 9001)


class Backup(BrokerCase):

    def restored(self, folder):
        """A broker that is started on a copy."""
        broker = self.new_broker()
        shutil.copytree(folder, broker.data)
        return broker.start()

    def test_a_backup_under_load_holds_what_was_answered_before_it(self):
        broker = self.start_broker(*NEVER)
        topic = broker.create_topic("orders", queue_count=2)
        load = Load(broker, topic)
        wait_until(lambda: len(load.published) > 200, "the load runs")
        rewrite(broker)
        target = os.path.join(broker.folder, "copy")
        published, acked = set(load.published), set(load.acked)
        answer = wait_until(lambda: (a := broker.post(BACKUP, {"dir": target})).status == 200 and a, "a backup is made")
        self.assertEqual(answer.data["dir"], target)
        self.assertGreater(answer.data["bytes"], 0)
        rewrite(broker)  # which deletes what was linked
        load.stop()
        copy = self.restored(target)
        found = all_messages(copy, topic)
        self.assertEqual(published - load.perhaps_acked - set(found), set())
        self.assertEqual(acked & set(found), set())
        copy.publish(topic, "more")
        rewrite(copy)
        copy.kill()
        copy.start()
        self.assertEqual(broker.terminate(), 0)
        broker.start()
        found = all_messages(broker, topic)
        self.assertEqual(load.published - load.perhaps_acked - set(found), set())

    def test_a_broker_runs_on_the_copy_itself_beside_its_original(self):
        broker = self.start_broker(*NEVER)
        topic = broker.create_topic("orders")
        broker.publish(topic, "both")
        target = os.path.join(broker.folder, "copy")
        broker.ok("POST", BACKUP, {"dir": target})
        broker.publish(topic, "original")
        copy = self.new_broker()
        copy.data = target
        copy.start()
        copy.publish(topic, "copy")
        rewrite(copy)
        for each in (broker, copy):
            each.kill()
            each.start()
        self.assertEqual([m["payload"] for m in broker.consume(topic, batch_size=9)], ["both", "original"])
        self.assertEqual([m["payload"] for m in copy.consume(topic, batch_size=9)], ["both", "copy"])

    def test_an_empty_broker_and_an_empty_folder(self):
        broker = self.start_broker()
        target = os.path.join(broker.folder, "copy")
        os.mkdir(target)
        self.assertEqual(broker.ok("POST", BACKUP, {"dir": target + "/"})["dir"], target)
        copy = self.restored(target)
        self.assertEqual(copy.ok("GET", "/v1/namespaces"), [])

    def test_folders_that_will_not_do(self):
        broker = self.start_broker()
        broker.publish(broker.create_topic("orders"), 1)
        taken = os.path.join(broker.folder, "taken")
        os.mkdir(taken)
        with open(os.path.join(taken, "file"), "w", encoding="utf-8") as file:
            file.write("mine")
        self.assert_error(broker.post(BACKUP, {"dir": taken}), "ALREADY_EXISTS", taken, "not empty")
        self.assert_error(broker.post(BACKUP, {"dir": os.path.join(taken, "file")}), "ALREADY_EXISTS", "file")
        self.assert_error(broker.post(BACKUP, {"dir": broker.data}), "ALREADY_EXISTS", broker.data)
        missing = os.path.join(broker.folder, "missing")
        self.assert_error(broker.post(BACKUP, {"dir": os.path.join(missing, "copy")}), "FAILED_PRECONDITION", missing)
        self.assert_error(broker.post(BACKUP, {"dir": "/proc/copy"}), "FAILED_PRECONDITION", "/proc/copy")
        for body in ({}, {"dir": ""}, {"dir": 7}, {"dir": None}):
            self.assert_error(broker.post(BACKUP, body), "INVALID_ARGUMENT", "dir")
        self.assert_error(broker.request("POST", BACKUP, json.dumps({"dir": "a\0b"})), "INVALID_ARGUMENT")
        self.assertEqual(os.listdir(taken), ["file"])
        self.assertFalse(os.path.exists(missing))
        broker.ok("POST", BACKUP, {"dir": os.path.join(broker.folder, "copy")})


if __name__ == "__main__":
    unittest.main()
