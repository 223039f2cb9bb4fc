"""The streams of the gRPC door: subscriptions with their windows, and publishing without waiting."""

import queue
import threading
import time
import unittest

from grpc_api import CODE, GrpcCase, SharedGrpcCase, grpc, pb
from harness import wait_until


class SubscribeTest(SharedGrpcCase):
    def subscribe(self, **fields):
        """A stream whose subscription stands."""
        stream = self.api.stream("Subscribe", **{**self.at, **fields})
        self.addCleanup(stream.cancel)
        stream.initial_metadata()
        return stream

    def reader_of(self, stream):
        """A queue that a thread fills with what the stream brings, in the end with the error."""
        arrived = queue.Queue()

        def read():
            try:
                for message in stream:
                    arrived.put(message)
                arrived.put(None)
            except grpc.RpcError as error:
                arrived.put(error)

        thread = threading.Thread(target=read)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(stream.cancel)  # runs before the join
        return arrived

    def test_messages_come_as_they_are_published_and_in_order(self):
        self.make_topic()
        arrived = self.reader_of(self.subscribe(auto_ack=True))
        payloads = [b"%d" % i for i in range(3000)]
        for start in range(0, 3000, 500):
            self.publish_all(payloads[start:start + 500])
        self.assertEqual([arrived.get(timeout=60).payload for _ in payloads], payloads)
        wait_until(lambda: (self.counts().ready, self.counts().leased) == (0, 0), "all were acknowledged at hand-off")

    def test_large_messages_come_whole(self):
        self.make_topic()
        payloads = [bytes([i]) * (200_000 + i) for i in range(20)]
        for payload in payloads:
            self.api.call("Publish", **self.at, payload=payload)
        arrived = self.reader_of(self.subscribe(auto_ack=True))
        self.assertEqual([arrived.get(timeout=60).payload for _ in payloads], payloads)

    def test_no_more_than_the_window_is_sent_without_an_ack(self):
        self.make_topic()
        self.publish_all([b"%d" % i for i in range(10)])
        arrived = self.reader_of(self.subscribe(max_in_flight=3))
        first = [arrived.get(timeout=60) for _ in range(3)]
        wait_until(lambda: self.counts().leased == 3, "the window is full")
        self.assertRaises(queue.Empty, arrived.get, timeout=0.3)
        self.api.call("Ack", **self.at, message_ids=[first[0].receipt])
        self.assertEqual(arrived.get(timeout=60).payload, b"3")
        self.assertRaises(queue.Empty, arrived.get, timeout=0.3)
        self.assertEqual((self.counts().ready, self.counts().leased), (6, 3))

    def test_a_stream_that_nobody_reads_holds_up_no_call_of_its_connection(self):
        self.make_topic()
        self.subscribe(max_in_flight=1000)
        for _ in range(10):
            self.publish_all([b"x" * 100_000] * 10)
        wait_until(lambda: self.counts().ready > 0, "the stream takes no more")
        self.assertEqual(self.counts().ready + self.counts().leased, 100)

    def test_what_a_cancelled_subscription_did_not_ack_returns_at_once(self):
        self.make_topic()
        self.publish_all([b"0", b"1", b"2"])
        stream = self.subscribe()
        first = [next(stream) for _ in range(3)]
        self.api.call("Ack", **self.at, message_ids=[first[1].id])
        stream.cancel()
        wait_until(lambda: self.counts().ready == 2, "the others return")
        self.assertEqual((self.counts().leased, self.counts().consumers), (0, 0))
        again = self.api.call("Consume", **self.at, batch_size=5).messages
        self.assertEqual([(m.payload, m.delivery_count) for m in again], [(b"0", 2), (b"2", 2)])

    def test_a_deadline_ends_a_subscription_like_a_cancel(self):
        self.make_topic()
        self.publish_all([b"0"])
        stream = self.api.stream("Subscribe", timeout=1, **self.at)
        self.assertEqual(next(stream).payload, b"0")
        self.assert_status(CODE.DEADLINE_EXCEEDED, lambda: next(stream))
        wait_until(lambda: (self.counts().ready, self.counts().consumers) == (1, 0), "the message returns")

    def test_a_client_that_reads_nothing_holds_no_more_than_its_window(self):
        self.make_topic()
        stream = self.subscribe(max_in_flight=50)
        for _ in range(10):
            self.publish_all([b"x" * 50_000] * 20)
        wait_until(lambda: self.counts().ready == 150, "the window is full")
        time.sleep(0.2)
        self.assertEqual((self.counts().ready, self.counts().leased), (150, 50))
        stream.cancel()
        wait_until(lambda: self.counts().ready == 200, "all return")

    def test_a_subscription_to_any_queue_lives_by_stealing(self):
        self.make_topic(queue_count=3)
        arrived = self.reader_of(self.subscribe(queue_id=-1, auto_ack=True))
        self.publish_all([b"%d" % i for i in range(300)])
        self.assertEqual({arrived.get(timeout=60).payload for _ in range(300)}, {b"%d" % i for i in range(300)})

    def test_subscribers_share_a_queue(self):
        self.make_topic()
        readers = [self.reader_of(self.subscribe(max_in_flight=10)) for _ in range(2)]
        self.publish_all([b"x"] * 20)
        ids = {reader.get(timeout=60).id for reader in readers for _ in range(10)}
        self.assertEqual(len(ids), 20)

    def test_refusals_end_the_stream_before_it_begins(self):
        self.make_topic(steal="off")
        for code, word, fields in [(CODE.NOT_FOUND, "nowhere", {"topic": "nowhere"}), (CODE.NOT_FOUND, "queue 7", {"queue_id": 7}),
                                   (CODE.FAILED_PRECONDITION, "steal", {"queue_id": -1}),
                                   (CODE.INVALID_ARGUMENT, "max_in_flight", {"max_in_flight": -1})]:
            with self.subTest(fields=fields):
                self.assert_status(code, lambda: next(self.api.stream("Subscribe", **{**self.at, **fields})), word)

    def test_a_topic_that_is_deleted_ends_its_subscriptions(self):
        self.make_topic()
        stream = self.subscribe()
        self.api.call("DeleteTopic", namespace=self.namespace, name="orders")
        self.assert_status(CODE.NOT_FOUND, lambda: next(stream))

    def test_many_subscriptions_come_and_go_without_a_trace(self):
        self.make_topic()
        self.publish_all([b"x"] * 50)
        for i in range(60):
            stream = self.api.stream("Subscribe", **self.at, max_in_flight=5)
            if i % 3 == 0:
                next(stream)
            stream.cancel()
        wait_until(lambda: (self.counts().ready, self.counts().leased, self.counts().consumers) == (50, 0, 0), "all has returned")


