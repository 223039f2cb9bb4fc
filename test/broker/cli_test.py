"""mqlite_cli against a broker: every command for people and for machines, errors, the prompt."""

import base64
import fcntl
import json
import os
import pty
import re
import select
import signal
import socket
import struct
import subprocess
import termios
import time
import unittest

from harness import DEADLINE, SOURCE, BrokerCase, SharedBrokerCase, base_environment, wait_until

CLI = os.environ.get("MQLITE_CLI", "mqlite_cli")
ID = r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"
DONE, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130
ESCAPE = "\x1b[31mred\x1b]0;title\x07"


def run(*words, stdin="", env=None):
    """A run of the command line: its CompletedProcess with bytes."""
    data = stdin.encode() if isinstance(stdin, str) else stdin
    return subprocess.run([CLI, *map(str, words)], input=data, env=base_environment() | (env or {}), capture_output=True,
                          timeout=DEADLINE)


class CliCase(SharedBrokerCase):
    def setUp(self):
        super().setUp()
        self.address = f"127.0.0.1:{self.broker.ports['grpc']}"

    def cli(self, *words, stdin="", code=DONE):
        """What a command prints; the address is given by the environment."""
        result = run(*words, stdin=stdin, env={"MQLITE_CLI_ADDRESS": self.address})
        self.assertEqual(result.returncode, code, (words, result.stdout, result.stderr))
        self.stderr = result.stderr.decode()
        return result.stdout.decode()

    def json(self, *words, stdin=""):
        return json.loads(self.cli("--json", *words, stdin=stdin))

    def refused(self, *words, code=FAILED, stdin=""):
        """The one line on standard error of a command that fails."""
        self.assertEqual(self.cli(*words, code=code, stdin=stdin), "")
        self.assertEqual(self.stderr.count("\n"), 1, self.stderr)
        return self.stderr.removesuffix("\n")

    def make_topic(self, *flags):
        """The operands that name a new topic."""
        self.cli("namespace", "create", self.namespace)
        self.cli("topic", "create", self.namespace, "orders", *flags)
        return self.namespace, "orders"

    def wait_for_queues(self, condition):
        """Waits until the queues of the test's topic are so."""
        path = f"/v1/namespaces/{self.namespace}/topics/orders"
        wait_until(lambda: condition(self.broker.ok("GET", path)["queues"]), "the queues are as they should be")

    def start(self, *words, **options):
        """A command that runs on; killed at the end."""
        process = subprocess.Popen([CLI, "--address", self.address, *map(str, words)], env=base_environment(),
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, **options)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process


class Objects(CliCase):
    def test_namespaces(self):
        name = self.namespace
        self.assertEqual(self.cli("namespace", "create", name), f"namespace {name} was created\n")
        self.assertIn(f"{name}\n", self.cli("namespace", "list"))
        self.assertIn(name, self.json("namespace", "list"))
        self.assertEqual(self.refused("namespace", "create", name), f"error: ALREADY_EXISTS: namespace {name} exists already")
        self.assertEqual(self.json("namespace", "delete", name), {"message": f"namespace {name} was deleted"})
        self.assertNotIn(name, self.json("namespace", "list"))

    def test_topics(self):
        ns, topic = self.make_topic("--queues", 3, "--max-deliveries", 5, "--message-ttl", "1h")
        self.assertEqual(self.cli("topic", "list", ns), "TOPIC   QUEUES  VERSION\norders       3        1\n")
        self.assertEqual(self.json("topic", "list", ns), [{"name": "orders", "queue_count": 3, "version": 1}])
        shown = self.cli("topic", "get", ns, topic)
        self.assertRegex(shown, r"^orders  3 queues  version 1  0 dead letters\n")
        self.assertIn("message ttl     1h\n", shown)
        self.assertIn("\nQUEUE  READY  LEASED  DELAYED  BYTES  CONSUMERS\n    0      0       0        0    0 B          0\n", shown)
        self.assertEqual(self.json("topic", "get", ns, topic),
                         self.broker.ok("GET", f"/v1/namespaces/{ns}/topics/orders"))
        self.assertEqual(self.cli("topic", "resize", ns, topic, 4), "topic orders has 4 queues\n")
        self.assertEqual(self.json("topic", "resize", ns, topic, 5), {"new_queue_count": 5, "version": 3, "draining": False})
        self.assertEqual(self.cli("topic", "rebalance", ns, topic), "topic orders was rebalanced\n")
        self.assertEqual(self.cli("topic", "delete", ns, topic), "topic orders was deleted\n")
        self.assertEqual(self.refused("topic", "get", ns, topic), f"error: NOT_FOUND: topic orders not found in namespace {ns}")

    def test_update_changes_what_it_names_and_takes_zeros(self):
        ns, topic = self.make_topic("--max-length", 10, "--max-deliveries", 5, "--message-ttl", "1m", "--max-bytes", 1000)
        self.cli("topic", "update", ns, topic, "--max-deliveries", 0, "--message-ttl", 0, "--max-bytes", 0,
                 "--overflow", "drop_oldest", "--steal", "off", "--ack-timeout", "5s")
        self.assertEqual(self.json("topic", "get", ns, topic)["settings"], {
            "ack_timeout_ms": 5000, "max_deliveries": 0, "message_ttl_ms": 0, "max_length": 10, "max_bytes": 0,
            "overflow": "drop_oldest", "steal": "off"})
        self.assertIn("INVALID_ARGUMENT", self.refused("topic", "update", ns, topic, "--steal", "all"))


