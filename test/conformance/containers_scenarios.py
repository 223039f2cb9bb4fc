"""Namespaces and topics: names, settings, what exists and what does not."""

from scenario import Scenario, numbers

GOOD_NAMES = ("a", "A", "0", "_", "a.b", "a-b", "a_b", "Z9._-", "x" * 255)
BAD_NAMES = ("", ".", ".a", "-a", "a b", "a/b", "ä", "a\n", "a\0", "x" * 256)
DEFAULTS = {"ack_timeout_ms": 30000, "max_deliveries": 0, "message_ttl_ms": 0, "max_length": 0, "max_bytes": 0,
            "overflow": "reject", "steal": "half"}


class Namespaces(Scenario):
    def test_they_are_created_listed_in_order_and_deleted(self):
        names = [f"{self.namespace}.{end}" for end in ("b", "a", "c")]
        for name in names:
            self.door.create_namespace(name)
        listed = self.door.list_namespaces()
        self.assertEqual(listed, sorted(listed))
        self.assertLessEqual(set(names), set(listed))
        self.door.delete_namespace(names[1])
        self.assertEqual([n for n in self.door.list_namespaces() if n in names], [names[0], names[2]])

    def test_one_that_exists_is_refused(self):
        self.door.create_namespace(self.namespace)
        self.refused("ALREADY_EXISTS", self.door.create_namespace, self.namespace, words=[self.namespace])

    def test_one_that_does_not_exist_is_not_found(self):
        for operation, *arguments in ((self.door.delete_namespace,), (self.door.list_topics,), (self.door.create_topic, "orders"),
                                      (self.door.get_topic, "orders"), (self.door.publish, "orders", b"1"),
                                      (self.door.consume, "orders"), (self.door.delete_topic, "orders")):
            with self.subTest(operation=operation.__name__):
                self.refused("NOT_FOUND", operation, self.namespace, *arguments, words=[self.namespace])

    def test_deleting_one_deletes_what_is_in_it(self):
        self.topic().fill(numbers(3))
        self.door.delete_namespace(self.namespace)
        self.door.create_namespace(self.namespace)
        self.assertEqual(self.door.list_topics(self.namespace), [])
        self.refused("NOT_FOUND", self.door.publish, self.namespace, "orders", b"1")

    def test_names_are_what_the_rules_allow(self):
        for name in GOOD_NAMES:
            with self.subTest(name=name):
                self.door.create_namespace(name)
                self.assertIn(name, self.door.list_namespaces())
                self.door.delete_namespace(name)
        for name in BAD_NAMES:
            with self.subTest(name=name):
                self.refused("INVALID_ARGUMENT", self.door.create_namespace, name)


