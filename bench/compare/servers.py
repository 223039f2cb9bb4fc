"""The servers that are compared: how each is started on loopback in a temporary folder, and ended by its process id."""

import ctypes
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BINARIES = os.path.join(ROOT, "build", "release", "bin")
PATIENCE = 120  # seconds that a server may take to start or to end

_libc = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1


class Failure(Exception):
    """What went wrong, in a line."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(condition, process, what):
    """Polls until the condition holds; fails when the process ends, or after PATIENCE seconds."""
    end = time.monotonic() + PATIENCE
    while True:
        value = condition()
        if value:
            return value
        if process.poll() is not None:
            raise Failure(f"{what} ended with {process.returncode}")
        if time.monotonic() > end:
            raise Failure(f"{what} was not ready within {PATIENCE} s")
        time.sleep(0.002)


def _before_exec():
    os.setpgid(0, 0)  # ^C is for the script, which ends its servers in order
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)  # and none outlives it


class Server:
    """One server: `with Redis("everysec") as server: ...`. Ended, and its folder removed, in any case."""

    name = ""        # in tables
    protocol = ""    # of mqlite_bench
    program = ""
    levels = ()      # of durability that it has

    def __init__(self, level="everysec"):
        self.level = level
        self.folder = self.process = self.port = None
        self.logged = 0  # of the log, before it was started last

    # --- what a kind of server says of itself -------------------------------------------------------------------

    @classmethod
    def path(cls):
        """Where the program is; None when it is not installed."""
        return shutil.which(cls.program, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin:/sbin")

    @classmethod
    def version(cls):
        """The version, as the program tells it."""
        out = subprocess.run([cls.path(), "--version"], capture_output=True, text=True, check=False)
        found = re.search(r"\d+\.\d+(\.\d+)?", out.stdout + out.stderr)
        return found[0] if found else "?"

    def command(self):
        raise NotImplementedError

    def settings(self):
        """The settings that matter, for the table."""
        return " ".join(word for word in self.command()[1:] if not word.startswith("/"))

    def is_ready(self):
        """Whether it serves, with everything that it had stored."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE):
                return True
        except OSError:
            return False

    # --- life -----------------------------------------------------------------------------------------------------

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="mqlite-compare-")
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def start(self):
        """Starts the process on the folder, and waits until it serves: the seconds that took."""
        self.port = free_port()
        self.logged = len(self.log())
        begun = time.monotonic()
        with open(os.path.join(self.folder, "log.txt"), "ab") as log:
            self.process = subprocess.Popen(self.command(), cwd=self.folder, env=self.environment(), stdout=log,
                                            stderr=log, stdin=subprocess.DEVNULL, preexec_fn=_before_exec)
        wait_for(self.is_ready, self.process, self.name)
        return time.monotonic() - begun

    def environment(self):
        return {name: value for name, value in os.environ.items() if not name.startswith("MQLITE_")}

    def log(self):
        """What it has written in all its starts."""
        try:
            with open(os.path.join(self.folder, "log.txt"), encoding="utf-8", errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def news(self):
        """What it has written since it was started last."""
        return self.log()[self.logged:]

    def stop(self):
        """Ends the process in order, at last by force."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def close(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def resident_bytes(self):
        with open(f"/proc/{self.process.pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def address(self, protocol):
        """HOST:PORT of the door for a protocol of mqlite_bench."""
        assert protocol == self.protocol
        return f"127.0.0.1:{self.port}"

    def exchange(self, request, size=4096):
        """One request as bytes, and what is answered first."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE) as connection:
            connection.sendall(request)
            return connection.recv(size)

    def answers(self, request, beginning):
        """Whether it is there, and its answer begins so."""
        try:
            return self.exchange(request).startswith(beginning)
        except OSError:
            return False


class MQLite(Server):
    name, protocol, program, levels = "MQLite", "tcp", "mqlite", ("everysec", "always")
    doors = {"tcp": "tcp", "tcp-json": "tcp", "http": "http", "grpc": "grpc", "grpc-stream": "grpc", "caf": "caf"}

    @classmethod
    def path(cls):
        path = os.path.join(BINARIES, cls.program)
        return path if os.path.exists(path) else None

    def command(self):
        words = [self.path(), "--persistence.aof.dir", os.path.join(self.folder or "", "data"),
                 "--persistence.aof.fsync", self.level]
        for door in ("tcp", "http", "grpc", "caf"):
            words += [f"--server.{door}.port", "0"]
        return words

    def settings(self):
        return f"persistence.aof.fsync = {self.level}"

    def is_ready(self):
        return "is ready" in self.news()

    def address(self, protocol):
        return "127.0.0.1:" + re.search(rf"{self.doors[protocol]}: listening on 127\.0\.0\.1:(\d+)", self.news())[1]


class Redis(Server):
    name, protocol, program, levels = "Redis Streams", "redis", "redis-server", ("everysec", "always")

    def command(self):
        return [self.path(), "--port", str(self.port), "--bind", "127.0.0.1", "--dir", self.folder or "",
                "--appendonly", "yes", "--appendfsync", self.level, "--save", ""]

    def settings(self):
        return f"appendonly yes, appendfsync {self.level}, save \"\"; XADD, XREADGROUP, XACK + XDEL"

    def is_ready(self):
        return self.answers(b"PING\r\n", b"+PONG")


class Nats(Server):
    name, protocol, program, levels = "NATS JetStream", "nats", "nats-server", ("everysec",)

    def command(self):
        return [self.path(), "-a", "127.0.0.1", "-p", str(self.port), "-js", "-sd", os.path.join(self.folder or "", "store")]

    def settings(self):
        return ("work-queue retention, file storage, explicit acks that are not answered; syncs every two minutes: "
                "this version has no other setting")

    def is_ready(self):
        """It listens before it has recovered its streams: the log tells."""
        return "Server is ready" in self.news()


class Beanstalkd(Server):
    name, protocol, program, levels = "beanstalkd", "beanstalkd", "beanstalkd", ("everysec", "always")

    @classmethod
    def version(cls):
        out = subprocess.run([cls.path(), "-v"], capture_output=True, text=True, check=False)
        return out.stdout.split()[-1]

    def is_ready(self):
        """It listens before it has read its binlog, and answers afterwards."""
        return self.answers(b"list-tubes\r\n", b"OK")

    def command(self):
        return [self.path(), "-l", "127.0.0.1", "-p", str(self.port), "-b", self.folder or "", "-z", "1048576",
                "-f", "0" if self.level == "always" else "1000"]

    def settings(self):
        return f"binlog, -f {'0' if self.level == 'always' else '1000'}"


class RabbitMQ(Server):
    """Its kinds differ in the type of the queue. No epmd, no port for other nodes, no plugins: one process, which takes its helpers
    with it when it ends."""

    program, levels = "rabbitmq-server", ("everysec", "always")
    strictness = ""  # when it syncs

    @classmethod
    def path(cls):
        """The server's own script: the one on Debian's PATH changes the user, and starts this one."""
        return shutil.which(cls.program, path="/usr/lib/rabbitmq/bin") or super().path()

    @classmethod
    def version(cls):
        """From the folder's name: every argument would start the server."""
        found = re.search(r"rabbitmq_server-([\d.]+)", os.path.realpath(cls.path()))
        return found[1] if found else "?"

    def command(self):
        return [self.path()]

    def environment(self):
        ours = {name: value for name, value in super().environment().items()
                if not name.startswith(("RABBITMQ_", "ERL_"))}

        def here(name):
            return os.path.join(self.folder, name)
        return ours | {
            "HOME": self.folder, "RABBITMQ_CONF_ENV_FILE": "/dev/null", "RABBITMQ_CONFIG_FILE": here("none"),
            "RABBITMQ_CONFIG_FILES": here("none"), "RABBITMQ_ADVANCED_CONFIG_FILE": here("none"),
            "RABBITMQ_MNESIA_BASE": here("mnesia"), "RABBITMQ_LOG_BASE": here("log"), "RABBITMQ_LOGS": "-",
            "RABBITMQ_ENABLED_PLUGINS_FILE": here("plugins"), "RABBITMQ_NODENAME": "rabbit@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1", "RABBITMQ_NODE_PORT": str(self.port),
            "RUNNING_UNDER_SYSTEMD": "1",  # the script becomes the server, in place of waiting for it
            # A node that listens for no others needs no epmd; RabbitMQ wants to know a port all the same, and every minute has
            # a second Erlang see to it that there is an epmd: these flags hold for that one too.
            "ERL_AFLAGS": "-dist_listen false -start_epmd false -erl_epmd_port 1",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-sname rabbit@localhost"}

    def settings(self):
        return ("durable queue, persistent messages with confirms, pushed with a prefetch of 1,000, acks that are not answered; "
                + self.strictness)

    def is_ready(self):
        """It listens when it has recovered its queues."""
        return self.answers(b"AMQP\0\0\x09\x01", b"\x01")


class RabbitMQClassic(RabbitMQ):
    name, protocol = "RabbitMQ classic", "rabbitmq"
    strictness = "queue version 1, the default, syncs its journal before it confirms, in every row (version 2 never syncs)"


class RabbitMQQuorum(RabbitMQ):
    name, protocol = "RabbitMQ quorum", "rabbitmq-quorum"
    elected = "candidate -> leader"
    strictness = "one node; syncs its write-ahead log before it confirms, in every row: there is no weaker setting"

    def is_ready(self):
        """It listens before a queue that was there has a leader again: the log tells."""
        return (self.elected in self.news() or self.elected not in self.log()) and super().is_ready()


class Baseline(Server):
    """Boost.Beast alone: a server that answers every request with the same text."""

    name, protocol, program = "bare Beast server", "http", "http_baseline"

    @classmethod
    def path(cls):
        path = os.path.join(ROOT, "build", "release", "bench", cls.program)
        return path if os.path.exists(path) else None

    def command(self):
        return [self.path(), str(min(os.cpu_count() or 1, 16)), str(self.port)]  # a loop for each core, as the broker


PEERS = (Redis, Nats, Beanstalkd, RabbitMQClassic, RabbitMQQuorum)
