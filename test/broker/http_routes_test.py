"""Every route of HTTP that needs no waiting: statuses, envelopes, names, settings, routing."""

import unittest

from harness import SharedBrokerCase, fnv1a_32

BAD_NAMES = ["", ".", "..", ".hidden", "-x", "a b", "a/b", "a\u0000", "ä", "a\n", "a%2e", "a,b", "a" * 256, "\U0001f600"]
GOOD_NAMES = ["a", "A", "0", "_", "_-.", "a.b-c_D9", "a..b", "a" * 255]


class Namespaces(SharedBrokerCase):

    def test_a_namespace_is_created_once_listed_and_deleted(self):
        answer = self.broker.post("/v1/namespaces", {"name": "production"})
        self.assertEqual((answer.status, answer.json["success"]), (201, True), answer)
        self.assertIn("production", self.broker.ok("GET", "/v1/namespaces"))
        self.assert_error(self.broker.post("/v1/namespaces", {"name": "production"}), "ALREADY_EXISTS", "production")
        answer = self.broker.delete("/v1/namespaces/production")
        self.assertEqual((answer.status, answer.json["success"]), (200, True), answer)
        self.assertNotIn("production", self.broker.ok("GET", "/v1/namespaces"))
        self.assert_error(self.broker.delete("/v1/namespaces/production"), "NOT_FOUND", "production")

    def test_namespaces_are_listed_in_order(self):
        for name in ("zeta", "Alpha", "beta", "a-1", "a.1", "a_1", "10", "9"):
            self.assertEqual(self.broker.post("/v1/namespaces", {"name": name}).status, 201)
        names = self.broker.ok("GET", "/v1/namespaces")
        self.assertEqual(names, sorted(names))

    def test_names_that_the_rules_forbid_are_refused(self):
        for name in BAD_NAMES:
            with self.subTest(name=name):
                self.assert_error(self.broker.post("/v1/namespaces", {"name": name}), "INVALID_ARGUMENT")

    def test_names_that_the_rules_allow_are_taken(self):
        for name in GOOD_NAMES:
            with self.subTest(name=name):
                self.assertEqual(self.broker.post("/v1/namespaces", {"name": name}).status, 201)
                self.assertIn(name, self.broker.ok("GET", "/v1/namespaces"))
                self.assertEqual(self.broker.delete(f"/v1/namespaces/{name}").status, 200)

    def test_a_name_must_be_text_and_there(self):
        for body in ({}, {"name": None}, {"name": 1}, {"name": ["a"]}, {"name": True}, {"Name": "a"}):
            with self.subTest(body=body):
                self.assert_error(self.broker.post("/v1/namespaces", body), "INVALID_ARGUMENT", "name")

    def test_a_name_in_a_path_may_be_percent_encoded(self):
        self.broker.ok("POST", "/v1/namespaces", {"name": "plain"})
        self.assertEqual(self.broker.get("/v1/namespaces/%70l%61in/topics").status, 200)
        self.assertEqual(self.broker.delete("/v1/namespaces/pl%61in").status, 200)

    def test_odd_percent_encodings_in_a_path_never_reach_another_thing(self):
        self.topic("orders")
        for name in ("%2e%2e", "%2E", "..", ".", "%2F", "a%2Fb", "%00", "a%00", "%", "%4", "%zz", "%20", "%c3%a4", "%ff",
                     "a" * 256):
            for method, path in (("GET", f"/v1/namespaces/{name}/topics"), ("DELETE", f"/v1/namespaces/{name}"),
                                 ("POST", f"/v1/namespaces/{self.namespace}/topics/{name}/publish")):
                with self.subTest(method=method, path=path):
                    answer = self.broker.request(method, path, b'{"payload":1}' if method == "POST" else None)
                    self.assertIn(answer.status, (400, 404), answer)
                    self.assertIn(answer.json["code"], ("INVALID_ARGUMENT", "NOT_FOUND"))
        self.assertIn(self.namespace, self.broker.ok("GET", "/v1/namespaces"))

    def test_a_deleted_namespace_takes_its_topics_along(self):
        path = self.topic("orders")
        self.broker.publish(path, 1)
        self.assertEqual(self.broker.delete(f"/v1/namespaces/{self.namespace}").status, 200)
        self.assert_error(self.broker.get(path), "NOT_FOUND", self.namespace)
        self.assertEqual(self.broker.consume(self.topic("orders")), [])


