"""Starts brokers in folders of their own, speaks HTTP and raw bytes to them, and ends what it started.

The binary is the one that MQLITE_BINARY names. No deadline here is a measurement: all are generous, so that a build with
sanitizers on a busy machine passes too.
"""

import ctypes
import os
import re
import resource
import signal
import subprocess
import tempfile
import threading
import time
import unittest

from http_clients import DEADLINE, Client, EventStream, RawConnection

BINARY = os.environ.get("MQLITE_BINARY", "mqlite")
SOURCE = os.environ.get("MQLITE_SOURCE", os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

DOORS = ("http", "grpc", "tcp", "caf")
SANITIZER_REPORT = re.compile(r"ERROR: \w+Sanitizer|WARNING: ThreadSanitizer|runtime error:")

_libc = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1


def wait_until(condition, what, deadline=DEADLINE):
    """The first true value of condition(); fails, naming what was awaited, when there is none before the deadline."""
    end = time.monotonic() + deadline
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {deadline:g} s: {what}")
        time.sleep(0.01)


def base_environment():
    """Ours, without the variables that a broker would read as configuration."""
    return {name: value for name, value in os.environ.items() if not name.startswith("MQLITE_")}


def _before_exec(file_size_limit):
    def prepare():
        # A broker never outlives the test that started it, however that one ends.
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if file_size_limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (file_size_limit, resource.RLIM_INFINITY))
    return prepare


def run(*arguments, env=None, cwd=None):
    """A run of the binary that ends by itself (a refused start, --version): its CompletedProcess with text output."""
    return subprocess.run([BINARY, *map(str, arguments)], env=base_environment() | (env or {}), cwd=cwd, text=True,
                          stdin=subprocess.DEVNULL, capture_output=True, timeout=DEADLINE)


def fnv1a_32(key):
    """The hash that picks the queue of a routing key: FNV-1a by Fowler, Noll and Vo, 32 bits."""
    value = 0x811C9DC5
    for byte in key.encode():
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return value