class Topics(Scenario):
    def test_they_are_created_listed_and_deleted(self):
        orders = self.topic("orders", 3)
        self.topic("bills")
        self.assertEqual(self.door.list_topics(self.namespace), [("bills", 1, 1), ("orders", 3, 1)])
        self.assertEqual((orders.info().name, orders.info().queue_count, orders.info().version), ("orders", 3, 1))
        orders.delete_topic()
        self.assertEqual(self.door.list_topics(self.namespace), [("bills", 1, 1)])
        self.refused("NOT_FOUND", orders.info, words=["orders"])

    def test_one_that_exists_is_refused(self):
        self.topic()
        self.refused("ALREADY_EXISTS", self.door.create_topic, self.namespace, "orders", words=["orders"])

    def test_one_that_does_not_exist_is_not_found(self):
        nowhere = self.topic("nowhere")
        nowhere.delete_topic()
        for operation, *arguments in (("get_topic",), ("delete_topic",), ("update_topic",), ("resize_topic", 2), ("rebalance_topic",),
                                      ("publish", b"1"), ("publish_batch", [{"payload": b"1"}]), ("consume",), ("ack", ["x"]),
                                      ("nack", ["x"]), ("extend", ["x"]), ("subscribe",), ("peek",), ("purge",), ("list_dead",),
                                      ("redrive_dead",), ("purge_dead",)):
            with self.subTest(operation=operation):
                self.refused("NOT_FOUND", getattr(nowhere, operation), *arguments, words=["nowhere"])

    def test_names_are_what_the_rules_allow(self):
        self.door.create_namespace(self.namespace)
        for name in GOOD_NAMES:
            with self.subTest(name=name):
                self.door.create_topic(self.namespace, name)
                self.door.delete_topic(self.namespace, name)
        for name in BAD_NAMES:
            with self.subTest(name=name):
                self.refused("INVALID_ARGUMENT", self.door.create_topic, self.namespace, name)

    def test_a_topic_has_one_queue_to_1024(self):
        self.door.create_namespace(self.namespace)
        self.door.create_topic(self.namespace, "one")
        self.door.create_topic(self.namespace, "most", 1024)
        self.assertEqual(self.door.list_topics(self.namespace), [("most", 1024, 1), ("one", 1, 1)])
        for count in (-1, 1025, 2**31 - 1):
            self.refused("INVALID_ARGUMENT", self.door.create_topic, self.namespace, "no", count, words=["queue_count"])
        if self.door.zero_is_default:
            self.door.create_topic(self.namespace, "zero", 0)
            self.assertEqual(self.door.get_topic(self.namespace, "zero").queue_count, 1)
        else:
            self.refused("INVALID_ARGUMENT", self.door.create_topic, self.namespace, "zero", 0, words=["queue_count"])

    def test_settings_are_the_defaults_where_none_are_given(self):
        self.assertEqual(self.topic().info().settings, DEFAULTS)

    def test_settings_are_kept_and_changed_one_by_one(self):
        given = {"ack_timeout_ms": 1500, "max_deliveries": 7, "message_ttl_ms": 60000, "max_length": 10, "max_bytes": 2**40,
                 "overflow": "drop_oldest", "steal": "off"}
        topic = self.topic(**given)
        self.assertEqual(topic.info().settings, given)
        topic.update_topic(max_length=11, steal="half")
        self.assertEqual(topic.info().settings, given | {"max_length": 11, "steal": "half"})

    def test_settings_out_of_range_are_refused(self):
        topic = self.topic()
        for name, value in (("ack_timeout_ms", -1), ("max_deliveries", -1), ("message_ttl_ms", -1), ("max_length", -1),
                            ("max_bytes", -1), ("overflow", "spill"), ("steal", "all")):
            with self.subTest(name=name):
                self.refused("INVALID_ARGUMENT", topic.update_topic, words=[name], **{name: value})
                self.refused("INVALID_ARGUMENT", self.door.create_topic, self.namespace, "no", words=[name], **{name: value})
        self.assertEqual(topic.info().settings, DEFAULTS)
        self.assertEqual(len(self.door.list_topics(self.namespace)), 1)

    def test_the_state_of_every_queue_is_shown(self):
        topic = self.topic(queue_count=2)
        topic.fill(numbers(3), queue_id=1)
        topic.publish(queue_id=1, delay_ms=60000)
        topic.consume(1)
        first, second = topic.info().queues
        self.assertEqual((first.queue_id, first.ready, first.leased, first.delayed, first.bytes, first.consumers), (0,) + (0,) * 5)
        self.assertEqual((second.queue_id, second.ready, second.leased, second.delayed, second.consumers), (1, 2, 1, 1, 0))
        self.assertGreater(second.bytes, 0)

    def test_stats_know_the_broker(self):
        stats = self.door.stats()
        self.assertIn("version", stats)
        self.assertGreaterEqual(sum(stats["connections"].values()), 1)


class Queues(Scenario):
    def test_a_queue_out_of_range_is_not_found(self):
        topic = self.topic(queue_count=3)
        text = "queue 9 not found in topic orders (3 queues)"
        for operation, *arguments in (("consume",), ("ack", ["x"]), ("nack", ["x"]), ("extend", ["x"]), ("subscribe",), ("peek",),
                                      ("purge",)):
            with self.subTest(operation=operation):
                self.refused("NOT_FOUND", getattr(topic, operation), *arguments, queue_id=9, text=text)
        self.refused("NOT_FOUND", topic.publish, queue_id=9, text=text)
        self.refused("NOT_FOUND", topic.publish, queue_id=3)
        self.refused("NOT_FOUND", topic.publish, queue_id=2**31 - 1)
        self.assertEqual(topic.total(), 0)

    def test_a_number_below_minus_one_is_invalid(self):
        topic = self.topic()
        for operation, *arguments in (("consume",), ("ack", ["x"]), ("nack", ["x"]), ("extend", ["x"]), ("subscribe",), ("peek",),
                                      ("purge",), ("publish",)):
            with self.subTest(operation=operation):
                self.refused("INVALID_ARGUMENT", getattr(topic, operation), *arguments, queue_id=-2, words=["queue_id"])