class Topics(SharedBrokerCase):

    def test_a_topic_is_created_once_listed_and_deleted(self):
        path = self.topic("orders", queue_count=3)
        parent = path.rpartition("/")[0]
        self.assert_error(self.broker.post(parent, {"name": "orders"}), "ALREADY_EXISTS", "orders")
        self.topic("alpha")
        listed = self.broker.ok("GET", parent)
        self.assertEqual([(t["name"], t["queue_count"]) for t in listed], [("alpha", 1), ("orders", 3)])
        self.assertEqual(set(listed[0]), {"name", "queue_count", "version"})
        self.assertEqual(self.broker.delete(path).status, 200)
        self.assert_error(self.broker.delete(path), "NOT_FOUND", "orders")
        self.assertEqual([t["name"] for t in self.broker.ok("GET", parent)], ["alpha"])

    def test_a_missing_namespace_is_not_found_and_named(self):
        for method, rest in (("GET", ""), ("POST", ""), ("GET", "/t"), ("DELETE", "/t"), ("PATCH", "/t"),
                             ("POST", "/t/publish"), ("POST", "/t/queues/0/consume"), ("POST", "/t/queues/0/ack")):
            with self.subTest(method=method, rest=rest):
                body = None if method == "GET" else {"name": "t", "payload": 1, "message_ids": []}
                answer = self.broker.request(method, f"/v1/namespaces/nowhere/topics{rest}", body)
                self.assert_error(answer, "NOT_FOUND", "nowhere")

    def test_a_missing_topic_is_not_found_and_named(self):
        parent = self.topic().rpartition("/")[0]
        for method, rest in (("GET", ""), ("DELETE", ""), ("PATCH", ""), ("POST", "/publish"), ("POST", "/publish_batch"),
                             ("POST", "/queues/0/consume"), ("POST", "/queues/0/ack"), ("GET", "/queues/0/messages")):
            with self.subTest(method=method, rest=rest):
                body = None if method == "GET" else {"payload": 1, "message_ids": [], "messages": [{"payload": 1}]}
                self.assert_error(self.broker.request(method, f"{parent}/missing{rest}", body), "NOT_FOUND", "missing")

    def test_names_that_the_rules_forbid_are_refused(self):
        parent = self.topic().rpartition("/")[0]
        for name in BAD_NAMES:
            with self.subTest(name=name):
                self.assert_error(self.broker.post(parent, {"name": name}), "INVALID_ARGUMENT")

    def test_names_that_the_rules_allow_are_taken(self):
        for name in GOOD_NAMES:
            with self.subTest(name=name):
                self.broker.publish(self.topic(name), 1)

    def test_queue_count_is_one_to_1024_and_one_when_absent(self):
        parent = self.topic("default").rpartition("/")[0]
        self.assertEqual(self.broker.ok("GET", f"{parent}/default")["queue_count"], 1)
        self.topic("most", queue_count=1024)
        self.assertEqual(len(self.broker.ok("GET", f"{parent}/most")["queues"]), 1024)
        for number, count in enumerate((0, -1, 1025, 2**31, 2**32 + 1, 2**64 + 1, 10**30, 1.5, "3", True, [], {})):
            with self.subTest(count=count):
                answer = self.broker.post(parent, {"name": f"bad{number}", "queue_count": count})
                self.assert_error(answer, "INVALID_ARGUMENT", "queue_count")
                self.assert_error(self.broker.get(f"{parent}/bad{number}"), "NOT_FOUND")

    def test_a_new_topic_shows_the_default_settings(self):
        info = self.broker.ok("GET", self.topic(queue_count=2))
        self.assertEqual(info["settings"], {
            "ack_timeout_ms": 30000, "max_deliveries": 0, "message_ttl_ms": 0, "max_length": 0, "max_bytes": 0,
            "overflow": "reject", "steal": "half"})
        self.assertEqual((info["name"], info["queue_count"], info["dead"]), ("orders", 2, 0))
        idle = {"ready": 0, "leased": 0, "delayed": 0, "bytes": 0, "consumers": 0}
        self.assertEqual(info["queues"], [{"queue_id": 0} | idle, {"queue_id": 1} | idle])

    def test_settings_are_taken_at_creation_and_changed_by_patch(self):
        settings = {"ack_timeout_ms": 1500, "max_deliveries": 3, "message_ttl_ms": 60000, "max_length": 10,
                    "max_bytes": 1000, "overflow": "drop_oldest", "steal": "off"}
        path = self.topic(**settings)
        self.assertEqual(self.broker.ok("GET", path)["settings"], settings)
        change = {"max_length": 20, "steal": "half", "overflow": "reject"}
        self.assertEqual(self.broker.request("PATCH", path, change).status, 200)
        self.assertEqual(self.broker.ok("GET", path)["settings"], settings | change)
        self.assertEqual(self.broker.request("PATCH", path, {}).status, 200)
        self.assertEqual(self.broker.ok("GET", path)["settings"], settings | change)
        self.assertEqual(self.broker.request("PATCH", path, {"max_deliveries": 0}).status, 200)
        self.assertEqual(self.broker.ok("GET", path)["settings"]["max_deliveries"], 0)

    def test_settings_out_of_range_are_refused_and_change_nothing(self):
        path = self.topic()
        before = self.broker.ok("GET", path)
        for change in ({"ack_timeout_ms": 0}, {"ack_timeout_ms": -1}, {"ack_timeout_ms": "30s"}, {"max_deliveries": -1},
                       {"max_deliveries": 1.5}, {"message_ttl_ms": -1}, {"max_length": -5}, {"max_bytes": 2**63},
                       {"overflow": "drop_newest"}, {"overflow": 1}, {"steal": "all"}, {"steal": ""}, {"steal": True},
                       {"max_length": 5, "steal": "no"}):
            with self.subTest(change=change):
                field = next(name for name in reversed(change))
                self.assert_error(self.broker.request("PATCH", path, change), "INVALID_ARGUMENT", field)
                answer = self.broker.post(path.rpartition("/")[0], {"name": "other"} | change)
                self.assert_error(answer, "INVALID_ARGUMENT", field)
                self.assertEqual(self.broker.ok("GET", path), before)

    def test_the_state_of_each_queue_is_shown(self):
        path = self.topic(queue_count=2)
        for _ in range(3):
            self.broker.publish(path, "x" * 100, queue_id=1)
        self.broker.publish(path, "later", queue_id=1, delay_ms=3_600_000)
        self.broker.consume(path, 1)
        queues = self.broker.ok("GET", path)["queues"]
        self.assertEqual((queues[1]["ready"], queues[1]["leased"], queues[1]["delayed"]), (2, 1, 1))
        self.assertGreaterEqual(queues[1]["bytes"], 300)
        self.assertEqual((queues[0]["ready"], queues[0]["bytes"]), (0, 0))