class Broker:
    """One broker on one folder; start it from the main thread.

    flags: further command line; env: further environment; config: text of a configuration file;
    file_size_limit: RLIMIT_FSIZE in bytes, which makes writes fail as a full disk does.
    """

    def __init__(self, folder, flags=(), env=None, config=None, file_size_limit=None):
        self.folder = str(folder)
        self.data = os.path.join(self.folder, "data")
        self.flags = list(map(str, flags))
        self.env = env or {}
        self.config = config
        self.file_size_limit = file_size_limit
        self.process = None
        self.ports = {}
        self.lines = []
        self._log_ended = False
        self._logged = threading.Condition()
        self._reader = None

    # --- life -------------------------------------------------------------------------------------------------

    def command(self):
        line = [BINARY, "--persistence.aof.dir", self.data]
        for door in DOORS:
            line += [f"--server.{door}.port", "0"]
        if self.config is not None:
            path = os.path.join(self.folder, "mqlite.toml")
            with open(path, "w", encoding="utf-8") as file:
                file.write(self.config)
            line += ["--config", path]
        return line + self.flags

    def launch(self):
        """Starts the process without waiting for it to be ready."""
        assert self.process is None or self.process.poll() is not None, "the broker runs already"
        self.ports = {}
        self.lines = []
        self._log_ended = False
        self.process = subprocess.Popen(
            self.command(), cwd=self.folder, env=base_environment() | self.env, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, preexec_fn=_before_exec(self.file_size_limit))
        self._reader = threading.Thread(target=self._read_log, args=(self.process.stderr,), daemon=True)
        self._reader.start()
        return self

    def start(self):
        """Starts the process and waits until it says that it is ready."""
        self.launch()
        self.wait_for_line(r"is ready")
        for line in self.lines:
            if found := re.search(r"\b(\w+): listening on [^\s\"]*:(\d+)", line):
                self.ports[found[1]] = int(found[2])
        return self

    def _read_log(self, stream):
        with stream:
            for line in stream:
                with self._logged:
                    self.lines.append(line.decode("utf-8", "replace").rstrip("\n"))
                    self._logged.notify_all()
        with self._logged:
            self._log_ended = True
            self._logged.notify_all()

    def wait_for_line(self, pattern, deadline=DEADLINE):
        """The first line of the log that matches; fails when the process ends without one."""
        end = time.monotonic() + deadline
        with self._logged:
            while True:
                for line in self.lines:
                    if re.search(pattern, line):
                        return line
                if self._log_ended:
                    raise AssertionError(f"the broker ended without a line like {pattern!r}:\n{self.log}")
                if not self._logged.wait(end - time.monotonic()):
                    raise AssertionError(f"no line like {pattern!r} in {deadline:g} s:\n{self.log}")

    @property
    def log(self):
        return "\n".join(self.lines)

    @property
    def running(self):
        return self.process is not None and self.process.poll() is None

    @property
    def port(self):
        return self.ports["http"]

    def lift_file_size_limit(self):
        """The disk has room again, for the running process and for later starts."""
        self.file_size_limit = None
        resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    def forget_peak_memory(self):
        with open(f"/proc/{self.process.pid}/clear_refs", "w", encoding="ascii") as file:
            file.write("5")

    def peak_memory(self):
        """The most bytes of memory that the process has had since forget_peak_memory()."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
            return next(int(line.split()[1]) << 10 for line in file if line.startswith("VmHWM:"))

    def wait_for_exit(self, deadline=DEADLINE):
        """The exit code; negative when a signal ended the process. The log is complete then."""
        try:
            code = self.process.wait(deadline)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the broker has not ended within {deadline:g} s:\n{self.log}") from None
        self._reader.join()
        if SANITIZER_REPORT.search(self.log):
            raise AssertionError("a sanitizer reports:\n" + self.log)
        return code

    def kill(self):
        """kill -9."""
        self.process.kill()
        return self.wait_for_exit()

    def ask_to_stop(self):
        self.process.send_signal(signal.SIGTERM)

    def terminate(self, deadline=DEADLINE):
        """SIGTERM; the exit code."""
        self.ask_to_stop()
        return self.wait_for_exit(deadline)

    def close(self):
        """Ends the broker whatever state it is in; fails when it had died by itself or does not stop cleanly."""
        if self.process is None:
            return
        if not self.running:
            code = self.wait_for_exit()
            assert code in (0, 1, 2, -signal.SIGKILL), f"the broker died with {code}:\n{self.log}"
            return
        try:
            code = self.terminate()
        finally:
            if self.running:
                self.process.kill()
                self.process.wait()
        assert code == 0, f"the broker stopped with {code}:\n{self.log}"

    # --- HTTP -------------------------------------------------------------------------------------------------

    def client(self, timeout=DEADLINE):
        return Client(self.port, timeout)

    def connect(self, timeout=DEADLINE):
        return RawConnection(self.port, timeout)

    def events(self, path, timeout=DEADLINE):
        return EventStream(self.port, path, timeout)

    def request(self, method, path, body=None, headers=None):
        """One request on a connection of its own."""
        with self.client() as client:
            return client.request(method, path, body, headers)

    def get(self, path):
        return self.request("GET", path)

    def post(self, path, body=None):
        return self.request("POST", path, body)

    def delete(self, path, body=None):
        return self.request("DELETE", path, body)

    def ok(self, method, path, body=None):
        """The `data` of an answer that must be a success."""
        answer = self.request(method, path, body)
        assert 200 <= answer.status < 300, f"{method} {path}: {answer!r}"
        return answer.data

    def create_topic(self, topic, namespace="test", **fields):
        """Creates the topic, and its namespace where that is missing; its path."""
        answer = self.post("/v1/namespaces", {"name": namespace})
        assert answer.status in (201, 409), answer
        path = f"/v1/namespaces/{namespace}/topics"
        answer = self.post(path, {"name": topic} | fields)
        assert answer.status == 201, answer
        return f"{path}/{topic}"

    def publish(self, topic_path, payload, **fields):
        """`{message_id, queue_id}` of a publish that must succeed."""
        return self.ok("POST", f"{topic_path}/publish", {"payload": payload} | fields)

    def consume(self, topic_path, queue=0, batch_size=1, **fields):
        """The messages of a consume that must succeed."""
        return self.ok("POST", f"{topic_path}/queues/{queue}/consume", {"batch_size": batch_size} | fields)

    def ack(self, topic_path, queue, ids):
        return self.ok("POST", f"{topic_path}/queues/{queue}/ack", {"message_ids": list(ids)})


class BrokerCase(unittest.TestCase):
    """A test that starts brokers; all of them end with it, and none may have died by itself."""

    maxDiff = 4000

    def temporary_folder(self):
        folder = tempfile.TemporaryDirectory(prefix="mqlite-test-")
        self.addCleanup(folder.cleanup)
        return folder.name

    def new_broker(self, *flags, folder=None, **options):
        """A broker that is not started yet."""
        broker = Broker(folder or self.temporary_folder(), flags, **options)
        self.addCleanup(broker.close)
        return broker

    def start_broker(self, *flags, **options):
        return self.new_broker(*flags, **options).start()

    def assert_error(self, answer, code, *words):
        """The answer has the envelope of an error, the status of its code, and a message that holds the words."""
        self.assertEqual((answer.status, answer.json.get("code")), (STATUS_OF[code], code), answer)
        self.assertIs(answer.json["success"], False, answer)
        self.assertIsInstance(answer.json["message"], str, answer)
        for word in words:
            self.assertIn(str(word), answer.json["message"])


class SharedBrokerCase(BrokerCase):
    """Tests that share one broker; each takes a namespace of its own from self.namespace."""

    FLAGS = ()

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="mqlite-test-")
        cls.addClassCleanup(folder.cleanup)
        cls.broker = Broker(folder.name, cls.FLAGS)
        cls.addClassCleanup(cls.broker.close)
        cls.broker.start()

    def setUp(self):
        self.namespace = re.sub(r"\W", "-", self._testMethodName)[-200:]

    def topic(self, name="orders", **fields):
        """The path of a new topic in the test's namespace."""
        return self.broker.create_topic(name, self.namespace, **fields)


# Section 3 of the contract.
STATUS_OF = {
    "INVALID_ARGUMENT": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "METHOD_NOT_ALLOWED": 405,
    "ALREADY_EXISTS": 409,
    "FAILED_PRECONDITION": 409,
    "TOO_LARGE": 413,
    "RESOURCE_EXHAUSTED": 429,
    "UNAVAILABLE": 503,
    "INTERNAL": 500,
}
