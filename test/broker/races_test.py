"""Clients that meet: many create, delete, publish, poll and acknowledge the same things at once."""

import threading
import unittest

from harness import SharedBrokerCase, wait_until


class RacesCase(SharedBrokerCase):

    def together(self, count, work):
        """Runs work(number, client) in `count` threads that start at once; their results in order."""
        results = [None] * count
        barrier = threading.Barrier(count)

        def run(number):
            try:
                with self.broker.client() as client:
                    barrier.wait()
                    results[number] = work(number, client)
            except BaseException as error:
                results[number] = error
        threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for result in results:
            if isinstance(result, BaseException):
                raise result
        return results


class Naming(RacesCase):

    def test_of_many_that_create_a_namespace_one_succeeds(self):
        for round_ in range(10):
            statuses = self.together(8, lambda _, client: client.request("POST", "/v1/namespaces", {"name": f"race{round_}"}).status)
            self.assertEqual(sorted(statuses), [201] + [409] * 7)

    def test_of_many_that_create_a_topic_one_succeeds(self):
        parent = self.topic().rpartition("/")[0]
        for round_ in range(10):
            answers = self.together(8, lambda n, client: client.request("POST", parent, {"name": f"race{round_}", "queue_count": n + 1}))
            self.assertEqual(sorted(a.status for a in answers), [201] + [409] * 7)
            winner = next(n for n, a in enumerate(answers) if a.status == 201)
            self.assertEqual(self.broker.ok("GET", f"{parent}/race{round_}")["queue_count"], winner + 1)

    def test_of_many_that_delete_a_topic_one_succeeds(self):
        for round_ in range(10):
            path = self.topic(f"race{round_}")
            statuses = self.together(8, lambda _, client: client.request("DELETE", path).status)
            self.assertEqual(sorted(statuses), [200] + [404] * 7)

    def test_a_topic_that_comes_and_goes_answers_every_publish(self):
        parent = self.topic().rpartition("/")[0]

        def work(number, client):
            if number == 0:
                for _ in range(50):
                    self.assertEqual(client.request("POST", parent, {"name": "blink"}).status, 201)
                    self.assertEqual(client.request("DELETE", f"{parent}/blink").status, 200)
                return set()
            route, body = (("publish", {"payload": 1}), ("queues/0/consume", {"batch_size": 10}),
                           ("publish_batch", {"messages": [{"payload": 1}] * 10}))[number % 3]
            return {client.request("POST", f"{parent}/blink/{route}", body).status for _ in range(200)}
        for statuses in self.together(7, work):
            self.assertLessEqual(statuses, {200, 404})
        self.assertEqual([t["name"] for t in self.broker.ok("GET", parent)], ["orders"])

    def test_a_deleted_topic_ends_the_polls_and_streams_that_wait_on_it(self):
        for what in ("topic", "namespace"):
            with self.subTest(what=what):
                path = self.broker.create_topic("orders", f"ending-{what}")
                streams = [self.broker.events(f"{path}/queues/0/subscribe") for _ in range(2)]
                waiting = []

                def poll():
                    waiting.append(self.broker.post(f"{path}/queues/0/consume", {"wait_ms": 60_000}))
                threads = [threading.Thread(target=poll) for _ in range(3)]
                for thread in threads:
                    thread.start()
                wait_until(lambda: self.broker.ok("GET", path)["queues"][0]["consumers"] == 5, "all wait")
                self.broker.ok("DELETE", path if what == "topic" else f"/v1/namespaces/ending-{what}")
                for thread in threads:
                    thread.join(50)  # less than the polls would wait
                    self.assertFalse(thread.is_alive(), "a poll waits for a topic that has gone")
                for answer in waiting:
                    if answer.status == 200:
                        self.assertEqual(answer.data, [])
                    else:
                        self.assert_error(answer, "NOT_FOUND")
                for stream in streams:
                    while stream.next():
                        pass
                    stream.close()


class Messages(RacesCase):

    def test_competing_consumers_get_each_message_once(self):
        path = self.topic(queue_count=4)
        self.broker.ok("POST", f"{path}/publish_batch", {"messages": [{"payload": n} for n in range(2000)]})

        def work(number, client):
            taken = []
            while True:
                answer = client.request("POST", f"{path}/queues/{number % 4}/consume", {"batch_size": 7})
                if not answer.data:
                    return taken
                taken += [m["payload"] for m in answer.data]
        taken = [payload for part in self.together(8, work) for payload in part]
        # One that finds every queue empty while a steal is on its way ends early; the rest is still there.
        for queue in range(4):
            taken += [m["payload"] for m in self.broker.consume(path, queue, 2000)]
        self.assertEqual(sorted(taken), list(range(2000)))

    def test_of_many_that_acknowledge_a_message_one_is_counted(self):
        path = self.topic()
        self.broker.ok("POST", f"{path}/publish_batch", {"messages": [{"payload": n} for n in range(100)]})
        ids = [m["id"] for m in self.broker.consume(path, 0, 100)]
        answers = self.together(8, lambda _, client: client.request("POST", f"{path}/queues/0/ack", {"message_ids": ids}).data)
        self.assertEqual(sum(a["acknowledged"] for a in answers), 100)
        for answer in answers:
            self.assertEqual(answer["acknowledged"] + len(answer["unknown"]), 100)

    def test_one_message_wakes_one_of_many_polls(self):
        path = self.topic()

        def work(number, client):
            if number == 0:
                wait_until(lambda: self.broker.ok("GET", path)["queues"][0]["consumers"] == 7, "all polls wait")
                ids = []
                for n in range(7):
                    ids.append(client.request("POST", f"{path}/publish", {"payload": n}).data["message_id"])
                return ids
            return [m["id"] for m in client.request("POST", f"{path}/queues/0/consume", {"wait_ms": 60_000}).data]
        published, *polled = self.together(8, work)
        self.assertEqual([len(ids) for ids in polled], [1] * 7)
        self.assertEqual(sorted(id_ for ids in polled for id_ in ids), sorted(published))

    def test_publishers_on_many_connections_lose_nothing_and_keep_their_order(self):
        path = self.topic()

        def work(number, client):
            for n in range(200):
                self.assertEqual(client.request("POST", f"{path}/publish", {"payload": [number, n]}).status, 200)
        self.together(8, work)
        payloads = [m["payload"] for m in self.broker.consume(path, 0, 10_000)]
        self.assertEqual(len(payloads), 1600)
        for number in range(8):
            self.assertEqual([n for who, n in payloads if who == number], list(range(200)))


if __name__ == "__main__":
    unittest.main()
