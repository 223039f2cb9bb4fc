"""Command line, configuration and start-up log; and the first steps of a new user, by real curl."""

import json
import os
import re
import shlex
import shutil
import subprocess
import unittest

from harness import BINARY, DEADLINE, SOURCE, BrokerCase, base_environment, run, wait_until

ALL_PORTS_FREE = [f"--server.{door}.port=0" for door in ("http", "grpc", "tcp", "caf")]

OTHER_DOORS_SHUT = [f"--server.{door}.enabled=false" for door in ("grpc", "tcp", "caf")]


class StartUpCase(BrokerCase):

    def file(self, text, name="broker.toml"):
        """The path of a new file with the text."""
        path = os.path.join(self.temporary_folder(), name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def check(self, text, *arguments, env=None):
        """--check-config on a file with the text: the path and the result."""
        path = self.file(text)
        return path, run("--config", path, "--check-config", *arguments, env=env)


class CommandLine(StartUpCase):

    def test_version_is_printed(self):
        result = run("--version")
        self.assertEqual(result.returncode, 0)
        self.assertRegex(result.stdout, r"^mqlite \d+\.\d+\.\d+\n$")

    def test_help_names_every_flag_of_the_contract(self):
        result = run("--help")
        self.assertEqual(result.returncode, 0)
        for flag in ("--config", "--check-config", "--version", "--ack_timeout", "--server.http.port", "--persistence.aof.fsync",
                     "--limits.max_message_bytes", "--log.format", "--tls.enabled", "--auth.enabled", "--scheduler.threads"):
            self.assertIn(flag, result.stdout)

    def test_an_unknown_flag_is_named_and_refused(self):
        for flag in ("--server.http.prot=1", "--nothing", "-x", "stray"):
            with self.subTest(flag=flag):
                result = run(flag, "--check-config")
                self.assertEqual(result.returncode, 2, result)
                self.assertIn(flag.split("=")[0], result.stderr)

    def test_a_bad_value_of_a_flag_is_named_and_refused(self):
        for flag, value in (("server.http.port", "65536"), ("server.http.port", "-1"), ("server.http.port", "x"), ("server.http.port", ""),
                            ("persistence.aof.fsync", "sometimes"), ("ack_timeout", "30"), ("ack_timeout", "-1s"), ("ack_timeout", "0s"),
                            ("limits.max_message_bytes", "1XB"), ("limits.max_message_bytes", "-1"), ("log.level", "loud"),
                            ("log.format", "xml"), ("server.http.address", "nowhere"), ("server.http.enabled", "maybe"),
                            ("scheduler.threads", "-1")):
            with self.subTest(flag=flag, value=value):
                result = run(f"--{flag}={value}", "--check-config")
                self.assertEqual(result.returncode, 2, result)
                self.assertIn(flag, result.stderr)

    def test_check_config_starts_nothing(self):
        folder = self.temporary_folder()
        result = run("--check-config", cwd=folder)
        self.assertEqual(result.returncode, 0, result)
        self.assertEqual(os.listdir(folder), [])


class ConfigurationFile(StartUpCase):

    def assert_refused(self, text, line, *words):
        path, result = self.check(text)
        self.assertEqual(result.returncode, 2, result)
        self.assertEqual(result.stdout, "")
        first = result.stderr.splitlines()[0]
        self.assertRegex(first, rf"(^|\s){re.escape(path)}:{line}: \S")
        for word in words:
            self.assertIn(word, first)
        self.assertEqual(run("--config", path, *ALL_PORTS_FREE, cwd=os.path.dirname(path)).returncode, 2)

    def test_an_unknown_key_is_named_with_its_line(self):
        self.assert_refused("ack_timeout = '1s'\nack_timout = '1s'\n", 2, "ack_timout")
        self.assert_refused("[server.http]\nport = 1\n\nprot = 1\n", 4, "prot")
        self.assert_refused("\n\n[sever]\n", 3, "sever")
        self.assert_refused("[server.udp]\nport = 1\n", "[12]", "udp")
        self.assert_refused("[server]\nport = 1\n", 2, "port")

    def test_a_wrong_type_is_named_with_its_line(self):
        self.assert_refused("[server.http]\nport = '8080'\n", 2, "port")
        self.assert_refused("[server.http]\nport = 80.5\n", 2, "port")
        self.assert_refused("[server.http]\nenabled = 1\n", 2, "enabled")
        self.assert_refused("ack_timeout = true\n", 1, "ack_timeout")
        self.assert_refused("[log]\nlevel = ['info']\n", 2, "level")
        self.assert_refused("server = 1\n", 1, "server")
        self.assert_refused("\nlog = 'info'\n", 2, "log")

    def test_a_value_out_of_range_is_named_with_its_line(self):
        self.assert_refused("[server.http]\n# a comment\nport = 65536\n", 3, "port")
        self.assert_refused("[server.http]\nport = -1\n", 2, "port")
        self.assert_refused("ack_timeout = '0s'\n", 1, "ack_timeout")
        self.assert_refused("ack_timeout = '1 fortnight'\n", 1, "ack_timeout")
        self.assert_refused("[persistence.aof]\nfsync = 'never'\n", 2, "fsync")
        self.assert_refused("[persistence.aof]\nrewrite_percentage = -1\n", 2, "rewrite_percentage")
        self.assert_refused("[limits]\nmax_message_bytes = '0'\n", 2, "max_message_bytes")
        self.assert_refused("[limits]\nmax_memory = '1TBB'\n", 2, "max_memory")
        self.assert_refused("[limits]\nmax_connections = 0\n", 2, "max_connections")
        self.assert_refused("[log]\nlevel = 'loud'\n", 2, "level")

    def test_text_that_is_no_toml_is_named_with_its_line(self):
        self.assert_refused("ack_timeout = '1s'\nack_timeout =\n", 2)
        self.assert_refused("[server.http\n", 1)
        self.assert_refused("[log]\nlevel = 'info'\nlevel = 'warn'\n", 3)
        self.assert_refused("x = \x01\n", 1)

    def test_a_named_file_that_is_missing_is_named(self):
        path = os.path.join(self.temporary_folder(), "missing.toml")
        for arguments in (["--check-config"], ALL_PORTS_FREE):
            result = run("--config", path, *arguments)
            self.assertEqual(result.returncode, 2, result)
            self.assertIn(path, result.stderr)
            self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)

    def test_a_named_file_that_is_a_folder_is_named(self):
        folder = self.temporary_folder()
        result = run("--config", folder, "--check-config")
        self.assertEqual(result.returncode, 2, result)
        self.assertIn(folder, result.stderr)

    def test_the_file_at_the_default_place_is_read(self):
        path = self.file("[log]\nlevel = 'loud'\n", "mqlite.toml")
        result = run("--check-config", cwd=os.path.dirname(path))
        self.assertEqual(result.returncode, 2, result)
        self.assertIn("mqlite.toml:2: ", result.stderr)

    def test_an_empty_file_means_defaults(self):
        self.assertEqual(self.check("")[1].returncode, 0)

    def test_the_file_that_comes_with_the_broker_is_sound_and_holds_the_defaults(self):
        path = os.path.join(SOURCE, "mqlite.toml")
        self.assertEqual(run("--config", path, "--check-config").returncode, 0)
        with open(path, encoding="utf-8") as file:
            text = file.read()
        for line in ('ack_timeout = "30s"', "port = 8080", "port = 9090", "port = 7070", "port = 6060", 'fsync = "everysec"',
                     'rewrite_min_size = "64MB"', 'max_message_bytes = "1MB"', 'max_request_bytes = "16MB"', 'address = "127.0.0.1"'):
            self.assertIn(line, text)

    def test_every_kind_of_value_is_taken(self):
        result = self.check("""
            ack_timeout = "1500ms"
            drain_timeout = "2m"
            shutdown_timeout = "1h"
            [server.http]
            enabled = true
            address = "::1"
            port = 65535
            [persistence.aof]
            fsync = "always"
            dir = "/tmp/with space/ä"
            rewrite_min_size = "1GB"
            rewrite_percentage = 0
            [limits]
            max_message_bytes = 1000
            max_memory = "512KB"
        """)[1]
        self.assertEqual(result.returncode, 0, result)


