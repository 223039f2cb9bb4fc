"""Numbers that a broker tells of itself: /metrics as Prometheus text, and /v1/stats."""

import re
import unittest

from delivery import Topic, ids, metric, parse_metrics, receipts, topic_metric
from harness import BrokerCase, wait_until

LONG = 600_000
COUNTERS = ("messages_published_total", "messages_delivered_total", "messages_acknowledged_total",
            "messages_redelivered_total", "messages_dead_lettered_total", "steals_total", "messages_stolen_total",
            "steal_refusals_total")
QUEUE_GAUGES = ("messages_ready", "messages_leased", "messages_delayed", "consumers")
HISTOGRAMS = ("publish_seconds", "log_fsync_seconds")


class Text(BrokerCase):
    def test_every_line_is_prometheus_text_and_every_family_is_described_once(self):
        broker = self.start_broker()
        topic = Topic.create(broker, queue_count=2)
        topic.publish(1)
        answer = broker.get("/metrics")
        self.assertEqual(answer.status, 200)
        self.assertTrue(answer.headers["content-type"].startswith("text/plain"), answer.headers)
        text = answer.body.decode()
        self.assertTrue(text.endswith("\n"))
        types, helped = {}, set()
        for line in text.split("\n"):
            if match := re.match(r"# TYPE (\S+) (counter|gauge|histogram)$", line):
                self.assertNotIn(match[1], types)
                types[match[1]] = match[2]
            elif match := re.match(r"# HELP (\S+) .+", line):
                self.assertNotIn(match[1], helped)
                helped.add(match[1])
            else:
                self.assertFalse(line.startswith("#"), line)
        self.assertEqual(set(types), helped)
        expected = {f"mqlite_{name}": "counter" for name in COUNTERS}
        expected |= {f"mqlite_{name}": "gauge" for name in (*QUEUE_GAUGES, "messages_dead", "connections", "log_bytes")}
        expected |= {f"mqlite_{name}": "histogram" for name in HISTOGRAMS}
        self.assertEqual({name: types.get(name) for name in expected}, expected)
        families, seen = [], set()
        for name, _ in parse_metrics(text):
            family = re.sub(r"_(bucket|sum|count)$", "", name) if name not in types else name
            self.assertIn(family, types)
            if not families or families[-1] != family:
                self.assertNotIn(family, seen, "a family's samples stand together")
                families.append(family)
                seen.add(family)

    def test_labels(self):
        broker = self.start_broker()
        Topic.create(broker, "one", "a", queue_count=2)
        Topic.create(broker, "two", "b.c-d_e")
        samples = parse_metrics(broker.get("/metrics").body.decode())
        topics = [(("namespace", "a"), ("topic", "one")), (("namespace", "b.c-d_e"), ("topic", "two"))]
        for name in (*COUNTERS, "messages_dead"):
            self.assertEqual([labels for n, labels in samples if n == f"mqlite_{name}"], topics, name)
        queues = sorted([(("namespace", "a"), ("queue", "0"), ("topic", "one")), (("namespace", "a"), ("queue", "1"), ("topic", "one")),
                         (("namespace", "b.c-d_e"), ("queue", "0"), ("topic", "two"))])
        for name in QUEUE_GAUGES:
            self.assertEqual(sorted(labels for n, labels in samples if n == f"mqlite_{name}"), queues, name)
        self.assertGreaterEqual(samples["mqlite_connections", (("protocol", "http"),)], 1)

    def test_histograms_are_cumulative_and_end_with_everything(self):
        broker = self.start_broker("--persistence.aof.fsync", "always")
        topic = Topic.create(broker)
        for value in range(20):
            topic.publish(value)
        samples = parse_metrics(broker.get("/metrics").body.decode())
        for name in HISTOGRAMS:
            buckets = [(float(dict(labels)["le"]), value) for (n, labels), value in samples.items()
                       if n == f"mqlite_{name}_bucket"]
            self.assertEqual(buckets, sorted(buckets), "bounds and counts ascend")
            self.assertEqual([value for _, value in buckets], sorted(value for _, value in buckets))
            count = samples[f"mqlite_{name}_count", ()]
            self.assertEqual(buckets[-1], (float("inf"), count))
            self.assertGreaterEqual(count, 20)
            self.assertGreater(samples[f"mqlite_{name}_sum", ()], 0)
        self.assertEqual(samples["mqlite_publish_seconds_count", ()], 20)

    def test_a_deleted_topic_is_gone_from_it(self):
        broker = self.start_broker()
        topic = Topic.create(broker)
        topic.publish(1)
        topic.ok("DELETE", "")
        self.assertNotIn('topic="orders"', broker.get("/metrics").body.decode())


