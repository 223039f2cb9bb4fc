"""Bytes that no good client sends: after each of these the broker serves others, and nothing is lost."""

import json
import random
import socket
import time
import unittest

from hostile import HostileCase, post


class Bytes(HostileCase):

    def test_huge_headers_are_refused(self):
        start = b"GET /health HTTP/1.1\r\nHost: x\r\n"
        for data in (start + b"a: " + b"b" * 1_000_000 + b"\r\n\r\n", start + b"a: b\r\n" * 100_000 + b"\r\n",
                     start + b"a" * 1_000_000, b"GET /" + b"a" * 1_000_000 + b" HTTP/1.1\r\n\r\n", b"A" * 1_000_000):
            with self.subTest(data=data[:40]):
                with self.broker.connect() as connection:
                    try:
                        connection.send(data)
                    except OSError:
                        pass
                    text = connection.read_to_end()
                if text:  # a reset may overtake the answer while bytes are on their way
                    self.assertIn(int(text.split(b" ")[1]), (400, 413, 414, 431), text[:200])

    def test_garbage_is_refused(self):
        for data in (b"\x00" * 100, b"\xff" * 100, bytes(range(256)), b"\r\n" * 50 + b"x\r\n\r\n", b"GET\r\n\r\n", b"GET /health\r\n\r\n",
                     b"GET /health HTTP/9.9\r\n\r\n", b"GET  /health HTTP/1.1\r\n\r\n", b"GET /hea lth HTTP/1.1\r\n\r\n",
                     b"G\x00T /health HTTP/1.1\r\n\r\n", b"GET /health HTTP/1.1\r\nHost : x\r\n\r\n",
                     b"GET /health HTTP/1.1\r\nno colon\r\n\r\n", b"GET /health HTTP/1.1\r\na\x00: x\r\n\r\n",
                     b"GET /health HTTP/1.1\r\n: x\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                     b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"a" * 300):
            with self.subTest(data=data[:40]):
                self.assert_refused(data, 400, 505)

    def test_bad_lengths_are_refused(self):
        for length in ("-1", "+1", "1x", "0x1", "1.0", "1e1", "99999999999999999999999", "1 1", "١"):
            with self.subTest(length=length):
                self.assert_refused(f"POST {self.path}/publish HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n".encode() +
                                    b'{"payload":1}', 400, 413)

    def test_bad_chunks_are_refused(self):
        start = f"POST {self.path}/publish HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
        for chunks in (b"zz\r\n", b"-1\r\n", b"\r\n", b"fffffffffffffffff\r\n", b'd\r\n{"payload":1}X\r\n0\r\n\r\n',
                       b'c\r\n{"payload":1}\r\n0\r\n\r\n'):
            with self.subTest(chunks=chunks):
                self.assert_refused(start + chunks, 400, 413)

    def test_the_end_of_a_chunked_body_may_come_byte_by_byte(self):
        start = b"POST /v1/namespaces HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        for end, words in ((b"0\r\n\r\n", "name"), (b"0\r\nno colon\r\n\r\n", "malformed")):
            with self.subTest(end=end), self.broker.connect() as connection:
                connection.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connection.send(start)
                for byte in end:
                    connection.send(bytes([byte]))
                    time.sleep(0.01)  # so that it arrives alone; the answer is the same when it does not
                self.assert_error(connection.read_answer(), "INVALID_ARGUMENT", words)

    def test_old_http_is_served_and_closed(self):
        text = self.answer_to(b"GET /health HTTP/1.0\r\n\r\n")
        self.assertTrue(text.startswith(b"HTTP/1.") and b" 200 " in text and text.endswith(b'{"status":"ok"}'), text)
        with self.broker.connect() as connection:
            connection.send(b"GET /health HTTP/1.0\r\n\r\n")
            self.assertEqual(connection.read_answer().status, 200)
            self.assertIsNone(connection.read_answer())

    def test_old_http_may_ask_to_stay(self):
        with self.broker.connect() as connection:
            for _ in range(2):
                connection.send(b"GET /health HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
                answer = connection.read_answer()
                self.assertEqual(answer.status, 200)
                if answer.headers.get("connection", "").lower() != "keep-alive":
                    self.assertIsNone(connection.read_answer())
                    break


class Smuggling(HostileCase):
    """Whatever two readers could understand differently is refused, and nothing behind it is read as a request."""

    INNER = b"DELETE /v1/namespaces/%s HTTP/1.1\r\nHost: x\r\n\r\n"

    def smuggle(self, headers, body):
        start = f"POST {self.path}/publish HTTP/1.1\r\nHost: x\r\n".encode()
        self.assert_refused(start + headers + b"\r\n\r\n" + body + self.INNER % self.namespace.encode(), 400, 501)

    def test_both_length_and_transfer_encoding_are_refused(self):
        self.smuggle(b"Content-Length: 5\r\nTransfer-Encoding: chunked", b"0\r\n\r\n")
        self.smuggle(b"Transfer-Encoding: chunked\r\nContent-Length: 5", b"0\r\n\r\n")

    def test_two_different_lengths_are_refused(self):
        self.smuggle(b"Content-Length: 13\r\nContent-Length: 14", b'{"payload":1}')
        self.smuggle(b"Content-Length: 13, 14", b'{"payload":1}')

    def test_a_transfer_encoding_that_does_not_end_in_chunked_is_refused(self):
        for value in (b"gzip", b"chunked, gzip", b"identity", b"chunked, identity", b"xchunked", b"chunked, xchunked", b"\x0bchunked"):
            with self.subTest(value=value):
                self.smuggle(b"Transfer-Encoding: " + value, b"0\r\n\r\n")

    def test_a_doubled_transfer_encoding_is_refused(self):
        self.smuggle(b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", b"0\r\n\r\n")
        self.smuggle(b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", b"0\r\n\r\n")

    def test_a_transfer_encoding_with_a_space_before_its_colon_is_refused(self):
        self.smuggle(b"Content-Length: 13\r\nTransfer-Encoding : chunked", b'{"payload":1}')

    def test_a_folded_header_is_refused_or_read_as_one(self):
        text = self.answer_to(b"GET /health HTTP/1.1\r\nHost: x\r\nA: b\r\n c: d\r\n\r\n")
        self.assertIn(int(text.split(b" ")[1]), (200, 400), text)


class Mutations(HostileCase):
    """Good requests with a few bytes changed, always the same ones."""

    def mutate(self, random_, data):
        data = bytearray(data)
        for _ in range(random_.choice((1, 1, 2, 3, 8))):
            place = random_.randrange(len(data))
            match random_.randrange(5):
                case 0:
                    data[place] = random_.randrange(256)
                case 1:
                    data[place] = random_.choice(b'{}[]":,\\0129-+.eE \r\n\t\x00\xff')
                case 2:
                    del data[place:place + random_.randrange(1, 5)]
                case 3:
                    data[place:place] = random_.choice((b"{", b"[", b'"', b"\\", b"\r\n", b"0", b"-", b",", b"\xc3", b"\\u00"))
                case 4:
                    data[place:place] = data[place:place + random_.randrange(1, 20)]
            if not data:
                data = bytearray(b"x")
        return bytes(data)

    def test_changed_requests_are_answered_or_refused(self):
        random_ = random.Random(20)
        topic = self.broker.create_topic("orders", "mutations")
        requests = [
            post(f"{topic}/publish", b'{"payload":{"a":[1,2.5e3,"x\\u00e4"]},"headers":{"h":"v"},"routing_key":"k","queue_id":0}'),
            post(f"{topic}/publish_batch", b'{"messages":[{"payload":1},{"payload_base64":"AAECAw=="}]}'),
            post(f"{topic}/queues/0/consume", b'{"batch_size":2,"auto_ack":false,"lease_ms":5}'),
            post(f"{topic}/queues/0/ack", b'{"message_ids":["01890000-0000-7000-8000-000000000000#1"]}'),
            b"GET " + topic.encode() + b"/queues/0/messages?limit=5&state=ready HTTP/1.1\r\nHost: x\r\n\r\n",
            b"POST " + topic.encode() + b"/publish HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nd\r\n{\"payload\":1}\r\n0\r\n\r\n",
            b"GET /v1/namespaces HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: 100-continue\r\n\r\n"]
        for number in range(1000):
            request = self.mutate(random_, requests[number % len(requests)])
            text = self.answer_to(request)
            if text:
                self.assertTrue(text.startswith(b"HTTP/1.1 "), (request, text[:300]))
                self.assertNotIn(b" 500 ", text.split(b"\r\n", 1)[0], request)

    def test_changed_json_is_taken_when_it_is_json_still(self):
        random_ = random.Random(21)
        path = self.topic("json")
        texts = [b'{"a":[1,-2.5e+3,"x\\u00e4\\n"],"b":null,"c":{"d":true}}', b'[0,10,-0,1e5,0.5,12345678901234567890]',
                 b'"\\ud83d\\ude00 \xc3\xa4 \xe2\x82\xac \\"\\\\\\/\\b\\f\\n\\r\\t"', b'[ [ ] , { } , "" , false ]', b"-12.75E-3"]
        accepted = 0
        with self.broker.client() as client:
            for number in range(1500):
                body = b'{"payload":' + self.mutate(random_, texts[number % len(texts)]) + b"}"
                expected = json_payload(body)
                if expected == b"":
                    continue
                answer = client.request("POST", f"{path}/publish", body)
                with self.subTest(body=body):
                    if expected is None:
                        self.assert_error(answer, "INVALID_ARGUMENT")
                    elif answer.status == 200:
                        accepted += 1
                        message = client.request("POST", f"{path}/queues/0/consume", {"auto_ack": True})
                        self.assertIn(b'"payload":' + expected + b",", message.body)
                    else:
                        # Half a surrogate pair is all that may be refused besides.
                        self.assertIn(b"\\ud", body.lower(), answer)
                        self.assert_error(answer, "INVALID_ARGUMENT")
        self.assertGreater(accepted, 100)


def json_payload(body):
    """The text of the payload where the body is {"payload": <any JSON>}; None where it is no JSON; empty where it holds more."""
    def refuse(text):
        raise ValueError(text)
    try:
        value = json.loads(body.decode("utf-8"), parse_constant=refuse, object_pairs_hook=lambda pairs: pairs)
    except ValueError:
        return None
    return body[len(b'{"payload":'):-1].strip(b" \t\r\n") if [name for name, _ in value] == ["payload"] else b""


if __name__ == "__main__":
    unittest.main()