class Routing(SharedBrokerCase):

    def test_an_explicit_queue_wins_over_the_key(self):
        path = self.topic(queue_count=5)
        for queue in range(5):
            self.assertEqual(self.broker.publish(path, 1, queue_id=queue, routing_key="k")["queue_id"], queue)
            self.assertEqual(self.broker.ok("GET", path)["queues"][queue]["ready"], 1)

    def test_a_key_goes_to_its_fnv1a_queue(self):
        path = self.topic(queue_count=7)
        for key in ("user-1001", "a", "foobar", "ä€😀", "x" * 1000, " ", "0"):
            with self.subTest(key=key):
                self.assertEqual(self.broker.publish(path, 1, routing_key=key)["queue_id"], fnv1a_32(key) % 7)

    def test_without_key_and_queue_it_goes_round_from_queue_0(self):
        path = self.topic(queue_count=3)
        fields = [{}, {"queue_id": None}, {"queue_id": -1}, {"routing_key": ""}, {"routing_key": None}, {}, {}]
        self.assertEqual([self.broker.publish(path, 1, **f)["queue_id"] for f in fields], [0, 1, 2, 0, 1, 2, 0])

    def test_each_topic_has_a_round_of_its_own(self):
        one, two = self.topic("one", queue_count=2), self.topic("two", queue_count=2)
        self.assertEqual([self.broker.publish(p, 1)["queue_id"] for p in (one, two, one, two)], [0, 0, 1, 1])

    def test_a_minus_one_with_a_key_follows_the_key(self):
        path = self.topic(queue_count=7)
        for key in ("user-1001", "user-1002", "user-1003"):
            self.assertEqual(self.broker.publish(path, 1, queue_id=-1, routing_key=key)["queue_id"], fnv1a_32(key) % 7)

    def test_a_queue_that_is_not_there_is_not_found_and_named(self):
        path = self.topic(queue_count=3)
        answer = self.broker.post(f"{path}/publish", {"payload": 1, "queue_id": 9})
        self.assert_error(answer, "NOT_FOUND")
        self.assertEqual(answer.json["message"], "queue 9 not found in topic orders (3 queues)")
        for queue in (3, 1024, 2**31 - 1):
            with self.subTest(queue=queue):
                self.assert_error(self.broker.post(f"{path}/publish", {"payload": 1, "queue_id": queue}), "NOT_FOUND", queue)
        for method, rest in (("POST", "/consume"), ("POST", "/ack"), ("POST", "/nack"), ("GET", "/messages")):
            with self.subTest(rest=rest):
                body = None if method == "GET" else {"message_ids": []}
                self.assert_error(self.broker.request(method, f"{path}/queues/3{rest}", body), "NOT_FOUND", "queue 3", "orders")
        self.assertEqual([q["ready"] for q in self.broker.ok("GET", path)["queues"]], [0, 0, 0])

    def test_a_queue_id_that_is_none_is_refused(self):
        path = self.topic(queue_count=3)
        for queue in (-2, -2**31, 2**63, 2**64, 1.5, "1", True, [], {}):
            with self.subTest(queue=queue):
                answer = self.broker.post(f"{path}/publish", {"payload": 1, "queue_id": queue})
                self.assert_error(answer, "INVALID_ARGUMENT", "queue_id")

    def test_a_queue_in_a_path_is_a_plain_number(self):
        path = self.topic(queue_count=3)
        for queue in ("-1", "x", "1x", "+1", "0x1", "1.0", "", "%20", "99999999999999999999"):
            with self.subTest(queue=queue):
                answer = self.broker.post(f"{path}/queues/{queue}/consume", {})
                self.assertIn((answer.status, answer.json["code"]), ((400, "INVALID_ARGUMENT"), (404, "NOT_FOUND")), answer)


