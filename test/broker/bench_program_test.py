"""mqlite_bench: every workload through every door, counts that add up, senseless command lines, a server that goes away."""

import json
import os
import signal
import subprocess
import unittest

from harness import BINARY, DEADLINE, BrokerCase, SharedBrokerCase, base_environment, wait_until

BENCH = os.path.join(os.path.dirname(os.path.abspath(BINARY)), "mqlite_bench")
PROTOCOLS = {"tcp": "tcp", "tcp-json": "tcp", "http": "http", "grpc": "grpc", "grpc-stream": "grpc", "caf": "caf"}


def start(*arguments):
    return subprocess.Popen([BENCH, *map(str, arguments)], env=base_environment(), text=True, stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def finish(process):
    """Exit code, standard output, standard error."""
    try:
        out, err = process.communicate(timeout=DEADLINE)
    except subprocess.TimeoutExpired:
        process.kill()
        raise AssertionError(f"mqlite_bench hangs: {process.communicate()}") from None
    return process.returncode, out, err


def run(*arguments):
    return finish(start(*arguments))


class Workloads(SharedBrokerCase):
    def measure(self, protocol, *arguments):
        """The report of a run that must succeed and leave nothing behind."""
        address = f"127.0.0.1:{self.broker.ports[PROTOCOLS[protocol]]}"
        code, out, err = run("--protocol", protocol, "--address", address, "--json", *arguments)
        self.assertEqual((code, err), (0, ""), (protocol, arguments))
        self.assertEqual(self.broker.ok("GET", "/v1/namespaces"), [], "something is left behind")
        return json.loads(out)

    def test_publish(self):
        for protocol in PROTOCOLS:
            with self.subTest(protocol):
                report = self.measure(protocol, "--workload", "publish", "--connections", 3, "--outstanding", 7,
                                      "--count", 400, "--warm-up", 0, "--queues", 2)
                self.assertEqual((report["messages"], report["published"], report["stored"]), (400, 400, 400))
                self.assertEqual(report["latency_us"]["count"], 400)
                self.assertGreater(report["per_second"], 0)

    def test_publish_for_a_time_after_a_warm_up(self):
        report = self.measure("tcp", "--duration", 0.2, "--warm-up", 0.1)
        self.assertGreaterEqual(report["seconds"], 0.2)
        self.assertGreater(report["published"], report["messages"])
        self.assertEqual(report["published"], report["stored"])

    def test_publish_in_batches(self):
        for protocol in ("tcp", "tcp-json", "http", "grpc", "caf"):
            with self.subTest(protocol):
                report = self.measure(protocol, "--count", 500, "--warm-up", 0, "--batch", 50, "--connections", 2)
                self.assertEqual((report["messages"], report["stored"]), (500, 500))
                self.assertEqual(report["latency_us"]["count"], 10, "a latency for each request")

    def test_request_has_one_under_way(self):
        for protocol in PROTOCOLS:
            with self.subTest(protocol):
                report = self.measure(protocol, "--workload", "request", "--count", 20, "--warm-up", 0)
                self.assertEqual((report["outstanding"], report["connections"], report["stored"]), (1, 1, 20))

    def test_drain(self):
        for protocol in PROTOCOLS:
            with self.subTest(protocol):
                report = self.measure(protocol, "--workload", "drain", "--count", 330, "--batch", 50,
                                      "--connections", 2, "--queues", 3)
                counts = [report[name] for name in ("messages", "published", "acknowledged", "stored")]
                self.assertEqual(counts, [330, 330, 330, 0])

    def test_end_to_end_at_a_rate(self):
        for protocol in PROTOCOLS:
            with self.subTest(protocol):
                report = self.measure(protocol, "--workload", "end-to-end", "--rate", 500, "--count", 100,
                                      "--warm-up", 0.02, "--connections", 2)
                counts = [report[name] for name in ("messages", "published", "acknowledged", "stored")]
                self.assertEqual(counts, [100, 110, 110, 0])
                self.assertGreaterEqual(report["seconds"], 0.19, "the rate is kept")

    def test_many_queues_are_spread_over_topics(self):
        report = self.measure("tcp", "--queues", 1500, "--count", 3000, "--warm-up", 0)
        self.assertEqual(report["stored"], 3000)

    def test_table(self):
        code, out, err = run("--address", f"127.0.0.1:{self.broker.ports['tcp']}", "--count", 10, "--warm-up", 0,
                             "--server-pid", self.broker.process.pid)
        self.assertEqual((code, err), (0, ""))
        for word in ("tcp, publish", "messages/s", "p99.9", "of CPU a message"):
            self.assertIn(word, out)

    def test_a_topic_that_exists_is_left_alone(self):
        path = self.topic()
        arguments = ("--address", f"127.0.0.1:{self.broker.ports['tcp']}", "--namespace", self.namespace, "--topic",
                     "orders", "--count", 10, "--warm-up", 0)
        code, _, err = run(*arguments)
        self.assertEqual(code, 1)
        self.assertIn("exists", err)
        self.assertEqual(run(*arguments, "--keep")[0], 0)
        self.assertEqual(self.broker.ok("GET", path)["queues"][0]["ready"], 10)
        self.broker.delete(f"/v1/namespaces/{self.namespace}")


class CommandLines(unittest.TestCase):
    def test_senseless_ones_are_refused_with_a_line(self):
        for words, expected in (
                ("--protocol smoke", "protocol smoke"),
                ("--workload rest", "workload rest"),
                ("--count 5 --duration 1", "exclude"),
                ("--connections 0", "--connections"),
                ("--connections -1", "--connections"),
                ("--outstanding 0", "--outstanding"),
                ("--payload-size x", "--payload-size"),
                ("--duration 0", "--duration"),
                ("--workload drain --duration 1", "--count"),
                ("--workload drain --warm-up 1", "--warm-up"),
                ("--workload request --outstanding 2", "--outstanding"),
                ("--workload end-to-end --payload-size 8", "--payload-size"),
                ("--workload end-to-end --rate 0", "--rate"),
                ("--rate 100", "--rate"),
                ("--protocol redis --queues 2", "--queues"),
                ("--protocol grpc-stream --batch 2", "--batch"),
                ("--protocol caf --connections 257", "--connections"),
                ("--protocol caf --batch 10000 --payload-size 20000", "--outstanding"),
                ("--address nowhere", "HOST:PORT"),
                ("--address 127.0.0.1:70000", "HOST:PORT"),
                ("--speed 5", "--speed")):
            with self.subTest(words):
                code, out, err = run(*words.split())
                self.assertEqual((code, out), (2, ""))
                self.assertIn(expected, err)
                self.assertEqual(err.count("\n"), 1, err)

    def test_help(self):
        code, out, _ = run("--help")
        self.assertEqual(code, 0)
        self.assertIn("--workload", out)


class Servers(BrokerCase):
    def test_one_that_is_not_there(self):
        broker = self.start_broker()
        ports = dict(broker.ports)
        broker.terminate()
        for protocol, door in PROTOCOLS.items():
            with self.subTest(protocol):
                code, out, err = run("--protocol", protocol, "--address", f"127.0.0.1:{ports[door]}")
                self.assertEqual((code, out), (1, ""))
                self.assertEqual(err.count("\n"), 1, err)

    def test_one_that_goes_away(self):
        for protocol, door in PROTOCOLS.items():
            for workload in ("publish", "end-to-end"):
                with self.subTest(protocol=protocol, workload=workload):
                    broker = self.start_broker()
                    process = start("--protocol", protocol, "--address", f"127.0.0.1:{broker.ports[door]}",
                                    "--workload", workload, "--duration", 600, "--connections", 2)
                    wait_until(lambda: self.published(broker) > 10, "publishes arrive")
                    broker.kill()
                    code, out, err = finish(process)
                    self.assertEqual((code, out), (1, ""), err)
                    self.assertEqual(err.count("\n"), 1, err)

    def test_an_interrupted_run_reports_and_cleans_up(self):
        broker = self.start_broker()
        process = start("--address", f"127.0.0.1:{broker.ports['tcp']}", "--duration", 600, "--json")
        wait_until(lambda: self.published(broker) > 10, "publishes arrive")
        process.send_signal(signal.SIGINT)
        code, out, _ = finish(process)
        self.assertEqual((code, json.loads(out)["interrupted"]), (130, True))
        self.assertEqual(broker.ok("GET", "/v1/namespaces"), [])

    @staticmethod
    def published(broker):
        text = broker.request("GET", "/metrics").body.decode()
        return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines()
                   if line.startswith("mqlite_messages_published_total"))


if __name__ == "__main__":
    unittest.main()
