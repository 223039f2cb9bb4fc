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
        begun = time.monotonic()
        with open(os.path.join(self.folder, "log.txt"), "ab") as log:
            self.process = subprocess.Popen(self.command(), cwd=self.folder, env=self.environment(), stdout=log,
                                            stderr=log, stdin=subprocess.DEVNULL, preexec_fn=_before_exec)
        wait_for(self.is_ready, self.process, self.name)
        return time.monotonic() - begun

    def environment(self):
        return {name: value for name, value in os.environ.items() if not name.startswith("MQLITE_")}

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

    def log(self):
        with open(os.path.join(self.folder, "log.txt"), encoding="utf-8", errors="replace") as file:
            return file.read()

    def start(self):
        if os.path.exists(os.path.join(self.folder, "log.txt")):
            os.remove(os.path.join(self.folder, "log.txt"))
        return super().start()

    def is_ready(self):
        return "is ready" in self.log()

    def address(self, protocol):
        return "127.0.0.1:" + re.search(rf"{self.doors[protocol]}: listening on 127\.0\.0\.1:(\d+)", self.log())[1]


class Redis(Server):
    name, protocol, program, levels = "Redis Streams", "redis", "redis-server", ("everysec", "always")

    def command(self):
        return [self.path(), "--port", str(self.port), "--bind", "127.0.0.1", "--dir", self.folder or "",
                "--appendonly", "yes", "--appendfsync", self.level, "--save", ""]

    def settings(self):
        return f"appendonly yes, appendfsync {self.level}, save \"\"; XADD, XREADGROUP, XACK + XDEL"

    def is_ready(self):
        try:
            return self.exchange(b"PING\r\n").startswith(b"+PONG")
        except OSError:
            return False


class Nats(Server):
    name, protocol, program, levels = "NATS JetStream", "nats", "nats-server", ("everysec",)

    def command(self):
        return [self.path(), "-a", "127.0.0.1", "-p", str(self.port), "-js", "-sd", os.path.join(self.folder or "", "store")]

    def settings(self):
        return ("work-queue retention, file storage, explicit acks that are not answered; syncs every two minutes: "
                "this version has no other setting")

    def is_ready(self):
        """It listens before it has recovered its streams: the log tells."""
        with open(os.path.join(self.folder, "log.txt"), encoding="utf-8", errors="replace") as file:
            return file.read().count("Server is ready") > self.starts

    starts = 0

    def start(self):
        path = os.path.join(self.folder, "log.txt")
        self.starts = open(path, encoding="utf-8", errors="replace").read().count("Server is ready") \
            if os.path.exists(path) else 0
        return super().start()


class Beanstalkd(Server):
    name, protocol, program, levels = "beanstalkd", "beanstalkd", "beanstalkd", ("everysec", "always")

    @classmethod
    def version(cls):
        out = subprocess.run([cls.path(), "-v"], capture_output=True, text=True, check=False)
        return out.stdout.split()[-1]

    def is_ready(self):
        """It listens before it has read its binlog, and answers afterwards."""
        try:
            return self.exchange(b"list-tubes\r\n").startswith(b"OK")
        except OSError:
            return False

    def command(self):
        return [self.path(), "-l", "127.0.0.1", "-p", str(self.port), "-b", self.folder or "", "-z", "1048576",
                "-f", "0" if self.level == "always" else "1000"]

    def settings(self):
        return f"binlog, -f {'0' if self.level == 'always' else '1000'}"


class Baseline(Server):
    """Boost.Beast alone: a server that answers every request with the same text."""

    name, protocol, program = "bare Beast server", "http", "http_baseline"

    @classmethod
    def path(cls):
        path = os.path.join(ROOT, "build", "release", "bench", cls.program)
        return path if os.path.exists(path) else None

    def command(self):
        return [self.path(), str(min(os.cpu_count() or 1, 16)), str(self.port)]  # a loop for each core, as the broker


PEERS = (Redis, Nats, Beanstalkd)
