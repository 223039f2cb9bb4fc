"""What is published comes back: payloads byte for byte, headers, ids, times, batches, acknowledgements."""

import base64
import re
import time
import unittest

from harness import SharedBrokerCase, fnv1a_32

UUID7 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


class Payloads(SharedBrokerCase):

    def publish_text(self, path, text):
        answer = self.broker.post(f"{path}/publish", b'{"payload":' + text.encode() + b"}")
        self.assertEqual(answer.status, 200, answer)

    def consume_body(self, path):
        answer = self.broker.post(f"{path}/queues/0/consume", {"auto_ack": True})
        self.assertEqual(len(answer.data), 1, answer)
        return answer.body

    def test_a_json_payload_comes_back_byte_for_byte(self):
        path = self.topic()
        for text in ('{ "a" :  1 }', "[1 , 2,\n\t3]", "1.0e+5", "-0", "-0.0", "1E400", "1e-400", "0.10", "1.00", "1E+05",
                     "123456789012345678901234567890", "18446744073709551616", "-9223372036854775809",
                     '"\\u0041\\u00e4\\ud83d\\ude00"', '"\\/\\b"', '"ä€😀"', '""', "null", "true", "false", "[]", "{}",
                     '{"payload":{"payload":[{"payload":"payload"}]}}', '{"a":1,"a":2}', "[[[[[[[[[[{}]]]]]]]]]]", "[ ]",
                     '"\\"payload\\":1"', '{"payload" : "}"}', "0.1234567890123456789012345678901234567890", '"a\\u0000b"'):
            with self.subTest(text=text):
                self.publish_text(path, text)
                self.assertIn(b'"payload":' + text.encode() + b",", self.consume_body(path))

    def test_half_a_surrogate_pair_is_refused_or_kept(self):
        path = self.topic()
        answer = self.broker.post(f"{path}/publish", b'{"payload":"\\ud800"}')
        if answer.status == 200:
            self.assertIn(b'"payload":"\\ud800",', self.consume_body(path))
        else:
            self.assert_error(answer, "INVALID_ARGUMENT")

    def test_spaces_around_the_payload_are_not_part_of_it(self):
        path = self.topic()
        body = b'  {"x": [1], \n "payload" \t:\r\n  [ 1,2 ]  , "headers" : {} }  \n'
        self.assertEqual(self.broker.post(f"{path}/publish", body).status, 200)
        self.assertRegex(self.consume_body(path), rb'"payload":\s*\[ 1,2 \]\s*,')

    def test_the_key_payload_may_be_escaped_or_nested_elsewhere(self):
        path = self.topic()
        body = b'{"x":{"payload":1},"y":"\\"payload\\":2","p\\u0061yload":[ 3 ]}'
        self.assertEqual(self.broker.post(f"{path}/publish", body).status, 200)
        self.assertIn(b'"payload":[ 3 ],', self.consume_body(path))

    def test_a_doubled_payload_key_is_refused_or_the_last_one_counts(self):
        path = self.topic()
        answer = self.broker.post(f"{path}/publish", b'{"payload":1,"payload":2}')
        if answer.status != 200:
            self.assert_error(answer, "INVALID_ARGUMENT", "payload")
            return
        self.assertEqual(self.broker.consume(path)[0]["payload"], 2)

    def test_a_publish_takes_exactly_one_payload(self):
        path = self.topic()
        for body in ({}, {"payload": 1, "payload_base64": "MQ=="}, {"headers": {}}, {"payload": None, "payload_base64": ""}):
            with self.subTest(body=body):
                self.assert_error(self.broker.post(f"{path}/publish", body), "INVALID_ARGUMENT", "payload")
        self.assertEqual(self.broker.ok("GET", path)["queues"][0]["ready"], 0)

    def test_a_null_payload_is_a_payload(self):
        path = self.topic()
        self.broker.publish(path, None)
        message = self.broker.consume(path)[0]
        self.assertIn("payload", message)
        self.assertIsNone(message["payload"])

    def test_every_byte_value_survives_base64(self):
        path = self.topic()
        for data in (bytes(range(256)), b"\x00", b"\xff\xfe", b"not json", b"", b" ", b"\xef\xbb\xbf1", b'"\xff"', b"{",
                     b"1 2", b"NaN", b"'a'", b'"a\nb"', b"01", b"+1", b"[1,]", b"\x00" * 1000, b'"\xed\xa0\x80"'):
            with self.subTest(data=data):
                text = base64.b64encode(data).decode()
                self.broker.ok("POST", f"{path}/publish", {"payload_base64": text})
                message = self.broker.consume(path, auto_ack=True)[0]
                self.assertNotIn("payload", message)
                self.assertEqual(message["payload_base64"], text)

    def test_base64_of_json_text_comes_back_as_payload(self):
        path = self.topic()
        for data in (b'{ "a" : 1.0 }', b"1E400", b'"x"', b"null", b" [1] ", b"\n7\n"):
            with self.subTest(data=data):
                self.broker.ok("POST", f"{path}/publish", {"payload_base64": base64.b64encode(data).decode()})
                body = self.consume_body(path)
                self.assertNotIn(b"payload_base64", body)
                self.assertIn(b'"payload":' + data, body)

    def test_text_that_is_no_base64_is_refused(self):
        path = self.topic()
        for text in ("?", "a", "ab", "abc", "ab=c", "====", "YQ==YQ==", "YQ==\n", " YQ==", "YR==", "Y Q=", 1, None, [], True):
            with self.subTest(text=text):
                answer = self.broker.post(f"{path}/publish", {"payload_base64": text})
                if text in ("ab", "abc", "YR=="):  # unpadded, and bits that a decoder may overlook: both readings are in use
                    self.assertIn(answer.status, (200, 400), answer)
                else:
                    self.assert_error(answer, "INVALID_ARGUMENT", "payload_base64")

    def test_headers_come_back_as_they_were(self):
        path = self.topic()
        headers = {"priority": "high", "": "empty name", "ä": "€😀", "quote\"": "back\\slash\n\t\u0001", "empty": ""}
        self.broker.publish(path, 1, headers=headers)
        self.assertEqual(self.broker.consume(path)[0]["headers"], headers)

    def test_headers_are_names_and_strings(self):
        path = self.topic()
        for headers in ([], "a", 1, True, {"a": 1}, {"a": None}, {"a": {}}, {"a": ["b"]}):
            with self.subTest(headers=headers):
                answer = self.broker.post(f"{path}/publish", {"payload": 1, "headers": headers})
                self.assert_error(answer, "INVALID_ARGUMENT", "header")
        self.broker.publish(path, 1, headers=None)

    def test_a_message_has_the_fields_of_the_contract(self):
        path = self.topic(queue_count=2)
        before = time.time_ns()
        published = self.broker.publish(path, {"a": 1}, routing_key="k", queue_id=1)
        after = time.time_ns()
        message = self.broker.consume(path, 1)[0]
        self.assertRegex(message["id"], f"^{UUID7.pattern}$")
        self.assertEqual(published, {"message_id": message["id"], "queue_id": 1})
        self.assertIsInstance(message["timestamp"], int)
        # The clock of a broker may be read in coarser steps than ours.
        self.assertGreaterEqual(message["timestamp"], before - 20_000_000)
        self.assertLessEqual(message["timestamp"], after)
        of_id = int(message["id"].replace("-", "")[:12], 16)
        self.assertLess(abs(of_id - message["timestamp"] // 1_000_000), 1000)
        del message["timestamp"]
        self.assertEqual(message, {
            "id": published["message_id"], "namespace": self.namespace, "topic": "orders", "queue_id": 1,
            "payload": {"a": 1}, "headers": {}, "routing_key": "k", "delivery_count": 1,
            "receipt": published["message_id"] + "#1"})

    def test_a_message_without_a_key_shows_none(self):
        path = self.topic()
        self.broker.publish(path, 1)
        self.assertNotIn("routing_key", self.broker.consume(path)[0])

    def test_ids_are_unique_and_grow(self):
        path = self.topic()
        answers = self.broker.ok("POST", f"{path}/publish_batch", {"messages": [{"payload": n} for n in range(5000)]})
        ids = [a["message_id"] for a in answers]
        self.assertEqual(len(set(ids)), 5000)
        self.assertEqual(ids, sorted(ids))


class Batches(SharedBrokerCase):

    def test_answers_stand_in_the_order_of_the_messages_with_an_error_for_each_bad_one(self):
        path = self.topic(queue_count=3)
        answers = self.broker.ok("POST", f"{path}/publish_batch", {"messages": [
            {"payload": 0, "queue_id": 2}, {}, {"payload": 1, "queue_id": 9}, {"payload": 2, "routing_key": "user-1001"},
            {"payload": 3, "queue_id": -2}, {"payload": 4, "payload_base64": "NA=="}, {"payload": 5},
            {"payload": "x" * 1100000}, {"payload": 6}]})
        self.assertEqual([a.get("code", a.get("queue_id")) for a in answers],
                         [2, "INVALID_ARGUMENT", "NOT_FOUND", fnv1a_32("user-1001") % 3, "INVALID_ARGUMENT",
                          "INVALID_ARGUMENT", 0, "TOO_LARGE", 1])
        self.assertEqual(answers[2]["message"], "queue 9 not found in topic orders (3 queues)")
        for answer in answers:
            self.assertEqual(set(answer), {"code", "message"} if "code" in answer else {"message_id", "queue_id"})

    def test_order_within_a_queue_is_the_order_of_the_batch(self):
        path = self.topic()
        answers = self.broker.ok("POST", f"{path}/publish_batch", {"messages": [{"payload": n} for n in range(1000)]})
        messages = self.broker.consume(path, 0, 1000)
        self.assertEqual([m["payload"] for m in messages], list(range(1000)))
        self.assertEqual([m["id"] for m in messages], [a["message_id"] for a in answers])

    def test_a_batch_takes_10000_messages_and_refuses_one_more(self):
        path = self.topic(queue_count=4)
        messages = [{"payload": n} for n in range(10_000)]
        answers = self.broker.ok("POST", f"{path}/publish_batch", {"messages": messages})
        self.assertEqual([a["queue_id"] for a in answers], [n % 4 for n in range(10_000)])
        answer = self.broker.post(f"{path}/publish_batch", {"messages": messages + [{"payload": 1}]})
        self.assert_error(answer, "INVALID_ARGUMENT", "10000")
        self.assertEqual([q["ready"] for q in self.broker.ok("GET", path)["queues"]], [2500] * 4)

    def test_messages_must_be_an_array_of_objects(self):
        path = self.topic()
        for messages in (None, {}, 1, "a", True, [1], [{"payload": 1}, None], [[]], ["{}"]):
            with self.subTest(messages=messages):
                answer = self.broker.post(f"{path}/publish_batch", {"messages": messages})
                self.assert_error(answer, "INVALID_ARGUMENT", "messages")
        self.assert_error(self.broker.post(f"{path}/publish_batch", {}), "INVALID_ARGUMENT", "messages")
        self.assertEqual(self.broker.ok("GET", path)["queues"][0]["ready"], 0)

    def test_an_empty_batch_is_an_empty_answer(self):
        self.assertEqual(self.broker.ok("POST", f"{self.topic()}/publish_batch", {"messages": []}), [])

    def test_payloads_of_a_batch_keep_their_bytes(self):
        path = self.topic()
        texts = [b"1.0e+5", b"{ }", b"[ 1 ]", b"-0", b'"\\u0041"']
        body = b'{"messages" : [' + b" , ".join(b'{"headers":{"payload":"x"},"payload": ' + t + b" }" for t in texts) + b"]}"
        self.assertEqual(self.broker.post(f"{path}/publish_batch", body).status, 200)
        body = self.broker.post(f"{path}/queues/0/consume", {"batch_size": 10}).body
        for text in texts:
            self.assertIn(b'"payload":' + text + b",", body)

    def test_consume_takes_at_most_batch_size_and_leaves_the_rest(self):
        path = self.topic()
        self.broker.ok("POST", f"{path}/publish_batch", {"messages": [{"payload": n} for n in range(7)]})
        self.assertEqual([m["payload"] for m in self.broker.consume(path, 0, 3)], [0, 1, 2])
        self.assertEqual([m["payload"] for m in self.broker.ok("POST", f"{path}/queues/0/consume")], [3])
        self.assertEqual([m["payload"] for m in self.broker.consume(path, 0, 10_000)], [4, 5, 6])
        self.assertEqual(self.broker.consume(path), [])

    def test_consume_refuses_numbers_out_of_range(self):
        path = self.topic()
        for field, values in (("batch_size", (0, -1, 10_001, 1.5, "1", True, 2**40)), ("auto_ack", (1, 0, "true", [])),
                              ("wait_ms", (-1, 60_001, 1.5, "1", True)), ("lease_ms", (0, -1, 1.5, "1", 2**63))):
            for value in values:
                with self.subTest(field=field, value=value):
                    self.assert_error(self.broker.post(f"{path}/queues/0/consume", {field: value}), "INVALID_ARGUMENT", field)

    def test_ack_counts_and_names_what_is_unknown(self):
        path = self.topic()
        ids = [self.broker.publish(path, n)["message_id"] for n in range(4)]
        receipts = [m["receipt"] for m in self.broker.consume(path, 0, 4)]
        other = "01890000-0000-7000-8000-000000000000"
        self.assertEqual(self.broker.ack(path, 0, [ids[0], receipts[1], other, "no id", "", other + "#1"]),
                         {"acknowledged": 2, "unknown": [other, "no id", "", other + "#1"], "stale": []})
        self.assertEqual(self.broker.ack(path, 0, [ids[0]]), {"acknowledged": 0, "unknown": [ids[0]], "stale": []})
        self.assertEqual(self.broker.ack(path, 0, [ids[2] + "#9"])["acknowledged"], 0)
        self.assertEqual(self.broker.ack(path, 0, []), {"acknowledged": 0, "unknown": [], "stale": []})

    def test_ack_wants_an_array_of_text(self):
        path = self.topic()
        for body in ({}, {"message_ids": None}, {"message_ids": "a"}, {"message_ids": [1]}, {"message_ids": [None]},
                     {"message_ids": {}}, {"message_ids": [["a"]]}):
            with self.subTest(body=body):
                self.assert_error(self.broker.post(f"{path}/queues/0/ack", body), "INVALID_ARGUMENT", "message_ids")


class Times(SharedBrokerCase):

    def test_publish_refuses_times_out_of_range(self):
        path = self.topic()
        for field in ("delay_ms", "deliver_at_ms", "ttl_ms"):
            for value in (-1, 1.5, "1", True, 2**63, 10**30, []):
                with self.subTest(field=field, value=value):
                    answer = self.broker.post(f"{path}/publish", {"payload": 1, field: value})
                    self.assert_error(answer, "INVALID_ARGUMENT", field)

    def test_the_largest_times_do_not_wrap_around(self):
        path = self.topic()
        for fields in ({"delay_ms": 2**63 - 1}, {"deliver_at_ms": 2**63 - 1}, {"delay_ms": 2**53}, {"delay_ms": 9_300_000_000_000}):
            with self.subTest(fields=fields):
                answer = self.broker.post(f"{path}/publish", {"payload": 1} | fields)
                self.assertIn(answer.status, (200, 400), answer)
                self.assertEqual(self.broker.consume(path), [])
        self.broker.post(f"{path}/publish", {"payload": 2, "ttl_ms": 2**63 - 1})
        answer = self.broker.post(f"{path}/publish", {"payload": 3, "ttl_ms": 9_300_000_000_000})
        if answer.status == 200:
            self.assertEqual(self.broker.consume(path, 0, 2)[-1]["payload"], 3)

    def test_a_time_of_delivery_that_has_passed_is_now(self):
        path = self.topic()
        self.broker.publish(path, 1, deliver_at_ms=1000)
        self.assertEqual(len(self.broker.consume(path)), 1)

    def test_the_largest_lease_does_not_wrap_around(self):
        path = self.topic()
        self.broker.publish(path, 1)
        answer = self.broker.post(f"{path}/queues/0/consume", {"lease_ms": 2**63 - 1})
        self.assertIn(answer.status, (200, 400), answer)
        if answer.status == 200:
            self.assertEqual(len(answer.data), 1)
            self.assertEqual(self.broker.consume(path), [])


if __name__ == "__main__":
    unittest.main()
