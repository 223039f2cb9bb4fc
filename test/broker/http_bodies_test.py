"""Bodies that are malformed, of the wrong type, too large or cut off; and the limits of messages, memory and connections."""

import base64
import unittest

from harness import BrokerCase, wait_until
from hostile import HostileCase


class Bodies(HostileCase):

    def test_malformed_json_is_refused(self):
        bodies = [b"{", b"}", b"", b" ", b"{]", b'{"payload":}', b'{"payload":1,}', b'{"payload":1}x', b"{'payload':1}",
                  b'{payload:1}', b'{"payload":01}', b'{"payload":+1}', b'{"payload":.5}', b'{"payload":1.}', b'{"payload":NaN}',
                  b'{"payload":Infinity}', b'{"payload":tru}', b'{"payload":"a\nb"}', b'{"payload":"\\x"}', b'{"payload":"\\u12"}',
                  b'{"payload":"', b'{"payload":1', b'{"payload":1}{"payload":2}', b'{"payload":1}\x00', b'\xef\xbb\xbf{"payload":1}',
                  b'/**/{"payload":1}', b'{"payload":1e}', b'{"payload":-}', b'{"payload" 1}', b'{"payload":0x10}', b"\x00" * 64]
        for body in bodies:
            with self.subTest(body=body):
                self.assert_error(self.broker.post(f"{self.path}/publish", body), "INVALID_ARGUMENT")

    def test_a_body_that_is_no_object_is_refused(self):
        for body in (b"[]", b'"payload"', b"1", b"null", b"true", b'[{"payload":1}]'):
            for route in ("publish", "publish_batch", "queues/0/consume", "queues/0/ack"):
                with self.subTest(body=body, route=route):
                    self.assert_error(self.broker.post(f"{self.path}/{route}", body), "INVALID_ARGUMENT")

    def test_bytes_that_are_no_utf8_are_refused(self):
        for bad in (b"\xff", b"\xc3", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82", b"\x80", b"\xf8\x88\x80\x80\x80"):
            for body in (b'{"payload":"%s"}', b'{"payload":1,"routing_key":"%s"}', b'{"payload":1,"headers":{"a":"%s"}}',
                         b'{"payload":1,"headers":{"%s":"a"}}', b'{"payload":{"%s":1}}', b'{"payload":1,"ignored":"%s"}'):
                with self.subTest(bad=bad, body=body):
                    self.assert_error(self.broker.post(f"{self.path}/publish", body % bad), "INVALID_ARGUMENT")
            self.assert_error(self.broker.post("/v1/namespaces", b'{"name":"%s"}' % bad), "INVALID_ARGUMENT")

    def test_ten_thousand_brackets_are_taken_or_refused(self):
        path = self.topic("deep")
        for opening, closing in ((b"[", b"]"), (b'{"a":', b"}")):
            text = opening * 10_000 + b"1" + closing * 10_000
            for body in (b'{"payload":%s}' % text, b'{"payload":1,"x":%s}' % text):
                answer = self.broker.post(f"{path}/publish", body)
                self.assertIn(answer.status, (200, 400), answer)
                if answer.status == 200 and b'"x"' not in body:
                    self.assertIn(b'"payload":' + text, self.broker.post(f"{path}/queues/0/consume", {"auto_ack": True}).body)
            for body in (text, opening * 10_000, b'{"payload":' + opening * 100_000):
                self.assert_error(self.broker.post(f"{path}/publish", body), "INVALID_ARGUMENT")

    def test_deep_payloads_in_base64_come_back(self):
        path = self.topic("deep")
        for text in (b"[" * 10_000 + b"]" * 10_000, b"[" * 100_000, b'{"a":' * 20_000 + b"1" + b"}" * 20_000):
            self.broker.ok("POST", f"{path}/publish", {"payload_base64": base64.b64encode(text).decode()})
            body = self.broker.post(f"{path}/queues/0/consume", {"auto_ack": True}).body
            self.assertTrue(b'"payload":' + text in body or base64.b64encode(text) in body, body[:200])

    def test_wrong_types_are_refused_and_named(self):
        for field, values in (("routing_key", (1, True, [], {})), ("headers", (1, "a", [])), ("queue_id", ("0", [], 0.5)),
                              ("delay_ms", ("1", None, [], {}, 0.5)), ("payload_base64", (1, {}, None))):
            for value in values:
                with self.subTest(field=field, value=value):
                    fields = {field: value} if field == "payload_base64" else {"payload": 1, field: value}
                    answer = self.broker.post(f"{self.path}/publish", fields)
                    if value is None and field == "delay_ms":  # null where a field is optional may mean absent
                        self.assertIn(answer.status, (200, 400), answer)
                        if answer.status == 200:
                            self.broker.ack(self.path, 0, [answer.data["message_id"]])
                    else:
                        self.assert_error(answer, "INVALID_ARGUMENT", field)

    def test_numbers_beyond_every_type_are_refused(self):
        for text in (b"1e400", b"-1e400", b"9" * 400, b"-" + b"9" * 400, b"0." + b"0" * 400 + b"1", b"9223372036854775808"):
            for field in (b"queue_id", b"delay_ms", b"ttl_ms"):
                with self.subTest(text=text[:20], field=field):
                    body = b'{"payload":1,"%s":%s}' % (field, text)
                    self.assert_error(self.broker.post(f"{self.path}/publish", body), "INVALID_ARGUMENT", field.decode())

    def test_a_body_over_its_limit_is_too_large_whether_or_not_it_is_sent(self):
        limit = 16 * 1024 * 1024
        for length in (limit + 1, 2**31, 2**32 + 5, 2**62):
            with self.subTest(length=length), self.broker.connect() as connection:
                connection.send(f"POST {self.path}/publish HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n")
                self.assert_error(connection.read_answer(), "TOO_LARGE")
        self.assert_error(self.broker.post(f"{self.path}/publish", b'{"payload":1,"x":"' + b"a" * limit + b'"}'), "TOO_LARGE")

    def test_a_chunked_body_over_its_limit_is_too_large(self):
        with self.broker.connect() as connection:
            try:
                connection.send(f"POST {self.path}/publish HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
                for _ in range(40):
                    connection.send(b"80000\r\n" + b" " * 0x80000 + b"\r\n")
            except OSError:
                pass  # refused before the end: that is what is wanted
            text = connection.read_to_end()
        if text:  # bytes on their way when the broker closes may cost the answer, TCP being what it is
            self.assertTrue(text.startswith(b"HTTP/1.1 413 "), text[:300])

    def test_a_huge_first_chunk_is_too_large(self):
        for size in (b"1000001", b"7fffffffffffffff"):
            with self.subTest(size=size), self.broker.connect() as connection:
                connection.send(f"POST {self.path}/publish HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode() +
                                size + b"\r\n" + b"a" * 1000)
                self.assert_error(connection.read_answer(), "TOO_LARGE")

    def test_a_truncated_body_does_nothing(self):
        for body in (b"", b"{", b'{"payload":"never"', b'{"payload":"never"}'):
            with self.broker.connect() as connection:
                connection.send(f"POST {self.path}/publish HTTP/1.1\r\nHost: x\r\nContent-Length: 20\r\n\r\n".encode() + body)
                connection.finish_sending()
                text = connection.read_to_end()
                self.assertTrue(text == b"" or text.startswith(b"HTTP/1.1 400"), text[:300])
        for body in (b"", b"13\r\n", b'13\r\n{"payload":"never"}', b'13\r\n{"payload":"never"}\r\n', b'13\r\n{"payload":"never"}\r\n0\r\n'):
            with self.broker.connect() as connection:
                connection.send(f"POST {self.path}/publish HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode() + body)
                connection.finish_sending()
                text = connection.read_to_end()
                self.assertTrue(text == b"" or text.startswith(b"HTTP/1.1 400"), text[:300])


class Limits(BrokerCase):

    def test_payload_headers_and_key_of_a_message_count_together(self):
        broker = self.start_broker("--limits.max_message_bytes", "1000")
        path = broker.create_topic("orders")
        key, headers = "k" * 50, {"h" * 30: "v" * 20}
        fits = [{"payload_base64": base64.b64encode(b"\x00" * 1000).decode()}, {"payload": "a" * 998},
                {"payload": "a" * 898, "routing_key": key, "headers": headers}]
        for fields in fits:
            broker.ok("POST", f"{path}/publish", fields)
        too_large = [{"payload_base64": base64.b64encode(b"\x00" * 1001).decode()}, {"payload": "a" * 999},
                     {"payload": "a" * 899, "routing_key": key, "headers": headers},
                     {"payload": 1, "routing_key": "k" * 1000}, {"payload": 1, "headers": {"h" * 1000: ""}},
                     {"payload": 1, "headers": {"": "v" * 1000}}]
        for fields in too_large:
            with self.subTest(fields=list(fields)):
                self.assert_error(broker.post(f"{path}/publish", fields), "TOO_LARGE", "1000")
        batch = broker.ok("POST", f"{path}/publish_batch", {"messages": [fits[0], too_large[0], fits[1]]})
        self.assertEqual([a.get("code") for a in batch], [None, "TOO_LARGE", None])
        self.assertEqual(len(broker.consume(path, 0, 100)), 5)

    def test_the_default_limit_of_a_message_is_one_mebibyte(self):
        broker = self.start_broker()
        path = broker.create_topic("orders")
        broker.publish(path, "a" * (2**20 - 2))
        self.assert_error(broker.post(f"{path}/publish", {"payload": "a" * (2**20 - 1)}), "TOO_LARGE")
        self.assertEqual(len(broker.consume(path)[0]["payload"]), 2**20 - 2)

    def test_a_body_of_exactly_the_limit_is_read(self):
        broker = self.start_broker("--limits.max_request_bytes", "2000")
        path = broker.create_topic("orders")
        broker.ok("POST", f"{path}/publish", b'{"payload":1}'.ljust(2000))
        self.assert_error(broker.post(f"{path}/publish", b'{"payload":1}'.ljust(2001)), "TOO_LARGE", "2000")

    def test_connections_over_the_limit_are_told_so_and_fit_again_later(self):
        broker = self.start_broker("--limits.max_connections", "5")
        request = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
        held = [broker.connect() for _ in range(5)]
        for connection in held:
            connection.send(request)
            self.assertEqual(connection.read_answer().status, 200)
        for _ in range(20):
            with broker.connect() as connection:
                connection.send(request)
                self.assert_error(connection.read_answer(), "RESOURCE_EXHAUSTED")
        for connection in held:
            connection.send(request)
            self.assertEqual(connection.read_answer().status, 200)
        held.pop().close()
        wait_until(lambda: broker.get("/health").status == 200, "a connection fits again")
        for connection in held:
            connection.close()

        def all_fit():
            connections = [broker.connect() for _ in range(5)]
            for connection in connections:
                connection.send(request)
            statuses = [connection.read_answer().status for connection in connections]
            for connection in connections:
                connection.close()
            return statuses == [200] * 5
        wait_until(all_fit, "five connections fit again")

    def test_memory_over_its_limit_refuses_publishes_alone(self):
        broker = self.start_broker("--limits.max_memory", "1MB")
        path = broker.create_topic("orders")

        def fill():
            answer = broker.post(f"{path}/publish", {"payload": "a" * 100_000})
            return None if answer.status == 200 else answer
        self.assert_error(wait_until(fill, "a publish is refused"), "RESOURCE_EXHAUSTED")
        messages = broker.consume(path, 0, 100)
        self.assertGreater(len(messages), 0)
        self.assertEqual(broker.ack(path, 0, [m["id"] for m in messages])["acknowledged"], len(messages))
        wait_until(lambda: broker.post(f"{path}/publish", {"payload": 1}).status == 200, "publishes are taken again")


if __name__ == "__main__":
    unittest.main()
