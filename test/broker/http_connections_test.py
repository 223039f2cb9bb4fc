"""Connections: keep-alive, pipelining, HEAD, chunks, Expect, and what a request may leave out."""

import email.utils
import json
import os
import signal
import time
import unittest

from harness import BrokerCase, SharedBrokerCase


def one_request(method, path, body=b"", *headers):
    """The bytes of a request with a Content-Length."""
    lines = [f"{method} {path} HTTP/1.1", "Host: x", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Stop(BrokerCase):
    def test_a_request_that_has_only_begun_holds_up_no_stop(self):
        broker = self.start_broker("--shutdown_timeout", "600s")
        with broker.connect() as connection, broker.connect() as other:
            connection.send(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\nGET /he")
            self.assertEqual(connection.read_answer().status, 200)
            other.send(b"POST /v1/namespaces HTTP/1.1\r\nHos")
            self.assertEqual(broker.get("/health").status, 200)  # it has read that by now, or closes it unread
            self.assertEqual(broker.terminate(), 0)

    def test_sighup_is_ignored(self):
        broker = self.start_broker()
        os.kill(broker.process.pid, signal.SIGHUP)
        self.assertEqual(broker.get("/health").status, 200)
        self.assertEqual(broker.terminate(), 0)


class Connections(SharedBrokerCase):

    def test_a_connection_serves_many_requests(self):
        path = self.topic()
        with self.broker.connect() as connection:
            for n in range(50):
                connection.send(one_request("POST", f"{path}/publish", b'{"payload":%d}' % n))
                self.assertEqual(connection.read_answer().status, 200)

    def test_a_connection_goes_on_after_an_error(self):
        with self.broker.connect() as connection:
            for body, status in ((b"{", 400), (b'{"name":"-"}', 400), (b'{"name":"after-an-error"}', 201), (b"", 400)):
                connection.send(one_request("POST", "/v1/namespaces", body))
                self.assertEqual(connection.read_answer().status, status)

    def test_every_answer_has_its_date(self):
        with self.broker.connect() as connection:
            for path in ("/health", "/nowhere", "/v1/namespaces"):
                before = int(time.time()) - 1  # the second may change meanwhile
                connection.send(one_request("GET", path))
                date = email.utils.parsedate_to_datetime(connection.read_answer().headers["date"]).timestamp()
                self.assertTrue(before <= date <= time.time() + 1, date)

    def test_pipelined_answers_come_in_order(self):
        path = self.topic()
        requests = []
        for n in range(200):
            requests.append(one_request("POST", f"{path}/publish", b'{"payload":%d}' % n))
            requests.append(one_request("GET", f"/v1/namespaces/{n}x/topics"))
        with self.broker.connect() as connection:
            connection.send(b"".join(requests))
            for n in range(200):
                self.assertEqual(connection.read_answer().status, 200)
                self.assert_error(connection.read_answer(), "NOT_FOUND", f"{n}x")
        self.assertEqual([m["payload"] for m in self.broker.consume(path, 0, 1000)], list(range(200)))

    def test_pipelined_operations_on_a_queue_take_effect_in_order(self):
        path = self.topic()
        with self.broker.connect() as connection:
            connection.send(one_request("POST", f"{path}/publish", b'{"payload":"first"}') +
                            one_request("POST", f"{path}/queues/0/consume", b'{"auto_ack":true}') +
                            one_request("POST", f"{path}/queues/0/consume", b"{}") +
                            one_request("DELETE", path) + one_request("GET", path))
            answers = [connection.read_answer() for _ in range(5)]
        self.assertEqual([m["payload"] for m in answers[1].data], ["first"])
        self.assertEqual(answers[2].data, [])
        self.assertEqual([a.status for a in answers[3:]], [200, 404])

    def test_a_long_poll_holds_back_later_answers_not_other_connections(self):
        path = self.topic()
        with self.broker.connect() as connection:
            connection.send(one_request("POST", f"{path}/queues/0/consume", b'{"wait_ms":60000,"auto_ack":true}') +
                            one_request("GET", "/health"))
            self.broker.publish(path, "late")
            self.assertEqual(connection.read_answer().data[0]["payload"], "late")
            self.assertEqual(connection.read_answer().json, {"status": "ok"})

    def test_head_is_answered_without_a_body(self):
        with self.broker.connect() as connection:
            connection.send(one_request("HEAD", "/health") + one_request("HEAD", "/nothing") + one_request("GET", "/health"))
            self.assertEqual(connection.read_answer(to_head=True).status, 200)
            self.assertEqual(connection.read_answer(to_head=True).status, 404)
            self.assertEqual(connection.read_answer().json, {"status": "ok"})

    def test_connection_close_is_obeyed(self):
        with self.broker.connect() as connection:
            connection.send(one_request("GET", "/health", b"", "Connection: close"))
            answer = connection.read_answer()
            self.assertEqual((answer.status, answer.headers.get("connection", "").lower()), (200, "close"))
            self.assertIsNone(connection.read_answer())

    def test_expect_continue_is_answered_before_the_body(self):
        path = self.topic()
        with self.broker.connect() as connection:
            connection.send(f"POST {path}/publish HTTP/1.1\r\nHost: x\r\nContent-Length: 13\r\nExpect: 100-continue\r\n\r\n")
            self.assertEqual(connection.read_answer().status, 100)
            connection.send(b'{"payload":1}')
            self.assertEqual(connection.read_answer().status, 200)

    def test_a_chunked_body_is_read(self):
        path = self.topic()
        head = f"POST {path}/publish HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
        with self.broker.connect() as connection:
            connection.send(head + b'5\r\n{"pay\r\n8;name=value\r\nload":[ \r\n3\r\n1]}\r\n0\r\nTrailer: x\r\n\r\n')
            self.assertEqual(connection.read_answer().status, 200)
            connection.send(head + b'D\r\n{"payload":2}\r\n0\r\n\r\n')
            self.assertEqual(connection.read_answer().status, 200)
        self.assertEqual([m["payload"] for m in self.broker.consume(path, 0, 10)], [[1], 2])

    def test_the_content_type_does_not_matter(self):
        path = self.topic()
        for content_type in ("application/json", "text/plain", "application/x-www-form-urlencoded", "", "///"):
            answer = self.broker.request("POST", f"{path}/publish", b'{"payload":1}', {"Content-Type": content_type})
            self.assertEqual(answer.status, 200, answer)
            self.assertTrue(answer.headers["content-type"].startswith("application/json"), answer.headers)

    def test_unknown_fields_are_ignored(self):
        path = self.topic(colour="red", settings={"max_length": -1})
        self.broker.publish(path, 1, colour={"a": [1]}, priority=-9)
        self.assertEqual(len(self.broker.consume(path, colour=1)), 1)

    def test_a_body_may_be_missing_where_every_field_is_optional(self):
        path = self.topic()
        for body in (None, b"", b"{}"):
            with self.subTest(body=body):
                self.broker.publish(path, 1)
                self.assertEqual(len(self.broker.ok("POST", f"{path}/queues/0/consume", body)), 1)

    def test_a_get_may_have_a_body(self):
        with self.broker.connect() as connection:
            connection.send(one_request("GET", "/health", b"whatever") + one_request("GET", "/health"))
            self.assertEqual([connection.read_answer().status for _ in range(2)], [200, 200])

    def test_the_target_may_be_an_absolute_uri(self):
        with self.broker.connect() as connection:
            connection.send(one_request("GET", f"http://127.0.0.1:{self.broker.port}/health"))
            self.assertEqual(connection.read_answer().status, 200)

    def test_answers_are_valid_json_with_a_length(self):
        answer = self.broker.get("/v1/namespaces")
        self.assertEqual(int(answer.headers["content-length"]), len(answer.body))
        self.assertIs(json.loads(answer.body)["success"], True)


if __name__ == "__main__":
    unittest.main()