class Precedence(StartUpCase):
    """Told apart by the ack_timeout that a new topic shows."""

    def ack_timeout(self, *flags, **options):
        broker = self.start_broker(*flags, **options)
        return broker.ok("GET", broker.create_topic("orders"))["settings"]["ack_timeout_ms"]

    def test_the_default_is_30_seconds(self):
        self.assertEqual(self.ack_timeout(), 30_000)

    def test_the_file_wins_over_the_default(self):
        self.assertEqual(self.ack_timeout(config="ack_timeout = '11s'\n"), 11_000)

    def test_the_environment_wins_over_the_file(self):
        self.assertEqual(self.ack_timeout(config="ack_timeout = '11s'\n", env={"MQLITE_ACK_TIMEOUT": "12s"}), 12_000)

    def test_a_flag_wins_over_both(self):
        environment = {"MQLITE_ACK_TIMEOUT": "12s"}
        self.assertEqual(self.ack_timeout("--ack_timeout", "13s", config="ack_timeout = '11s'\n", env=environment), 13_000)
        self.assertEqual(self.ack_timeout("--ack_timeout=14s", config="ack_timeout = '11s'\n", env=environment), 14_000)

    def test_a_nested_key_is_found_in_the_environment(self):
        broker = self.start_broker(env={"MQLITE_LIMITS_MAX_MESSAGE_BYTES": "100", "MQLITE_PERSISTENCE_AOF_FSYNC": "always"})
        topic = broker.create_topic("orders")
        self.assert_error(broker.post(f"{topic}/publish", {"payload": "x" * 100}), "TOO_LARGE", "100")
        self.assertEqual(broker.ok("GET", "/v1/stats")["log"]["fsync"], "always")

    def test_a_megabyte_is_a_power_of_two(self):
        broker = self.start_broker("--limits.max_message_bytes=1KB")
        topic = broker.create_topic("orders")
        broker.publish(topic, "x" * 1022)
        self.assert_error(broker.post(f"{topic}/publish", {"payload": "x" * 1023}), "TOO_LARGE", "1024")

    def test_a_bad_value_in_the_environment_is_named_and_refused(self):
        for name, value in (("MQLITE_SERVER_HTTP_PORT", "x"), ("MQLITE_ACK_TIMEOUT", "0s"), ("MQLITE_LOG_LEVEL", "loud"),
                            ("MQLITE_SERVER_HTTP_ENABLED", "2")):
            with self.subTest(name=name):
                result = run("--check-config", env={name: value})
                self.assertEqual(result.returncode, 2, result)
                self.assertIn(name, result.stderr)

    def test_an_unknown_variable_is_warned_about_and_the_start_goes_on(self):
        broker = self.start_broker(env={"MQLITE_SERVER_HTTP_PROT": "1", "MQLITEX": "1"})
        self.assertRegex(broker.wait_for_line("MQLITE_SERVER_HTTP_PROT"), "(?i)warn")
        self.assertNotIn("MQLITEX", broker.log)

    def test_an_unknown_variable_is_warned_about_by_check_config(self):
        result = run("--check-config", env={"MQLITE_SERVER_HTTP_PROT": "1"})
        self.assertEqual(result.returncode, 0, result)
        self.assertIn("MQLITE_SERVER_HTTP_PROT", result.stderr)