class Messages(CliCase):
    def test_a_round_of_publish_consume_and_ack(self):
        ns, topic = self.make_topic()
        self.assertRegex(self.cli("publish", ns, topic, '{"a": 1}', "-k", "user-1", "-H", "b=2=3", "-H", "a="),
                         f"^{ID}  queue 0\n$")
        message = self.json("consume", ns, topic)[0]
        expected = {"namespace": ns, "topic": "orders", "queue_id": 0, "payload": {"a": 1}, "routing_key": "user-1",
                    "headers": {"a": "", "b": "2=3"}, "delivery_count": 1, "receipt": message["id"] + "#1"}
        self.assertEqual({k: message[k] for k in expected}, expected)
        self.assertEqual(self.cli("ack", ns, topic, 0, message["receipt"], "nothing"),
                         "acknowledged 1 message\nunknown: nothing\n")
        self.assertEqual(self.json("ack", ns, topic, 0, message["id"]),
                         {"acknowledged": 0, "unknown": [message["id"]], "stale": []})
        self.assertEqual(self.cli("consume", ns, topic), "")
        self.assertEqual(self.stderr, "no messages\n")
        self.assertEqual(self.json("consume", ns, topic, 0), [])

    def test_payloads_arrive_as_they_were_given(self):
        ns, topic = self.make_topic()
        payloads = ["{}", "[]", "[1,2]", "", "a b", "%%", "{}%%", "grün", '"\\u0000"', "--", "a,b", "@x", "x=y"]
        for payload in payloads:
            self.cli("publish", ns, topic, "--", payload)
            self.assertEqual(self.cli("consume", "--raw", "--auto-ack", ns, topic), payload + "\n")
        for payload in (b"\x00\xff\n", b"", b"\x80" * 100_000):
            self.cli("publish", ns, topic, stdin=payload)
            message = self.json("consume", "--auto-ack", ns, topic)[0]
            self.assertEqual(base64.b64decode(message["payload_base64"]), payload)

    def test_nothing_in_a_message_steers_the_terminal(self):
        ns, topic = self.make_topic()
        self.cli("publish", ns, topic, ESCAPE, "-k", ESCAPE, "-H", f"{ESCAPE}={ESCAPE}")
        shown = self.cli("peek", ns, topic, 0)
        self.assertNotIn("\x1b", shown)
        self.assertNotIn("\x07", shown)
        self.assertEqual(shown.count(r"\x1b[31mred\x1b]0;title\x07"), 4, shown)
        self.assertEqual(self.json("peek", ns, topic, 0)[0]["headers"], {ESCAPE: ESCAPE})
        self.assertEqual(self.cli("peek", "--raw", ns, topic, 0), ESCAPE + "\n")

    def test_where_and_when_a_message_is_published(self):
        ns, topic = self.make_topic("--queues", 3)
        self.assertEqual(self.json("publish", ns, topic, "x", "--queue", 2)["queue_id"], 2)
        self.json("publish", ns, topic, "later", "--delay", "1h", "--queue", 1)
        self.json("publish", ns, topic, "soon", "--ttl", "2h", "--queue", 1)
        queues = self.json("topic", "get", ns, topic)["queues"]
        self.assertEqual([(q["ready"], q["delayed"]) for q in queues], [(0, 0), (1, 1), (1, 0)])
        self.assertEqual(self.json("peek", ns, topic, 1, "--state", "delayed")[0]["payload_base64"],
                         base64.b64encode(b"later").decode())
        self.assertIn("queue 9 not found", self.refused("publish", ns, topic, "x", "--queue", 9))

    def test_minus_one_is_any_queue(self):
        ns, topic = self.make_topic("--queues", 2)
        self.assertEqual([self.json("publish", ns, topic, "1", "-q", q)["queue_id"] for q in (-1, "any")], [0, 1])
        taken = [self.json("consume", ns, topic, -1, "--auto-ack")[0]["queue_id"] for _ in range(2)]
        self.assertEqual(sorted(taken), [0, 1])
        self.cli("publish", ns, topic, "2", "-q", 1)
        self.assertEqual(self.cli("--raw", "subscribe", ns, topic, -1, "--count", 1), "2\n")

    def test_a_message_is_delivered_at_the_moment_that_is_named(self):
        ns, topic = self.make_topic()
        soon = int(time.time() * 1000) + 300
        self.cli("publish", ns, topic, "later", "--deliver-at", soon + 3_600_000)
        self.cli("publish", ns, topic, "soon", "--deliver-at", soon)
        self.assertEqual(self.cli("--raw", "subscribe", ns, topic, "--auto-ack", "--count", 1), "soon\n")
        self.assertGreaterEqual(time.time() * 1000, soon)
        self.cli("publish", ns, topic, "past", "--deliver-at", soon - 10_000)
        self.assertEqual(self.cli("--raw", "peek", ns, topic, 0), "past\n")
        self.assertEqual(self.cli("--raw", "peek", ns, topic, 0, "--state", "delayed"), "later\n")

    def test_lines_become_messages(self):
        ns, topic = self.make_topic("--queues", 2)
        lines = [str(n) for n in range(2500)]
        self.assertEqual(self.cli("publish", ns, topic, "--lines", stdin="\n".join(lines) + "\n"), "")
        self.assertEqual(self.stderr, "published 2,500 messages to 2 queues\n")
        found = []
        while batch := self.json("consume", ns, topic, "--auto-ack", "-n", 2500):
            found += batch
        self.assertEqual(sorted(m["payload"] for m in found), list(range(2500)))
        self.cli("topic", "update", ns, topic, "--max-length", 2)
        refusal = run("--address", self.address, "publish", ns, topic, "--lines", stdin="a\nb\nc\nd\n")
        self.assertEqual(refusal.returncode, FAILED)
        self.assertRegex(refusal.stderr.decode(),
                         r"^published 2 messages to 2 queues\nerror: RESOURCE_EXHAUSTED: .* \(2 messages refused\)\n$")

    def test_any_queue_is_looked_at_where_none_is_named(self):
        ns, topic = self.make_topic("--queues", 3)
        self.cli("publish", ns, topic, "7", "--queue", 2)
        self.assertEqual(self.json("consume", ns, topic)[0]["queue_id"], 2)
        self.cli("publish", ns, topic, "8", "--queue", 1)
        self.assertEqual(self.json("consume", ns, topic, "any")[0]["queue_id"], 1)

    def test_waiting_ends_with_a_message(self):
        ns, topic = self.make_topic()
        waiting = self.start("--json", "consume", ns, topic, 0, "--wait", "50s")
        self.wait_for_queues(lambda queues: queues[0]["consumers"] == 1)
        self.cli("publish", ns, topic, "1")
        self.assertEqual(json.loads(waiting.stdout.readline())[0]["payload"], 1)
        self.assertEqual(waiting.wait(DEADLINE), DONE)

    def test_nack_and_extend(self):
        ns, topic = self.make_topic("--max-deliveries", 2)
        self.cli("publish", ns, topic, "1")
        one = self.json("consume", ns, topic)[0]
        self.assertEqual(self.cli("extend", ns, topic, 0, one["id"], "--lease", "1h"), "extended 1 message\n")
        self.assertEqual(self.json("extend", ns, topic, 0, one["id"]), {"extended": 1, "unknown": [], "stale": []})
        self.assertEqual(self.cli("nack", ns, topic, 0, one["id"], "--reason", "try again"), "returned 1 message\n")
        self.json("consume", ns, topic, "--lease", "1h")
        self.assertEqual(self.cli("ack", ns, topic, 0, one["receipt"]), f"acknowledged 0 messages\nstale: {one['receipt']}\n")
        self.assertEqual(self.json("nack", ns, topic, 0, one["id"]),
                         {"returned": 0, "unknown": [], "stale": [], "dead_lettered": 1})
        self.assertRegex(self.cli("dead", "list", ns, topic), f"^{ID}#\\d+  queue 0  .*  max_deliveries at .*\n  1\n$")
        self.assertEqual(self.json("dead", "list", ns, topic)[0]["reason"], "max_deliveries")
        self.assertEqual(self.cli("dead", "redrive", ns, topic, one["id"]), "redriven 1 message\n")
        self.assertEqual(self.json("dead", "redrive", ns, topic), {"redriven": 0})
        self.assertEqual(self.json("dead", "purge", ns, topic), {"purged": 0})
        self.assertEqual(self.json("dead", "list", ns, topic), [])
        self.assertEqual(self.cli("purge", ns, topic, 0), "purged 1 message\n")

    def test_subscribe_prints_what_comes_until_it_is_interrupted(self):
        ns, topic = self.make_topic()
        subscriber = self.start("--json", "subscribe", ns, topic, "--auto-ack")
        for n in range(5):
            self.cli("publish", ns, topic, n)
            self.assertEqual(json.loads(subscriber.stdout.readline())["payload"], n)
        subscriber.send_signal(signal.SIGINT)
        self.assertEqual((subscriber.wait(DEADLINE), subscriber.stderr.read()), (INTERRUPTED, b""))
        self.wait_for_queues(lambda queues: queues[0]["leased"] == 0)
        self.assertEqual(self.json("peek", ns, topic, 0), [])

    def test_subscribe_returns_what_it_did_not_acknowledge(self):
        ns, topic = self.make_topic("--queues", 2)
        self.cli("publish", ns, topic, "--lines", stdin="1\n2\n3\n")
        shown = self.cli("--raw", "subscribe", ns, topic, "--count", 3)
        self.assertEqual(sorted(shown.split()), ["1", "2", "3"])
        self.wait_for_queues(lambda queues: sum(q["ready"] for q in queues) == 3)
        self.assertIn("NOT_FOUND", self.refused("subscribe", ns, topic, 7))


