"""What is measured: each case drives one fresh server and returns figures, name -> number."""

import os
from typing import NamedTuple

from load import measure
from servers import Baseline, MQLite, Redis

PAYLOAD = 256


class Scale(NamedTuple):
    """How long things are done."""
    seconds: float
    warm_up: float
    messages: int   # to drain
    stored: int     # for memory and recovery


FULL = Scale(3, 0.7, 300_000, 1_000_000)
QUICK = Scale(0.7, 0.2, 50_000, 100_000)


class Case(NamedTuple):
    """`goal` compares MQLite's `figure` with the best peer's: ("at least", 3) is 3 times as much or more."""
    key: str
    title: str
    level: str
    figure: str     # per_second, p50, p99, bytes or seconds
    goal: tuple
    drive: object   # (server, scale) -> figures
    cpu_goal: float = None
    against: type = None      # a peer of its own; else all of them
    against_drive: object = None


def figures(report):
    return {"per_second": report["per_second"], "cpu": report["server_cpu_us_per_message"],
            "p50": report["latency_us"]["p50"], "p99": report["latency_us"]["p99"]}


def publish(connections, outstanding, protocol=None):
    def drive(server, scale):
        # Only a door of ours has a protocol of its own; a peer is driven over its only one.
        door = protocol if isinstance(server, (MQLite, Baseline)) else None
        return figures(measure(server, "--workload", "publish", "--connections", connections, "--outstanding",
                               outstanding, "--duration", scale.seconds, "--warm-up", scale.warm_up,
                               "--payload-size", PAYLOAD, protocol=door))
    return drive


def drain(connections):
    def drive(server, scale):
        return figures(measure(server, "--workload", "drain", "--connections", connections, "--batch", 100, "--count",
                               scale.messages, "--payload-size", PAYLOAD))
    return drive


def end_to_end(rate):
    def drive(server, scale):
        return figures(measure(server, "--workload", "end-to-end", "--rate", rate, "--duration", scale.seconds,
                               "--warm-up", scale.warm_up, "--payload-size", PAYLOAD))
    return drive


def fill(server, scale):
    measure(server, "--workload", "publish", "--connections", 8, "--outstanding", 64, "--count", scale.stored,
            "--warm-up", 0, "--payload-size", PAYLOAD)


def memory(server, scale):
    before = server.resident_bytes()
    fill(server, scale)
    return {"bytes": (server.resident_bytes() - before) / scale.stored}


def recovery(server, scale):
    fill(server, scale)
    server.stop()
    return {"seconds": server.start()}


CASES = (
    Case("publish-8x64", "publish, 8 connections x 64 outstanding", "everysec", "per_second", ("at least", 3),
         publish(8, 64), cpu_goal=0.35),
    Case("publish-1x128", "publish, 1 x 128", "everysec", "per_second", ("at least", 2), publish(1, 128)),
    Case("publish-1x1", "publish, 1 x 1", "everysec", "per_second", ("at least", 1), publish(1, 1)),
    Case("always-64x1", "publish, 64 x 1", "always", "per_second", ("at least", 1.2), publish(64, 1)),
    Case("always-64x16", "publish, 64 x 16", "always", "per_second", ("at least", 3), publish(64, 16)),
    Case("always-1x1", "publish, 1 x 1", "always", "per_second", ("at least", 1), publish(1, 1)),
    Case("drain-1", "consume + ack in batches of 100, 1 connection", "everysec", "per_second", ("at least", 3), drain(1)),
    Case("drain-4", "consume + ack in batches of 100, 4 connections", "everysec", "per_second", ("at least", 3), drain(4)),
    Case("latency-p50", "end to end at 10,000/s, p50", "everysec", "p50", ("at most", 1), end_to_end(10_000)),
    Case("latency-p99", "end to end at 10,000/s, p99", "everysec", "p99", ("at most", 1), None),
    Case("memory", "memory for each queued message", "everysec", "bytes", ("at most", 1.1), memory, against=Redis),
    Case("recovery", "start with 1 million messages", "everysec", "seconds", ("at most", 1), recovery),
    Case("http", "HTTP publish, 64 keep-alive connections x 1", "everysec", "per_second", ("at least", 0.7),
         publish(64, 1, "http"), against=Baseline, against_drive=publish(64, 1, "http")),
    Case("grpc", "gRPC stream publish, 8 x 64", "everysec", "per_second", ("at least", 1.5),
         publish(8, 64, "grpc-stream"), against=Redis, against_drive=publish(8, 64)),
)




def versions_of_machine():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = next((line.split(":")[1].strip() for line in file if line.startswith("model name")), "unknown processor")
    # What a guest has freed and its host has taken back costs eight times as much as other fresh memory when it is used again.
    reports = os.path.exists("/sys/module/page_reporting/parameters/page_reporting_order")
    return f"{os.cpu_count()} x {model}, Linux {os.uname().release}" + (", free memory goes back to the host" if reports else "")