def listening_port(pid):
    """The HTTP port of a broker whose log does not say it: the one that the process listens on, or None."""
    inodes = set()
    for descriptor in os.listdir(f"/proc/{pid}/fd"):
        try:
            inodes.add(os.readlink(f"/proc/{pid}/fd/{descriptor}"))
        except FileNotFoundError:
            pass  # closed meanwhile
    with open("/proc/net/tcp", encoding="ascii") as table:
        for line in table:
            fields = line.split()
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in inodes:
                return int(fields[1].split(":")[1], 16)
    return None


class StartUpLog(StartUpCase):

    def test_port_0_takes_a_free_one_and_names_it(self):
        one, two = self.start_broker("--server.http.port=0"), self.start_broker()
        self.assertNotEqual(one.port, two.port)
        self.assertEqual({one.get("/health").status, two.get("/health").status}, {200})

    def test_a_door_that_is_off_does_not_listen(self):
        broker = self.start_broker("--server.http.enabled=false")
        self.assertNotIn("http", broker.ports)

    def test_another_address_is_listened_on(self):
        broker = self.start_broker("--server.http.address", "127.0.0.2")
        self.assertIn("127.0.0.2", broker.wait_for_line("http: listening"))

    def test_the_json_format_is_one_object_per_line(self):
        broker = self.start_broker("--log.format", "json", "--log.level", "trace", env={"MQLITE_ODD_\"\\\x01ä": "1"})
        topic = broker.create_topic("orders")
        broker.publish(topic, "x")
        broker.consume(topic)
        with broker.connect() as connection:
            connection.send(b"\"\\\x00\xff garbage\r\n\r\n")
            connection.read_to_end()
        self.assertEqual(broker.terminate(), 0)
        self.assertGreater(len(broker.lines), 2)
        keys = None
        for line in broker.lines:
            entry = json.loads(line)
            self.assertIsInstance(entry, dict)
            keys = set(entry) if keys is None else keys & set(entry)
        self.assertGreaterEqual(len(keys), 3, "a time, a level and a text")

    def test_the_level_hides_what_is_below_it(self):
        broker = self.new_broker("--log.level", "error", *OTHER_DOORS_SHUT)
        broker.launch()
        broker.ports["http"] = wait_until(lambda: listening_port(broker.process.pid), "the broker listens")
        self.assertEqual(broker.get("/health").status, 200)
        self.assertEqual(broker.terminate(), 0)
        self.assertEqual(broker.log, "")

    def test_a_closed_stderr_does_no_harm(self):
        process = subprocess.Popen([BINARY, *ALL_PORTS_FREE, "--persistence.enabled=false"], stdin=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE, env=base_environment(), cwd=self.temporary_folder(), text=True)
        self.addCleanup(process.kill)
        for line in process.stderr:
            if "is ready" in line:
                break
        process.stderr.close()
        process.terminate()
        self.assertEqual(process.wait(DEADLINE), 0)