class Values(BrokerCase):
    def setUp(self):
        self.broker = self.start_broker()

    def check(self, topic, **expected):
        found = {name: topic_metric(topic, f"mqlite_{name}") for name in expected}
        self.assertEqual(found, expected)

    def test_counters_follow_a_messages_life(self):
        topic = Topic.create(self.broker, max_deliveries=2, ack_timeout_ms=LONG)
        self.check(topic, **{name: 0 for name in COUNTERS})
        topic.fill(range(5))
        held = topic.consume(batch_size=4)
        self.check(topic, messages_published_total=5, messages_delivered_total=4, messages_redelivered_total=0,
                   messages_acknowledged_total=0)
        topic.ack(receipts(held[:2]))
        topic.ack(receipts(held[:2]))
        topic.nack(receipts(held[2:3]))
        again = topic.consume()
        self.assertEqual(again[0]["delivery_count"], 2)
        self.check(topic, messages_delivered_total=5, messages_redelivered_total=1, messages_acknowledged_total=2,
                   messages_dead_lettered_total=0)
        topic.nack(receipts(again))
        self.check(topic, messages_dead_lettered_total=1, messages_dead=1)
        topic.consume(auto_ack=True)
        self.check(topic, messages_delivered_total=6, messages_acknowledged_total=3, messages_published_total=5)
        topic.ok("DELETE", "/dead")
        self.check(topic, messages_dead=0, messages_dead_lettered_total=1)

    def test_gauges_show_what_is_there(self):
        topic = Topic.create(self.broker, queue_count=2, ack_timeout_ms=LONG)
        topic.fill(range(5), queue_id=1)
        topic.consume(1, 2)
        topic.publish("later", queue_id=1, delay_ms=LONG)
        stream = topic.subscribe(0, "?max_in_flight=1")
        self.addCleanup(stream.close)
        stream.take(1)

        def gauges(queue):
            return [metric(self.broker, f"mqlite_{name}", namespace="test", topic="orders", queue=str(queue))
                    for name in QUEUE_GAUGES]

        wait_until(lambda: gauges(0)[1:] == [1, 0, 1], "one message is pushed to the subscriber of queue 0")
        # ceil(3 / 2) were stolen, one of them is out.
        self.assertEqual(gauges(0), [1, 1, 0, 1])
        self.assertEqual(gauges(1), [1, 2, 1, 0])
        stream.close()
        wait_until(lambda: gauges(0) == [2, 0, 0, 0], "the subscriber has gone")

    def test_steals_are_counted(self):
        topic = Topic.create(self.broker, queue_count=2, ack_timeout_ms=LONG)
        topic.consume(0)
        wait_until(lambda: topic_metric(topic, "mqlite_steal_refusals_total") >= 1, "nothing to take is a refusal")
        topic.fill(range(10), queue_id=1)
        topic.consume(0)
        self.check(topic, steals_total=1, messages_stolen_total=5)
        topic.consume(0, 4)
        topic.consume(0)
        self.check(topic, steals_total=2, messages_stolen_total=8)

    def test_connections_and_log_bytes_move(self):
        topic = Topic.create(self.broker)
        before = metric(self.broker, "mqlite_log_bytes")
        self.assertGreater(before, 0)
        topic.publish("x" * 10_000)
        self.assertGreaterEqual(metric(self.broker, "mqlite_log_bytes"), before + 10_000)
        connections = [self.broker.connect() for _ in range(5)]
        wait_until(lambda: metric(self.broker, "mqlite_connections", protocol="http") == 6, "five and our own")
        for connection in connections:
            connection.close()
        wait_until(lambda: metric(self.broker, "mqlite_connections", protocol="http") == 1, "our own")


