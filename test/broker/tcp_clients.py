"""TCP frames: a connection that writes and reads them one by one."""

import json
import select
import socket
import struct
import time

from harness import DEADLINE

JSON, PROTOBUF = 0, 1


class Connection:
    """One TCP connection to the broker; counted: lengths count the encoding's byte as well."""

    def __init__(self, broker, counted=False, timeout=DEADLINE):
        self.socket = socket.create_connection(("127.0.0.1", broker.ports["tcp"]), timeout=timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.counted = counted
        self.buffer = b""

    def frame(self, payload, encoding=JSON):
        if not isinstance(payload, bytes):
            payload = json.dumps(payload).encode()
        return struct.pack(">IB", len(payload) + (1 if self.counted else 0), encoding) + payload

    def send_raw(self, data):
        self.socket.sendall(data)

    def send(self, action, id=None, **data):
        command = {"action": action, "data": data}
        if id is not None:
            command["id"] = id
        self.send_raw(self.frame(command))

    def _read(self, size):
        while len(self.buffer) < size:
            data = self.socket.recv(1 << 16)
            if not data:
                raise EOFError(f"closed {size - len(self.buffer)} bytes early")
            self.buffer += data
        taken, self.buffer = self.buffer[:size], self.buffer[size:]
        return taken

    def has_frame(self, timeout=DEADLINE):
        """Whether a whole frame comes in time; False, too, when the broker closes before."""
        end = time.monotonic() + timeout
        while True:
            if len(self.buffer) >= 5:
                length, = struct.unpack(">I", self.buffer[:4])
                if len(self.buffer) >= length + (4 if self.counted else 5):
                    return True
            if not select.select([self.socket], [], [], max(0, end - time.monotonic()))[0]:
                return False
            data = self.socket.recv(1 << 16)
            if not data:
                return False
            self.buffer += data

    def receive_frame(self):
        length, encoding = struct.unpack(">IB", self._read(5))
        return encoding, self._read(length - (1 if self.counted else 0))

    def receive(self):
        encoding, payload = self.receive_frame()
        assert encoding == JSON, payload
        return json.loads(payload)

    def call(self, action, id=None, **data):
        self.send(action, id, **data)
        return self.receive()

    def ok(self, action, **data):
        """The `data` of an answer that must be a success."""
        answer = self.call(action, **data)
        assert answer["status"] == "ok", answer
        return answer.get("data")

    def at_end(self):
        """Whether the broker closes, now or soon; a reset counts."""
        try:
            return self.buffer == b"" and self.socket.recv(1) == b""
        except ConnectionError:
            return True

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