class Looking(CliCase):
    def test_stats(self):
        ns, topic = self.make_topic()
        self.cli("publish", ns, topic, "1")
        self.assertRegex(self.cli("stats"), r"^MQLite \d+\.\d+\.\d+  up .*\n  holds +\d+ namespaces")
        stats = self.json("stats", "--topics")
        self.assertGreaterEqual(stats["totals"]["published"], 1)
        mine = next(t for t in stats["topics"] if t["namespace"] == ns)
        expected = {"name": "orders", "queue_count": 1, "ready": 1, "dead": 0, "published": 1, "delivered": 0}
        self.assertEqual({k: mine[k] for k in expected}, expected)
        self.assertNotIn("topics", self.json("stats"))

    def test_watch_shows_depths_and_queues(self):
        ns, topic = self.make_topic("--queues", 2)
        self.cli("publish", ns, topic, "--lines", stdin="1\n2\n3\n")
        shown = self.cli("watch", ns, topic, "--count", 2, "--interval", "10ms")
        rows = re.findall(rf"^{ns} +orders +2 +3 +0 +0 +0 +0 +\S+ +\S+ +\S+$", shown, re.MULTILINE)
        self.assertEqual(len(rows), 2, shown)
        self.assertRegex(shown, r"\nQUEUE  READY  LEASED  DELAYED  CONSUMERS\n    0      2       0        0          0\n    1      1 ")
        looks = self.cli("--json", "watch", "--count", 2, "--interval", "10ms").splitlines()
        self.assertEqual([type(json.loads(look)["topics"]) for look in looks], [list, list])

    def test_watch_takes_other_topics_out_of_its_json(self):
        ns, topic = self.make_topic()
        self.cli("topic", "create", ns, "mails")
        names = lambda *of: [(t["namespace"], t["name"]) for t in self.json("watch", "--count", 1, *of)["topics"]]
        self.assertEqual(sorted(names(ns)), [(ns, "mails"), (ns, topic)])
        self.assertEqual(names(ns, topic), [(ns, topic)])

    def test_watch_ends_without_a_word_when_interrupted(self):
        self.make_topic()
        for flags in ((), ("--json",), ("--interval", "1ms")):
            watching = self.start("watch", *flags)
            self.assertTrue(watching.stdout.readline())
            watching.send_signal(signal.SIGINT)
            self.assertEqual((watching.wait(DEADLINE), watching.stderr.read()), (INTERRUPTED, b""))

    def test_token_new_asks_no_broker(self):
        tokens = {run("token", "new", "--address", "127.0.0.1:1").stdout.decode() for _ in range(5)}
        self.assertEqual(len(tokens), 5)
        for token in tokens:
            self.assertRegex(token, r"^[A-Za-z0-9_-]{43}\n$")
        self.assertEqual(len(json.loads(run("--json", "token", "new").stdout)["token"]), 43)