class Stats(BrokerCase):
    def test_totals_add_up_over_topics(self):
        broker = self.start_broker()
        one = Topic.create(broker, "one", "a", queue_count=3, ack_timeout_ms=LONG)
        two = Topic.create(broker, "two", "b", max_deliveries=1, ack_timeout_ms=LONG)
        one.fill(range(6), queue_id=0)
        one.consume(0, 2)
        one.publish("later", delay_ms=LONG)
        two.fill(range(2))
        two.nack(ids(two.consume()))
        two.consume(auto_ack=True)
        totals = broker.ok("GET", "/v1/stats")["totals"]
        expected = {"namespaces": 2, "topics": 2, "queues": 4, "ready": 4, "leased": 2, "delayed": 1, "dead": 1, "consumers": 0,
                    "published": 9, "delivered": 4, "acknowledged": 1, "redelivered": 0, "dead_lettered": 1}
        self.assertEqual({name: totals.get(name) for name in expected}, expected)

    def test_it_names_version_log_memory_and_rates(self):
        broker = self.start_broker("--limits.max_memory", "100MB", "--persistence.aof.fsync", "no")
        Topic.create(broker).publish("x" * 10_000)
        stats = broker.ok("GET", "/v1/stats")
        self.assertRegex(stats["version"], r"^\d+\.\d+\.\d+")
        self.assertEqual((stats["log"]["enabled"], stats["log"]["healthy"], stats["log"]["fsync"]), (True, True, "no"))
        self.assertGreater(stats["log"]["bytes"], 10_000)
        self.assertEqual(stats["log"]["bytes"], metric(broker, "mqlite_log_bytes"))
        self.assertGreater(stats["memory"]["resident_bytes"], 1 << 20)
        self.assertGreaterEqual(stats["memory"]["message_bytes"], 10_000)
        self.assertEqual(stats["memory"]["max_bytes"], 100 << 20)
        self.assertIsInstance(stats["rates"], dict)
        self.assertEqual(stats["connections"]["http"], 1)

    def test_memory_of_messages_returns_to_nothing(self):
        broker = self.start_broker()
        topic = Topic.create(broker, queue_count=2, ack_timeout_ms=LONG, max_deliveries=1)
        topic.fill(["x" * 1000] * 10, queue_id=0)
        topic.fill(["x" * 1000] * 10, queue_id=1)
        topic.ack(ids(topic.consume(0, 10)))
        topic.nack(ids(topic.consume(1, 3)))
        topic.ok("DELETE", "/dead")
        topic.ok("DELETE", "/queues/1/messages")
        wait_until(lambda: broker.ok("GET", "/v1/stats")["memory"]["message_bytes"] == 0, "no message is left")
        topic.fill(["x" * 1000] * 10)
        topic.ok("DELETE", "")
        wait_until(lambda: broker.ok("GET", "/v1/stats")["memory"]["message_bytes"] == 0, "the topic is gone")

    def test_gauges_are_right_after_a_restart(self):
        broker = self.start_broker()
        topic = Topic.create(broker, ack_timeout_ms=LONG)
        topic.fill(range(5))
        topic.consume(batch_size=2)
        topic.publish("later", delay_ms=LONG)
        before = broker.ok("GET", "/v1/stats")
        broker.kill()
        broker.start()
        after = broker.ok("GET", "/v1/stats")
        for name in ("namespaces", "topics", "queues", "ready", "leased", "delayed", "dead", "bytes"):
            self.assertEqual(after["totals"][name], before["totals"][name], name)
        self.assertEqual(after["memory"]["message_bytes"], before["memory"]["message_bytes"])


if __name__ == "__main__":
    unittest.main()