class OtherRoutes(SharedBrokerCase):

    def test_health_answers_without_the_envelope(self):
        answer = self.broker.get("/health")
        self.assertEqual((answer.status, answer.json), (200, {"status": "ok"}))
        for path in ("/health/live", "/health/ready"):
            self.assertEqual(self.broker.get(path).status, 200)

    def test_stats_count_what_happened(self):
        before = self.broker.ok("GET", "/v1/stats")
        path = self.topic()
        for n in range(3):
            self.broker.publish(path, n)
        ids = [m["id"] for m in self.broker.consume(path, 0, 2)]
        self.broker.ack(path, 0, ids[:1])
        after = self.broker.ok("GET", "/v1/stats")
        self.assertRegex(after["version"], r"^\d+\.\d+\.\d+")
        for part in ("totals", "rates", "log", "memory"):
            self.assertIn(part, after)
        grown = {name: after["totals"][name] - before["totals"][name]
                 for name in ("published", "delivered", "acknowledged", "ready", "leased")}
        self.assertEqual(grown, {"published": 3, "delivered": 2, "acknowledged": 1, "ready": 1, "leased": 1})

    def test_peek_changes_nothing_and_purge_empties(self):
        path = self.topic()
        for n in range(12):
            self.broker.publish(path, n)
        messages = f"{path}/queues/0/messages"
        self.assertEqual([m["payload"] for m in self.broker.ok("GET", messages)], list(range(10)))
        self.assertEqual([m["payload"] for m in self.broker.ok("GET", f"{messages}?limit=1000")], list(range(12)))
        self.assertEqual([m["payload"] for m in self.broker.ok("GET", f"{messages}?state=ready&limit=2")], [0, 1])
        self.assertEqual(self.broker.ok("GET", f"{messages}?state=leased"), [])
        for query in ("limit=0", "limit=-1", "limit=1001", "limit=x", "limit=", "limit=1.0", "state=other", "limit=%31x"):
            with self.subTest(query=query):
                self.assert_error(self.broker.get(f"{messages}?{query}"), "INVALID_ARGUMENT", query.split("=")[0])
        self.assertEqual(self.broker.consume(path)[0]["delivery_count"], 1)
        self.assertEqual([m["payload"] for m in self.broker.ok("GET", f"{messages}?state=leased")], [0])
        self.assertEqual(self.broker.ok("DELETE", messages)["purged"], 11)
        self.assertEqual(self.broker.consume(path), [])

    def test_a_percent_encoded_query_is_read(self):
        path = self.topic()
        self.broker.publish(path, 1)
        self.assertEqual(len(self.broker.ok("GET", f"{path}/queues/0/messages?st%61te=re%61dy&limit=%31&unknown=x&&a")), 1)

    def test_unknown_routes_are_not_found(self):
        path = self.topic()
        for method, target in (("GET", "/v1"), ("GET", "/v2/namespaces"), ("GET", "/nothing"), ("POST", f"{path}/other"),
                               ("GET", f"{path}/queues"), ("GET", f"{path}/queues/0/x/y"), ("GET", "//v1/namespaces"),
                               ("GET", "/v1//namespaces"), ("GET", "/V1/namespaces"), ("GET", "/v1/namespaces/x/y"),
                               ("GET", "/healthy"), ("DELETE", "/v1/none"), ("PUT", "/.."), ("GET", "/%2e%2e/etc/passwd")):
            with self.subTest(method=method, target=target):
                self.assert_error(self.broker.request(method, target), "NOT_FOUND")

    def test_a_wrong_method_is_405_and_names_those_that_are_allowed(self):
        path = self.topic()
        for method, target, allowed in (("PUT", "/v1/namespaces", {"GET", "POST"}), ("GET", f"{path}/publish", {"POST"}),
                                        ("POST", path, {"GET", "PATCH", "DELETE"}), ("POST", "/health", {"GET"}),
                                        ("DELETE", f"{path}/queues/0/consume", {"POST"}), ("PATCH", "/v1/stats", {"GET"}),
                                        ("BREW", "/v1/namespaces", {"GET", "POST"}),
                                        ("POST", f"{path}/queues/0/messages", {"GET", "DELETE"})):
            with self.subTest(method=method, target=target):
                answer = self.broker.request(method, target, b"" if method == "POST" else None)
                self.assert_error(answer, "METHOD_NOT_ALLOWED")
                self.assertEqual({m.strip() for m in answer.headers["allow"].split(",")} - {"HEAD", "OPTIONS"}, allowed)


if __name__ == "__main__":
    unittest.main()