# The seed's own examples: they stay as they are but for the port.
SEED_SETUP = """
curl -X POST http://localhost:8080/v1/namespaces -H "Content-Type: application/json" -d '{"name": "production"}'
curl http://localhost:8080/v1/namespaces
curl -X POST http://localhost:8080/v1/namespaces/production/topics -H "Content-Type: application/json" -d '{"name": "orders", "queue_count": 3}'
curl http://localhost:8080/v1/namespaces/production/topics
curl -X POST http://localhost:8080/v1/namespaces/production/topics/orders/publish -H "Content-Type: application/json" -d '{ "payload": {"order_id": "12345", "amount": 99.99}, "headers": {"priority": "high"} }'
curl -X POST http://localhost:8080/v1/namespaces/production/topics/orders/publish -H "Content-Type: application/json" -d '{ "payload": {"order_id": "12345"}, "queue_id": 1 }'
curl -X POST http://localhost:8080/v1/namespaces/production/topics/orders/publish -H "Content-Type: application/json" -d '{ "payload": {"order_id": "12345"}, "routing_key": "user-1001" }'
curl -X POST http://localhost:8080/v1/namespaces/production/topics/orders/queues/0/consume -H "Content-Type: application/json" -d '{"batch_size": 1}'
curl -X POST http://localhost:8080/v1/namespaces/production/topics/orders/queues/0/consume -H "Content-Type: application/json" -d '{"batch_size": 5, "auto_ack": true}'
curl -X POST http://localhost:8080/v1/namespaces/production/topics/orders/queues/0/ack -H "Content-Type: application/json" -d '{"message_ids": ["uuid-1", "uuid-2"]}'
""".strip().splitlines()
SEED_SUBSCRIBE = "curl -N http://localhost:8080/v1/namespaces/production/topics/orders/queues/0/subscribe?auto_ack=true"
SEED_END = """
curl -X DELETE http://localhost:8080/v1/namespaces/production/topics/orders
curl -X DELETE http://localhost:8080/v1/namespaces/production
""".strip().splitlines()


@unittest.skipUnless(shutil.which("curl"), "there is no curl")
class FirstSteps(BrokerCase):

    def arguments(self, line, broker):
        command, *rest = shlex.split(line.replace("localhost:8080", f"localhost:{broker.port}"))
        # Proxies of the machine that runs the test are not meant for its own brokers.
        return [command, "-s", "-S", "--noproxy", "*", *rest]

    def curl(self, line, broker):
        result = subprocess.run(self.arguments(line, broker), capture_output=True, text=True, timeout=DEADLINE, check=True)
        return json.loads(result.stdout)

    def test_the_examples_work(self):
        broker = self.start_broker()
        answers = [self.curl(line, broker) for line in SEED_SETUP]
        self.assertEqual([a["success"] for a in answers], [True] * len(answers), answers)
        data = [a.get("data") for a in answers]
        self.assertEqual(data[1], ["production"])
        self.assertEqual([(t["name"], t["queue_count"]) for t in data[3]], [("orders", 3)])
        self.assertEqual([d["queue_id"] for d in data[4:6]], [0, 1])
        self.assertEqual((data[7][0]["payload"], data[7][0]["headers"]), ({"order_id": "12345", "amount": 99.99}, {"priority": "high"}))
        # The second consume finds queue 0 with the keyed message or empty, and then steals.
        self.assertEqual([m["payload"] for m in data[8]][:1], [{"order_id": "12345"}])
        self.assertEqual(data[9], {"acknowledged": 0, "unknown": ["uuid-1", "uuid-2"], "stale": []})
        self.follow_subscription(broker)
        for line in SEED_END:
            self.assertIs(self.curl(line, broker)["success"], True)
        self.assertEqual(broker.ok("GET", "/v1/namespaces"), [])

    def follow_subscription(self, broker):
        topic = "/v1/namespaces/production/topics/orders"
        with subprocess.Popen(self.arguments(SEED_SUBSCRIBE, broker), stdout=subprocess.PIPE, text=True) as curl:
            try:
                published = broker.publish(topic, {"live": True}, queue_id=0)["message_id"]
                for line in curl.stdout:
                    if line.startswith("data:") and published in line:
                        break
                else:
                    self.fail("the stream ended without the message")
                self.assertEqual(json.loads(line.removeprefix("data:"))["payload"], {"live": True})
            finally:
                curl.terminate()


if __name__ == "__main__":
    unittest.main()
