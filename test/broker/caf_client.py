"""The CAF door from Python: a program that uses the client library, spoken to in lines of JSON.

MQLITE_CLIENT_ADAPTER names the program (test/client/client_adapter.cpp).
"""

import json
import os
import select
import signal
import subprocess
import time

from http_clients import DEADLINE

ADAPTER = os.environ.get("MQLITE_CLIENT_ADAPTER", "client_adapter")


class Refusal(Exception):
    def __init__(self, code, text):
        super().__init__(f"{code}: {text}")
        self.code = code
        self.text = text


class CafClient:
    """One client process. Lines are texts of JSON objects; events are what was pushed."""

    def __init__(self, port, patience_ms=10_000):
        self._process = subprocess.Popen([ADAPTER, f"127.0.0.1:{port}", str(patience_ms)], stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE, bufsize=0)
        self._buffer = b""
        self._events = []
        self._last_id = 0

    # --- lines ------------------------------------------------------------------------------------------------

    def _read_line(self, timeout):
        """The next line, None when there is none in time; fails when the process has ended."""
        end = time.monotonic() + timeout
        while b"\n" not in self._buffer:
            if not select.select([self._process.stdout], [], [], max(0, end - time.monotonic()))[0]:
                return None
            data = os.read(self._process.stdout.fileno(), 1 << 20)
            assert data, f"the client ended with {self._process.wait()}"
            self._buffer += data
        line, self._buffer = self._buffer.split(b"\n", 1)
        return line.decode()

    def send(self, action, data_text):
        self._last_id += 1
        line = f'{{"action":{json.dumps(action)},"id":{self._last_id},"data":{data_text}}}\n'
        self._process.stdin.write(line.encode())
        return self._last_id

    def answer(self, timeout=DEADLINE):
        """The text of the next line that is no event."""
        while True:
            line = self._read_line(timeout)
            assert line is not None, "the client does not answer"
            if not self._is_event(line):
                return line
            self._events.append(line)

    @staticmethod
    def _is_event(line):
        return line.startswith(('{"status":"ok","event"', '{"status":"error","event"'))

    def event(self, timeout=DEADLINE):
        """The text of the next event; None when none came in time."""
        if self._events:
            return self._events.pop(0)
        line = self._read_line(timeout)
        assert line is None or self._is_event(line), line
        return line

    # --- values -----------------------------------------------------------------------------------------------

    def begin(self, action, **data):
        return self.send(action, json.dumps(data))

    def finish(self):
        """The `data` of the next answer."""
        answer = json.loads(self.answer())
        if answer["status"] == "error":
            raise Refusal(answer["code"], answer["error"])
        return answer.get("data")

    def ask(self, action, **data):
        self.begin(action, **data)
        return self.finish()

    # --- the end ----------------------------------------------------------------------------------------------

    def kill(self):
        """kill -9."""
        self._process.kill()
        self._end()

    def freeze(self):
        self._process.send_signal(signal.SIGSTOP)

    def close(self):
        """Ends the program in order; nothing when it has ended."""
        if self._process.poll() is None:
            self._process.stdin.close()
        assert self._end() in (0, -signal.SIGKILL)

    def _end(self):
        try:
            return self._process.wait(DEADLINE)
        finally:
            if self._process.poll() is None:
                self._process.kill()
                self._process.wait()
            self._process.stdin.close()
            self._process.stdout.close()
