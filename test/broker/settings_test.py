"""A topic's settings, and looking into its queues and emptying them."""

import unittest

from delivery import Topic, ids
from harness import SharedBrokerCase

# An end that no test waits for, and one that each test may wait for, in milliseconds.
LONG = 600_000
SHORT = 1_000


class TopicCase(SharedBrokerCase):
    def new_topic(self, name="orders", **fields):
        return Topic.create(self.broker, name, self.namespace, **({"ack_timeout_ms": LONG} | fields))


class Peek(TopicCase):
    def test_it_shows_each_state_and_changes_nothing(self):
        topic = self.new_topic()
        published = topic.fill(range(12))
        later = topic.publish("later", delay_ms=LONG)
        held = topic.consume(batch_size=1)
        for _ in range(2):
            self.assertEqual(ids(topic.ok("GET", "/queues/0/messages")), published[1:11])
            self.assertEqual(ids(topic.peek(limit=3)), published[1:4])
            self.assertEqual(ids(topic.peek(state="leased")), ids(held))
            self.assertEqual(ids(topic.peek(state="delayed")), [later])
        self.assertEqual(topic.peek(state="leased")[0]["receipt"], held[0]["receipt"])
        self.assertEqual(topic.counts(), (11, 1, 1))
        self.assertEqual(topic.consume()[0]["delivery_count"], 1)

    def test_bad_limits_and_states_are_refused(self):
        topic = self.new_topic()
        for query in ("limit=0", "limit=1001", "limit=-1", "limit=x", "limit=", "state=", "state=READY", "state=dead"):
            self.assert_error(topic.call("GET", f"/queues/0/messages?{query}"), "INVALID_ARGUMENT")
        self.assert_error(topic.call("GET", "/queues/1/messages"), "NOT_FOUND")
        self.assertEqual(topic.peek(limit=1000), [])

    def test_purge_removes_a_queues_messages_and_no_other_queues(self):
        topic = self.new_topic(queue_count=2)
        topic.fill(range(5), queue_id=0)
        topic.fill(range(3), queue_id=1)
        purged = topic.ok("DELETE", "/queues/0/messages")
        self.assertEqual(purged, {"purged": 5})
        self.assertEqual([topic.counts(0), topic.counts(1)], [(0, 0, 0), (3, 0, 0)])
        self.assertEqual(topic.info()["queues"][0]["bytes"], 0)
        self.assertEqual(topic.ok("DELETE", "/queues/0/messages"), {"purged": 0})
        self.assert_error(topic.call("DELETE", "/queues/2/messages"), "NOT_FOUND")


class Settings(TopicCase):
    DEFAULTS = {"ack_timeout_ms": 30_000, "max_deliveries": 0, "message_ttl_ms": 0, "max_length": 0, "max_bytes": 0,
                "overflow": "reject", "steal": "half"}
    OTHERS = {"ack_timeout_ms": 5_000, "max_deliveries": 3, "message_ttl_ms": 60_000, "max_length": 10, "max_bytes": 1000,
              "overflow": "drop_oldest", "steal": "off"}
    BAD = [{"ack_timeout_ms": 0}, {"ack_timeout_ms": -1}, {"ack_timeout_ms": "1s"}, {"ack_timeout_ms": 2**63},
           {"max_deliveries": -1}, {"max_deliveries": 2**31}, {"max_deliveries": 1.5}, {"message_ttl_ms": -1},
           {"max_length": -1}, {"max_length": True}, {"max_bytes": -1}, {"max_bytes": "1MB"}, {"overflow": "drop"},
           {"overflow": ""}, {"overflow": 1}, {"steal": "all"}, {"steal": True}, {"steal": ""}]

    def test_the_defaults_are_in_force_when_nothing_is_given(self):
        topic = Topic.create(self.broker, "orders", self.namespace)
        info = topic.info()
        self.assertEqual(info["settings"], self.DEFAULTS)
        self.assertEqual((info["name"], info["queue_count"], info["version"], info["dead"]), ("orders", 1, 1, 0))
        self.assertEqual(len(info["queues"]), 1)

    def test_create_takes_all_and_patch_changes_only_what_it_names(self):
        topic = self.new_topic(**self.OTHERS)
        self.assertEqual(topic.info()["settings"], self.OTHERS)
        expected = dict(self.OTHERS)
        for name, value in self.DEFAULTS.items():
            topic.ok("PATCH", "", {name: value})
            expected[name] = value
            self.assertEqual(topic.info()["settings"], expected)
        topic.ok("PATCH", "", {})
        self.assertEqual(topic.info()["settings"], self.DEFAULTS)

    def test_bad_values_are_refused_and_change_nothing(self):
        topic = self.new_topic(**self.OTHERS)
        for bad in self.BAD:
            self.assert_error(topic.call("PATCH", "", {"max_length": 99} | bad), "INVALID_ARGUMENT", *bad)
            answer = self.broker.post(f"/v1/namespaces/{self.namespace}/topics", {"name": "bad"} | bad)
            self.assert_error(answer, "INVALID_ARGUMENT", *bad)
        self.assertEqual(topic.info()["settings"], self.OTHERS)
        names = [t["name"] for t in self.broker.ok("GET", f"/v1/namespaces/{self.namespace}/topics")]
        self.assertEqual(names, ["orders"])

    def test_an_explicit_zero_is_refused_where_one_is_the_least(self):
        topic = self.new_topic()
        answer = self.broker.post(f"/v1/namespaces/{self.namespace}/topics", {"name": "zero", "queue_count": 0})
        self.assert_error(answer, "INVALID_ARGUMENT", "queue_count")
        for place, body in (("/queues/0/consume", {"batch_size": 0}), ("/queues/0/consume", {"lease_ms": 0})):
            self.assert_error(topic.call("POST", place, body), "INVALID_ARGUMENT")
        self.assert_error(topic.call("GET", "/queues/0/subscribe?max_in_flight=0"), "INVALID_ARGUMENT", "max_in_flight")
        self.assert_error(topic.call("PUT", "/resize", {"new_queue_count": 0}), "INVALID_ARGUMENT", "new_queue_count")

    def test_patch_of_a_missing_topic_is_not_found(self):
        topic = self.new_topic()
        self.assert_error(self.broker.request("PATCH", topic.path + "x", {"max_length": 1}), "NOT_FOUND")

    def test_a_changed_ack_timeout_holds_for_the_next_lease(self):
        topic = self.new_topic()
        topic.publish(1)
        topic.ok("PATCH", "", {"ack_timeout_ms": SHORT})
        topic.consume()
        topic.wait_for_counts((1, 0, 0))


if __name__ == "__main__":
    unittest.main()
