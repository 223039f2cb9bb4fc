"""The bytes of a log, for tests that damage them: persistence/format.hpp tells what they mean."""

import os
import struct
from typing import NamedTuple

HEADER = 20
RECORD_HEADER = 8


def _crc32c_table():
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    return table


_TABLE = _crc32c_table()


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ _TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


class Record(NamedTuple):
    offset: int
    end: int
    body: bytes

    @property
    def kind(self):
        """The field number of its event in the journal; 15 is a sync mark."""
        return self.body[0] >> 3


def read(path):
    with open(path, "rb") as file:
        return file.read()


def write(path, content):
    with open(path, "wb") as file:
        file.write(content)


def records(content):
    """The records of a sound file, sync marks included."""
    found, at = [], HEADER
    while at + RECORD_HEADER <= len(content):
        length, = struct.unpack_from("<I", content, at)
        if length == 0:
            break
        end = at + RECORD_HEADER + length
        found.append(Record(at, end, content[at + RECORD_HEADER:end]))
        at = end
    return found


def framed(body, salt):
    """A record with this body, for a file with this salt."""
    length = struct.pack("<I", len(body))
    return length + struct.pack("<I", crc32c(length + body) ^ salt) + body


def salt_of(content):
    return struct.unpack_from("<I", content, 12)[0]


def without(content, unwanted):
    """The file without some of its records, as if they had never been written."""
    kept = b"".join(content[r.offset:r.end] for r in records(content) if not unwanted(r))
    return content[:HEADER] + kept


def manifest(*lines, version=2):
    text = "".join(f"{line}\n" for line in (f"mqlite manifest {version}", *lines))
    return f"{text}crc32c {crc32c(text.encode()):08x}\n".encode()


def snapshot(folder):
    """Every file of a folder with its content and the time of its last change."""
    return {name: (read(os.path.join(folder, name)), os.stat(os.path.join(folder, name)).st_mtime_ns)
            for name in sorted(os.listdir(folder))}