class Log(CliCase):
    def test_rewrite_and_backup(self):
        ns, topic = self.make_topic()
        self.cli("publish", ns, topic, "--lines", stdin="1\n2\n3\n")
        self.assertEqual(self.cli("rewrite"), "the rewrite of the log has begun\n")
        wait_until(lambda: self.broker.ok("GET", "/v1/stats")["log"]["rewrite"]["succeeded"] == 1, "the log is rewritten")
        folder = os.path.join(self.temporary_folder(), "copy")
        made = self.json("backup", folder)
        self.assertEqual((made["dir"], made["bytes"] > 0), (folder, True))
        self.assertIn("manifest", os.listdir(folder))
        self.assertIn("error: ", self.refused("backup", folder))
        self.assertRegex(self.cli("backup", f"{folder}-2"), f"^backed up .* to {folder}-2\n$")


class Mistakes(CliCase):
    def test_refusals_are_one_line_and_exit_1(self):
        self.assertEqual(self.refused("topic", "list", "nowhere"), "error: NOT_FOUND: namespace nowhere not found")
        self.assertIn("error: INVALID_ARGUMENT: ", self.refused("namespace", "create", "a/b"))

    def test_bad_usage_exits_2_and_asks_no_broker(self):
        for words, said in (
                (["frobnicate"], "unknown command `frobnicate`"),
                (["topic"], "subcommand"),
                (["publish", "a"], "TOPIC is required"),
                (["publish", "a", "b", "c", "d"], "d"),
                (["publish", "a", "b", "c", "-H", "novalue"], "--header must be NAME=VALUE"),
                (["publish", "a", "b", "c", "--lines"], "exclude each other"),
                (["consume", "a", "b", "--wait", "soon"], "--wait"),
                (["ack", "a", "b", "0"], "ID is required"),
                (["publish", "a", "b", "c", "--delay", "1s", "--deliver-at", "1"], "excludes"),
                (["stats", "--address", "nowhere"], "HOST:PORT"),
                (["--wrong"], "--wrong")):
            result = run("--address", "127.0.0.1:1", *words)
            self.assertEqual((result.returncode, result.stdout), (USAGE, b""), (words, result))
            self.assertRegex(result.stderr.decode(), rf"^error: .*{re.escape(said)}.*\n$")

    def test_wrong_numbers_are_refused_in_words(self):
        for words, said in (
                ("ack a t x id", "QUEUE must be a whole number from 0 to 2147483647, not `x`"),
                ("peek a t -1", "QUEUE must be from 0 to 2147483647, not -1"),
                ("consume a t x", "QUEUE must be a whole number of 0 or more, or any, not `x`"),
                ("subscribe a t -2", "QUEUE must be a whole number of 0 or more, or any, not `-2`"),
                ("publish a t x -q -2", "--queue must be a whole number of 0 or more, or any, not `-2`"),
                ("publish a t x --deliver-at noon", "--deliver-at must be a whole number from 0 to 9223372036854775807, not `noon`"),
                ("topic create a t --queues 0", "--queues must be from 1 to 2147483647, not 0"),
                ("topic resize a t 0", "QUEUES must be from 1 to 2147483647, not 0"),
                ("topic update a t --max-length -1", "--max-length must be from 0 to 9223372036854775807, not -1"),
                ("consume a t -n 99999999999", "--batch must be from 1 to 2147483647, not 99999999999"),
                ("watch -n 1.5", "--count must be a whole number from 1 to 9223372036854775807, not `1.5`")):
            with self.subTest(words=words):
                self.assertEqual(self.refused(*words.split(), code=USAGE).split(" (")[0], f"error: {said}")

    def test_help_is_no_mistake(self):
        shown = self.cli("--help")
        for word in ("namespace", "subscribe", "watch", "--json", "Exit codes"):
            self.assertIn(word, shown)
        self.assertIn("--delay", self.cli("publish", "--help"))
        self.assertRegex(self.cli("--version"), r"^mqlite_cli \d+\.\d+\.\d+\n$")

    def test_no_broker_is_a_clear_line(self):
        with socket.create_server(("127.0.0.1", 0)) as unused:
            port = unused.getsockname()[1]
        result = run("--address", f"127.0.0.1:{port}", "stats")
        self.assertEqual(result.returncode, FAILED)
        self.assertEqual(result.stderr.decode(), f"error: UNAVAILABLE: no broker answers on 127.0.0.1:{port}; is it running? "
                                                 "--address names another one\n")

    def test_a_peer_that_never_answers_is_given_up(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            result = run("--address", f"127.0.0.1:{silent.getsockname()[1]}", "--timeout", "300ms", "stats")
        self.assertEqual(result.returncode, FAILED)
        self.assertIn("no broker answers", result.stderr.decode())

    def test_an_interrupted_command_exits_130(self):
        ns, topic = self.make_topic()
        waiting = self.start("consume", ns, topic, 0, "--wait", "50s")
        self.wait_for_queues(lambda queues: queues[0]["consumers"] == 1)
        waiting.send_signal(signal.SIGINT)
        self.assertEqual((waiting.wait(DEADLINE), waiting.stderr.read()), (INTERRUPTED, b"error: interrupted\n"))

    def test_output_that_cannot_be_written_is_a_failure(self):
        with open("/dev/full", "wb") as full:
            result = subprocess.run([CLI, "token", "new"], stdout=full, stderr=subprocess.PIPE, timeout=DEADLINE)
        self.assertEqual((result.returncode, result.stderr), (FAILED, b"error: standard output cannot be written\n"))


class Machines(CliCase):
    def test_every_command_answers_in_json(self):
        ns, topic = self.namespace, "orders"
        folder = os.path.join(self.temporary_folder(), "copy")
        target = f"{ns} {topic}"
        commands = f"""namespace create {ns}
            namespace list
            topic create {target} --queues 2
            topic list {ns}
            topic get {target}
            topic update {target} --max-deliveries 1
            topic resize {target} 3
            topic rebalance {target}
            publish {target} 1 -q 0
            peek {target} 0
            consume {target}
            extend {target} 0 ID
            nack {target} 0 ID
            dead list {target}
            dead redrive {target}
            dead purge {target}
            subscribe {target} --count 1
            ack {target} 0 ID
            purge {target} 0
            stats
            watch --count 1
            rewrite
            backup {folder}
            token new
            topic delete {target}
            namespace delete {ns}"""
        lines = [line.split() for line in commands.splitlines()]
        shown = self.cli(stdin="help\n").split("This prompt:")[0]
        listed = re.findall(r"^  ([a-z]+(?: [a-z]+)?)  ", shown, re.MULTILINE)
        self.assertEqual({name for name in listed for words in lines if " ".join(words).startswith(name)}, set(listed))
        identity = ""
        for words in lines:
            with self.subTest(words=words):
                if words[0] == "backup":
                    wait_until(lambda: not self.broker.ok("GET", "/v1/stats")["log"]["rewrite"]["running"], "the log is rewritten")
                answer = self.json(*[identity if word == "ID" else word for word in words])
                if words[0] == "publish":
                    identity = answer["message_id"]


class Prompt(CliCase):
    def test_help_lists_every_command_with_a_line(self):
        shown = self.cli(stdin="help\n")
        for line in ("Messages:", "  namespace create  Create a namespace", "  dead purge        Delete a topic's dead letters",
                     "  watch             Show topics, depths and rates again and again, until Ctrl-C",
                     "  exit              Leave", "`help COMMAND` shows how one is used."):
            self.assertIn(f"{line}\n", shown)

    def test_help_shows_one_command(self):
        self.assertIn("mqlite_cli topic resize [OPTIONS] NAMESPACE TOPIC QUEUES", self.cli(stdin="help topic resize\n"))
        self.assertIn("--deliver-at UNIX_MS", self.cli(stdin="help publish\n"))
        self.assertIn("rebalance", self.cli(stdin="help topic\n"))
        self.assertEqual(self.refused(stdin="help frob\n", code=USAGE), "error: unknown command `frob`")

    def test_commands_from_a_pipe(self):
        ns = self.namespace
        shown = self.cli(stdin=f"""
            # a session
            namespace create {ns}
            topic create {ns} orders --queues 2
            publish {ns} orders '{{"a": "b c"}}'
            --json consume {ns} orders --auto-ack
            exit
            topic delete {ns} orders
            """).splitlines()
        self.assertEqual(shown[:2], [f"namespace {ns} was created", "topic orders was created"])
        self.assertEqual(json.loads(shown[3])[0]["payload"], {"a": "b c"})
        self.assertEqual(len(shown), 4)
        self.assertEqual([t["name"] for t in self.json("topic", "list", ns)], ["orders"])

    def test_the_first_error_ends_a_pipe(self):
        shown = self.cli(stdin=f"namespace create {self.namespace}\nnamespace create {self.namespace}\nstats\n", code=FAILED)
        self.assertEqual(shown, f"namespace {self.namespace} was created\n")
        self.cli(stdin="publish a b\n", code=USAGE)
        self.cli(stdin="'\n", code=USAGE)

    def test_a_terminal_has_history_completion_and_goes_on_after_errors(self):
        self.make_topic()
        home = self.temporary_folder()
        terminal = Terminal(self, [CLI, "--address", self.address], home)
        terminal.wait_for("mqlite> ")
        terminal.type("help\r")
        terminal.wait_for("namespace create  Create a namespace")
        terminal.wait_for("mqlite> ")
        terminal.type("topic list nowhere\r")
        terminal.wait_for("NOT_FOUND: namespace nowhere not found")
        terminal.type(f"topic ge\t{self.namespace[:-2]}\tor\t\r")
        terminal.wait_for("1 queue  version 1")
        terminal.wait_for("mqlite> ")
        terminal.type("half a line\x03")
        terminal.wait_for("^C")
        terminal.wait_for("mqlite> ")
        terminal.type("\x1b[A\r")  # the line before
        terminal.wait_for("1 queue  version 1")
        terminal.wait_for("mqlite> ")
        terminal.type("stats --he\t\r")
        terminal.wait_for("Show how the broker does")
        terminal.type(f"subscribe {self.namespace} orders\r")
        self.wait_for_queues(lambda queues: queues[0]["consumers"] == 1)
        terminal.type("\x03")
        self.wait_for_queues(lambda queues: queues[0]["consumers"] == 0)
        terminal.type("exit\r")
        self.assertEqual(terminal.wait_for_exit(), DONE)
        with open(os.path.join(home, ".mqlite_history"), encoding="utf-8") as history:
            self.assertIn("nowhere", history.read())


class Restarts(BrokerCase):
    def test_a_terminal_outlives_its_broker(self):
        broker = self.start_broker()
        port = broker.ports["grpc"]
        terminal = Terminal(self, [CLI, "--address", f"127.0.0.1:{port}"], self.temporary_folder())
        terminal.wait_for("mqlite> ")
        terminal.type("namespace list\r")
        terminal.wait_for("no namespaces")
        broker.terminate()
        terminal.type("namespace list\r")
        terminal.wait_for("no broker answers")
        again = self.start_broker("--server.grpc.port", port, folder=broker.folder)
        self.assertEqual(again.ports["grpc"], port)
        terminal.type("namespace create again\r")
        terminal.wait_for("namespace again was created")
        terminal.wait_for("mqlite> ")
        terminal.type("\x04")
        self.assertEqual(terminal.wait_for_exit(), DONE)


class Readme(CliCase):
    def test_the_commands_of_the_readme_do_what_they_say(self):
        with open(os.path.join(SOURCE, "README.md"), encoding="utf-8") as file:
            section = file.read().split("\n## The command line\n")[1].split("\n## ")[0]
        lines = [re.sub(r" +# .*", "", line) for line in section.split("```")[1].splitlines() if "mqlite_cli " in line]
        self.assertGreater(len(lines), 8)
        env = base_environment() | {"MQLITE_CLI_ADDRESS": self.address, "CLI": CLI}
        for line in lines:
            with self.subTest(line=line):
                command = ["bash", "-c", "set -o pipefail; " + line.replace("mqlite_cli ", 'exec "$CLI" ')]
                with subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as run:
                    endless = re.search(r"\b(subscribe|watch)\b", line)
                    if endless:
                        self.assertTrue(run.stdout.readline())
                        run.send_signal(signal.SIGINT)
                    _, problem = run.communicate(timeout=DEADLINE)
                    self.assertEqual(run.returncode, INTERRUPTED if endless else DONE, problem)


class Terminal:
    """A command on a pseudo-terminal; what it shows is waited for."""

    def __init__(self, case, command, home):
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 200, 0, 0))
        env = base_environment() | {"HOME": home, "TERM": "xterm", "LC_ALL": "C.UTF-8"}
        self._process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=env, start_new_session=True,
                                         preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(slave)
        self._shown = ""
        case.addCleanup(os.close, self._master)
        case.addCleanup(self._process.wait)
        case.addCleanup(self._process.kill)

    def type(self, text):
        os.write(self._master, text.encode())

    def _read(self, deadline):
        ready, _, _ = select.select([self._master], [], [], max(deadline - time.monotonic(), 0))
        if not ready:
            raise AssertionError(f"nothing more than {self._shown!r}")
        try:
            return os.read(self._master, 65536).decode("utf-8", "replace")
        except OSError:  # nobody has the other side open any more
            return ""

    def wait_for(self, text):
        """Waits until the text is shown, behind what was waited for before."""
        deadline = time.monotonic() + DEADLINE
        while text not in self._shown:
            more = self._read(deadline)
            if not more:
                raise AssertionError(f"it has ended without {text!r}: {self._shown!r}")
            # Without the sequences that move the cursor and erase.
            self._shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self._shown + more)
        self._shown = self._shown.split(text, 1)[1]

    def wait_for_exit(self):
        deadline = time.monotonic() + DEADLINE
        while self._read(deadline):
            pass
        return self._process.wait(DEADLINE)


if __name__ == "__main__":
    unittest.main()