class PublishStreamTest(SharedGrpcCase):
    def publish(self, requests):
        """The results of a stream of requests, in order."""
        return [result for answer in self.api.both("PublishStream", iter(requests), timeout=60) for result in answer.results]

    def test_answers_are_in_the_order_of_the_requests(self):
        self.make_topic(queue_count=2)
        payloads = [b"%d" % i for i in range(5000)]
        results = self.publish(pb.PublishRequest(**self.at, payload=p, queue_id=1) for p in payloads)
        self.assertEqual([(r.code, r.queue_id) for r in results], [("", 1)] * 5000)
        stored = self.api.call("Consume", **self.at, queue_id=1, batch_size=10_000).messages
        self.assertEqual([m.payload for m in stored], payloads)
        self.assertEqual([m.id for m in stored], [r.message_id for r in results])

    def test_a_refused_request_has_its_error_in_its_place_and_the_stream_goes_on(self):
        self.make_topic()
        good = pb.PublishRequest(**self.at, payload=b"x")
        bad = [(pb.PublishRequest(**self.at, payload=b"x", queue_id=9), "NOT_FOUND"),
               (pb.PublishRequest(namespace=self.namespace, topic="nowhere", payload=b"x"), "NOT_FOUND"),
               (pb.PublishRequest(**self.at, payload=b"x", queue_id=-2), "INVALID_ARGUMENT"),
               (pb.PublishRequest(namespace=self.namespace, topic="-", payload=b"x"), "INVALID_ARGUMENT"),
               (pb.PublishRequest(**self.at, payload=b"x" * 1_100_000), "TOO_LARGE")]
        requests, expected = [], []
        for i in range(200):
            request, code = bad[i // 2 % len(bad)] if i % 2 else (good, "")
            requests.append(request)
            expected.append(code)
        results = self.publish(requests)
        self.assertEqual([r.code for r in results], expected)
        self.assertTrue(all(bool(r.message_id) == (not r.code) and bool(r.error) == bool(r.code) for r in results))
        self.assertEqual(self.counts().ready, 100)

    def test_one_stream_serves_several_topics(self):
        topics = [self.make_topic(name) for name in ("a", "b", "c")]
        results = self.publish(pb.PublishRequest(**topics[i % 3], payload=b"%d" % i) for i in range(900))
        for i, at in enumerate(topics):
            stored = self.api.call("Consume", **at, batch_size=1000).messages
            self.assertEqual([(m.payload, m.id) for m in stored], [(b"%d" % n, results[n].message_id) for n in range(i, 900, 3)])

    def test_each_answer_comes_without_waiting_for_the_next_request(self):
        self.make_topic()
        requests = queue.Queue()
        answers = self.api.both("PublishStream", iter(requests.get, None))
        for _ in range(5):
            requests.put(pb.PublishRequest(**self.at, payload=b"x"))
            self.assertEqual(len(next(answers).results), 1)
        requests.put(None)
        self.assertRaises(StopIteration, next, answers)

    def test_a_stream_without_requests_is_fine(self):
        self.assertEqual(self.publish([]), [])

    def test_a_client_that_reads_no_answers_is_not_read_without_bound(self):
        self.make_topic()
        sent = 0

        def requests():
            nonlocal sent
            for sent in range(1, 1_000_001):
                yield pb.PublishRequest(**self.at, payload=b"x" * 40)

        stream = self.api.both("PublishStream", requests())
        seen = -1
        while seen != sent:  # until it has stood still for a second
            seen = sent
            time.sleep(1)
        self.assertLess(sent, 1_000_000)
        stream.cancel()

    def test_a_stream_that_is_cancelled_leaves_a_broker_that_works(self):
        self.make_topic()
        for _ in range(10):
            requests = iter(lambda: pb.PublishRequest(**self.at, payload=b"x" * 100), None)
            stream = self.api.both("PublishStream", requests)
            next(stream)
            stream.cancel()
        self.assertEqual([r.code for r in self.publish([pb.PublishRequest(**self.at, payload=b"last")])], [""])

    def test_a_full_queue_is_answered_in_the_stream(self):
        self.make_topic(max_length=10)
        results = self.publish(pb.PublishRequest(**self.at, payload=b"x") for _ in range(15))
        self.assertEqual([r.code for r in results], [""] * 10 + ["RESOURCE_EXHAUSTED"] * 5)


class PublishBurstTest(SharedGrpcCase):
    """Messages of a PublishStream that carry more publishes than one."""

    def results(self, *requests):
        answers = self.api.both("PublishStream", iter(requests), timeout=60)
        return [result for answer in answers for result in answer.results]

    def burst(self, payloads, **fields):
        first, *more = [pb.PublishRequest(payload=p) for p in payloads]
        first.MergeFrom(pb.PublishRequest(**self.at, more=more, **fields))
        return first

    def stored(self, **fields):
        return [m.payload for m in self.api.call("Consume", **{**self.at, **fields}, batch_size=10_000).messages]

    def test_publishes_of_bursts_and_their_results_are_in_order(self):
        self.make_topic()
        payloads = [b"%d" % i for i in range(6000)]
        sizes = [1, 64, 1, 1, 1500, 3, 4430]
        starts = [sum(sizes[:i]) for i in range(len(sizes))]
        results = self.results(*[self.burst(payloads[at:at + n]) for at, n in zip(starts, sizes)])
        stored = self.api.call("Consume", **self.at, batch_size=10_000).messages
        self.assertEqual([(m.payload, m.id) for m in stored], [(p, r.message_id) for p, r in zip(payloads, results, strict=True)])

    def test_a_refused_publish_has_its_error_in_its_place(self):
        self.make_topic()
        nested = self.burst([b"inside", b"deeper"])
        more = [(pb.PublishRequest(payload=b"1"), ""), (pb.PublishRequest(payload=b"2", queue_id=-2), "INVALID_ARGUMENT"),
                (pb.PublishRequest(payload=b"3", topic="-"), "INVALID_ARGUMENT"), (pb.PublishRequest(payload=b"4"), ""),
                (pb.PublishRequest(payload=b"5", topic="nowhere"), "NOT_FOUND"), (nested, "INVALID_ARGUMENT"),
                (pb.PublishRequest(payload=b"6" * 1_100_000), "TOO_LARGE"), (pb.PublishRequest(payload=b"7", queue_id=9), "NOT_FOUND"),
                (pb.PublishRequest(payload=b"8", headers={"k": "v"}), "")]
        for first, code in (({"payload": b"0"}, ""), ({"payload": b"0", "ttl_ms": -1}, "INVALID_ARGUMENT")):
            with self.subTest(first=code):
                results = self.results(pb.PublishRequest(**self.at, **first, more=[one for one, _ in more]))
                self.assertEqual([r.code for r in results], [code] + [expected for _, expected in more])
                self.assertTrue(all(bool(r.message_id) == (not r.code) and bool(r.error) == bool(r.code) for r in results))
                self.assertIn("more", results[6].error)
                self.assertEqual(self.stored(auto_ack=True), [b"0"] * (not code) + [b"1", b"4", b"8"])

    def test_names_are_inherited_where_they_are_empty(self):
        self.make_topic()
        self.make_topic("other")
        self.api.call("CreateNamespace", name=self.namespace + "2")
        self.addCleanup(lambda: self.api.call("DeleteNamespace", name=self.namespace + "2"))
        self.api.call("CreateTopic", namespace=self.namespace + "2", name="orders", queue_count=1)
        more = [pb.PublishRequest(payload=b"1", topic="other"), pb.PublishRequest(payload=b"2", namespace=self.namespace + "2"),
                pb.PublishRequest(payload=b"3"), pb.PublishRequest(payload=b"4", namespace=self.namespace + "2", topic="orders"),
                pb.PublishRequest(payload=b"5", topic="other")]
        results = self.results(pb.PublishRequest(**self.at, payload=b"0", more=more))
        self.assertEqual([r.code for r in results], [""] * 6)
        self.assertEqual(self.stored(), [b"0", b"3"])
        self.assertEqual(self.stored(topic="other"), [b"1", b"5"])
        self.assertEqual(self.stored(namespace=self.namespace + "2"), [b"2", b"4"])

    def test_nothing_to_inherit_is_an_error_for_each(self):
        self.make_topic()
        results = self.results(pb.PublishRequest(payload=b"0", more=[pb.PublishRequest(**self.at, payload=b"1"),
                                                                     pb.PublishRequest(payload=b"2")]))
        self.assertEqual([r.code for r in results], ["INVALID_ARGUMENT", "", "INVALID_ARGUMENT"])
        self.assertEqual(self.stored(), [b"1"])

    def test_many_topics_in_turn_keep_their_orders(self):
        topics = [self.make_topic(f"t{i}") for i in range(40)]
        more = [pb.PublishRequest(payload=b"%d" % i, topic=f"t{i % 40}") for i in range(400)]
        results = self.results(pb.PublishRequest(**topics[0], payload=b"first", more=more), pb.PublishRequest(**topics[1], more=more))
        self.assertEqual([r.code for r in results], [""] * 802)
        for i, at in enumerate(topics):
            numbers = [b"%d" % n for n in range(i, 400, 40)]
            self.assertEqual(self.stored(**at), [b"first"] * (i == 0) + numbers + [b""] * (i == 1) + numbers)

    def test_the_largest_burst_is_taken_and_a_larger_one_ends_the_stream_behind_its_answers(self):
        self.make_topic()
        self.assertEqual(len(self.results(self.burst([b"x"] * 10_001))), 10_001)
        stream = self.api.both("PublishStream", iter([self.burst([b"x"] * 3), self.burst([b"x"] * 10_002)]), timeout=60)
        answered = 0
        with self.assertRaises(grpc.RpcError) as ended:
            for answer in stream:
                answered += len(answer.results)
        self.assert_ended(ended.exception, CODE.INVALID_ARGUMENT, "more", "10000")
        self.assertEqual((answered, self.counts().ready), (3, 10_004))

    def test_a_malformed_message_ends_the_stream_behind_the_answers_and_nothing_of_it_is_published(self):
        self.make_topic()
        more = bytes([pb.PublishRequest.DESCRIPTOR.fields_by_name["more"].number << 3 | 2])
        sound = self.burst([b"1", b"2"]).SerializeToString()
        endless = more + b"\x04" + bytes([0x1a, 0x7f, 0x78, 0x78])  # its payload goes on behind its end
        for bad in (b"\xff\xff\xff\xff", sound + endless, sound + more + b"\x05x", sound + more + b"\x02\x0a\xff",
                    sound + (more + b"\x00") * (7 << 20)):
            with self.subTest(bad=bad[-20:]):
                stream = self.client.channel.stream_stream("/mqlite.v1.MQLiteService/PublishStream",
                                                           response_deserializer=pb.PublishStreamResponse.FromString)
                answered = 0
                with self.assertRaises(grpc.RpcError) as ended:
                    for answer in stream(iter([sound, bad]), timeout=60):
                        answered += len(answer.results)
                self.assert_ended(ended.exception, CODE.INVALID_ARGUMENT)
                self.assertEqual(answered, 2)
        self.assertEqual(self.counts().ready, 10)

    def test_publishes_of_a_burst_may_be_plain_or_not_and_in_any_order(self):
        self.make_topic(queue_count=2)
        plain = pb.PublishRequest(payload=b"plain", queue_id=1)
        headed = pb.PublishRequest(payload=b"headed", queue_id=1, headers={"a": "b"}, routing_key="k")
        automatic = pb.PublishRequest(payload=b"automatic", queue_id=-1)
        number = pb.PublishRequest.DESCRIPTOR.fields_by_name["more"].number
        def within(one):
            bytes_ = one.SerializeToString()
            return bytes([number << 3 | 2, len(bytes_)]) + bytes_
        first = pb.PublishRequest(**self.at, payload=b"first", queue_id=1, headers={"c": "d"}).SerializeToString()
        # The parts of the first one lie around the others.
        half = len(pb.PublishRequest(**self.at).SerializeToString())
        message = within(plain) + first[:half] + within(headed) + first[half:] + within(automatic)
        stream = self.client.channel.stream_stream("/mqlite.v1.MQLiteService/PublishStream",
                                                   response_deserializer=pb.PublishStreamResponse.FromString)
        results = [result for answer in stream(iter([message]), timeout=60) for result in answer.results]
        self.assertEqual([(r.code, r.queue_id) for r in results], [("", 1), ("", 1), ("", 1), ("", 0)])
        stored = self.api.call("Consume", **self.at, queue_id=1, batch_size=10).messages
        self.assertEqual([(m.id, m.payload, dict(m.headers), m.routing_key) for m in stored[:3]],
                         [(results[0].message_id, b"first", {"c": "d"}, ""), (results[1].message_id, b"plain", {}, ""),
                          (results[2].message_id, b"headed", {"a": "b"}, "k")])
        self.assertEqual(self.stored(queue_id=0), [b"automatic"])

    def test_bursts_count_whole_for_a_client_that_reads_no_answers(self):
        self.make_topic()
        sent = 0

        def requests():
            nonlocal sent
            for sent in range(1, 10_001):
                yield self.burst([b"x"] * 1000)

        stream = self.api.both("PublishStream", requests())
        seen = (-1, -1)
        while seen != (sent, self.counts().ready):  # until it has stood still for a second
            seen = (sent, self.counts().ready)
            time.sleep(1)
        self.assertLess(sent, 10_000)
        stream.cancel()

    def test_elsewhere_more_is_refused_and_nothing_of_it_published(self):
        self.make_topic()
        burst = self.burst([b"0", b"1"])
        self.assert_status(CODE.INVALID_ARGUMENT, lambda: self.api.call("Publish", **self.at, payload=b"0", more=burst.more), "more")
        results = self.api.call("PublishBatch", **self.at, messages=[pb.PublishRequest(payload=b"a"), burst]).results
        self.assertEqual([r.code for r in results], ["", "INVALID_ARGUMENT"])
        self.assertIn("more", results[1].error)
        self.assertEqual(self.counts().ready, 1)


class SlowShutdownTest(GrpcCase):
    def test_a_subscriber_that_reads_nothing_does_not_hold_up_the_stop(self):
        broker = self.start_broker("--shutdown_timeout", "1s")
        broker.create_topic("t")
        api = self.client_of(broker).api
        stream = api.stream("Subscribe", namespace="test", topic="t", max_in_flight=1000)
        stream.initial_metadata()
        publisher = self.client_of(broker).api  # on a connection of its own: what matters here is the stop alone
        for _ in range(10):
            publisher.call("PublishBatch", namespace="test", topic="t", messages=[pb.PublishRequest(payload=b"x" * 100_000)] * 10)
        begun = time.monotonic()
        self.assertEqual(broker.terminate(), 0)
        self.assertLess(time.monotonic() - begun, 10)


if __name__ == "__main__":
    unittest.main()
