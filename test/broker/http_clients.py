"""HTTP by a client that behaves, by raw bytes, and by server-sent events."""

import collections
import http.client
import json
import socket

# How long an answer may take before a test gives up, in seconds.
DEADLINE = 60.0


class Answer:
    """An HTTP answer: status, headers (names in lower case), the body's bytes."""

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def data(self):
        return self.json.get("data")

    def __repr__(self):
        return f"Answer({self.status}, {self.body[:500]!r})"


def encode_body(body):
    """Bytes and text go as they are, anything else as JSON."""
    if body is None or isinstance(body, bytes):
        return body
    if isinstance(body, str):
        return body.encode()
    return json.dumps(body).encode()


class Client:
    """One keep-alive connection; not for use by several threads at once."""

    def __init__(self, port, timeout=DEADLINE):
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)

    def request(self, method, path, body=None, headers=None):
        """Sends one request and returns its Answer. A connection that fails is an OSError or HTTPException."""
        self._connection.request(method, path, encode_body(body), headers or {})
        response = self._connection.getresponse()
        content = response.read()
        return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, content)

    def close(self):
        self._connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class RawConnection:
    """A socket for bytes that no HTTP library would send; reads answers one by one, by their Content-Length."""

    def __init__(self, port, timeout=DEADLINE):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self._buffer = b""

    def send(self, data):
        self.socket.sendall(data if isinstance(data, bytes) else data.encode("latin-1"))

    def finish_sending(self):
        """Closes our half, so that the broker reads an end of stream."""
        self.socket.shutdown(socket.SHUT_WR)

    def _fill(self):
        data = self.socket.recv(65536)
        self._buffer += data
        return bool(data)

    def read_head(self):
        """The status and headers of the next answer; None when the stream ended before its first byte."""
        while b"\r\n\r\n" not in self._buffer:
            if not self._fill():
                if self._buffer:
                    raise AssertionError(f"the stream ended inside a head: {self._buffer[:200]!r}")
                return None
        head, self._buffer = self._buffer.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        headers = {}
        for line in lines[1:]:
            name, value = line.split(":", 1)
            headers[name.lower()] = value.strip()
        return int(lines[0].split(" ")[1]), headers

    def read_bytes(self, size):
        while len(self._buffer) < size:
            if not self._fill():
                raise AssertionError(f"the stream ended {size - len(self._buffer)} bytes early")
        taken, self._buffer = self._buffer[:size], self._buffer[size:]
        return taken

    def read_answer(self, to_head=False):
        """The next Answer, interim 1xx answers included; None when the stream ended. to_head: it answers a HEAD."""
        head = self.read_head()
        if head is None:
            return None
        status, headers = head
        size = 0 if to_head or status < 200 or status == 204 else int(headers.get("content-length", "0"))
        return Answer(status, headers, self.read_bytes(size))

    def read_to_end(self):
        """What comes until the broker closes; a reset counts as an end."""
        try:
            while self._fill():
                pass
        except ConnectionResetError:
            pass
        rest, self._buffer = self._buffer, b""
        return rest

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


Event = collections.namedtuple("Event", "name id data")


class EventStream:
    """A subscription by server-sent events; comments are skipped."""

    def __init__(self, port, path, timeout=DEADLINE):
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
        self._connection.request("GET", path, headers={"Accept": "text/event-stream"})
        self.socket = self._connection.sock
        self._response = self._connection.getresponse()
        self.status = self._response.status
        self.headers = {k.lower(): v for k, v in self._response.getheaders()}

    def next(self):
        """The next Event (data is parsed as JSON where it is JSON), None at the end of the stream.

        socket.timeout when none comes in time.
        """
        fields = {}
        while True:
            line = self._response.readline()
            if not line:
                return None
            line = line.rstrip(b"\r\n").decode()
            if not line:
                if fields:
                    return Event(fields.get("event", "message"), fields.get("id"), self._parse(fields.get("data")))
                continue
            if line.startswith(":"):
                continue
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            fields[name] = fields[name] + "\n" + value if name in fields else value

    @staticmethod
    def _parse(data):
        try:
            return None if data is None else json.loads(data)
        except ValueError:
            return data

    def close(self):
        """Ends the connection without a goodbye."""
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._response.close()
        self._connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
