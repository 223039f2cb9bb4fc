"""Runs mqlite_bench against a server, and gathers what it reports."""

import json
import os
import statistics
import subprocess

from servers import BINARIES, PATIENCE, Failure

BENCH = os.path.join(BINARIES, "mqlite_bench")
TOPIC = "compare"


def measure(server, *arguments, protocol=None, keep=True):
    """The report of one run of mqlite_bench; the topic stays, because the server goes with its folder."""
    protocol = protocol or server.protocol
    command = [BENCH, "--protocol", protocol, "--address", server.address(protocol), "--server-pid",
               str(server.process.pid), "--topic", TOPIC, "--json", *map(str, arguments)]
    if keep:
        command.append("--keep")
    try:
        done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=5 * PATIENCE,
                              check=False)
    except subprocess.TimeoutExpired as late:
        raise Failure(f"{server.name}: no end of {' '.join(command)}") from late
    if done.returncode:
        raise Failure(f"{server.name}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def median(values):
    """The median of those that were measured; None when none was."""
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None
