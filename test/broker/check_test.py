"""mqlite_check: what it says of sound and of damaged folders, and that what it repairs is a log that a broker starts with."""

import base64
import json
import os
import shutil
import struct
import subprocess
import unittest

import log_bytes
from harness import BINARY, DEADLINE, BrokerCase, base_environment, wait_until

HOUR = 3_600_000
CHECK = os.path.join(os.path.dirname(BINARY), "mqlite_check")
PUBLISHED, TOPIC_CREATED, TOPIC_DELETED, NAMESPACE_CREATED = 6, 3, 4, 1


def check(*arguments):
    return subprocess.run([CHECK, *map(str, arguments)], env=base_environment(), stdin=subprocess.DEVNULL, text=True,
                          capture_output=True, timeout=DEADLINE)


class CheckCase(BrokerCase):

    def examine(self, folder, code, *arguments):
        """The result of a run that must end with this code and change nothing."""
        before = log_bytes.snapshot(folder)
        result = check(folder, *arguments)
        self.assertEqual(result.returncode, code, result.stdout + result.stderr)
        self.assertEqual(log_bytes.snapshot(folder), before, "the folder was changed")
        return result

    def log_of(self, count, **fields):
        """The folder of a stopped broker with `count` messages 0, 1, 2 ... in test/orders."""
        broker = self.start_broker()
        topic = broker.create_topic("orders", **fields)
        with broker.client() as client:
            for n in range(count):
                self.assertEqual(client.request("POST", f"{topic}/publish", {"payload": n}).status, 200)
        self.assertEqual(broker.terminate(), 0)
        return broker.data

    def log_of_two_files(self):
        """The folder of a stopped broker, whose disk was full meanwhile: a sealed file, and one that is open; and its messages."""
        broker = self.start_broker(file_size_limit=20_000)
        topic = broker.create_topic("orders")
        payloads = []
        with broker.client() as client:
            while client.request("POST", f"{topic}/publish", {"payload": f"{len(payloads)} " + "x" * 500}).status == 200:
                payloads.append(f"{len(payloads)} " + "x" * 500)
            broker.lift_file_size_limit()
            wait_until(lambda: client.request("POST", f"{topic}/publish", {"payload": "after"}).status == 200, "room again")
            for n in range(5):
                client.request("POST", f"{topic}/publish", {"payload": n})
        self.assertEqual(broker.terminate(), 0)
        self.assertEqual(self.log_files(broker.data), ["incr-0000000001.log", "incr-0000000002.log"])
        return broker.data, payloads + ["after", *range(5)]

    @staticmethod
    def log_files(folder):
        return sorted(name for name in os.listdir(folder) if name.endswith(".log"))

    def path(self, folder, index=-1):
        return os.path.join(folder, self.log_files(folder)[index])

    def repaired(self, folder):
        """Repairs into a new folder: what was said, and the payloads that a broker finds there."""
        out = os.path.join(self.temporary_folder(), "data")
        said = self.examine(folder, 0, "--repair", out).stdout
        self.assertIn("sound", self.examine(out, 0).stdout)
        broker = self.new_broker(folder=os.path.dirname(out)).start()
        self.assertNotIn("warn", broker.log.lower())
        return said, broker

    def payloads(self, broker, topic="/v1/namespaces/test/topics/orders", queue=0):
        return [m["payload"] for m in broker.consume(topic, queue, 10_000, lease_ms=HOUR)]


class Sound(CheckCase):

    def test_the_report_counts_what_there_is(self):
        broker = self.start_broker()
        topic = broker.create_topic("orders", "production", queue_count=3, max_deliveries=1)
        broker.ok("POST", "/v1/namespaces", {"name": "bare"})
        for n in range(6):
            broker.publish(topic, n, queue_id=n % 2)
        broker.publish(topic, "later", queue_id=2, delay_ms=HOUR)
        first, second = broker.consume(topic, 0, 2, lease_ms=HOUR)
        broker.ack(topic, 0, [first["id"]])
        broker.ok("POST", f"{topic}/queues/0/nack", {"message_ids": [second["id"]]})
        broker.consume(topic, 1, 1, lease_ms=HOUR)
        self.assertEqual(broker.terminate(), 0)
        for name in ("notes.txt", "base-0000000077.log", "manifest.tmp"):
            log_bytes.write(os.path.join(broker.data, name), b"")
        said = self.examine(broker.data, 0).stdout
        for line in ("incr-0000000001.log  incr, open, 14 records in ", "notes.txt  foreign",
                     "base-0000000077.log  left over", "manifest.tmp  left over",
                     "2 NamespaceCreated", "1 TopicCreated", "7 Published (7 messages)", "2 Leased", "1 Acknowledged", "1 Buried",
                     "production/orders: 3 queues, 1 dead letter\n",
                     "queue 0: 1 ready, 0 leased, 0 delayed", "queue 1: 2 ready, 1 leased, 0 delayed",
                     "queue 2: 0 ready, 0 leased, 1 delayed", "bare: a namespace without topics",
                     "sound: 5 messages and 1 dead letter\n"):
            self.assertIn(line, said)

    def test_a_folder_in_use_is_named_and_the_broker_goes_on(self):
        broker = self.start_broker()
        topic = broker.create_topic("orders")
        broker.publish(topic, 1)
        result = check(broker.data)
        self.assertEqual(result.returncode, 0, result)
        self.assertIn(f"pid {broker.process.pid}", result.stderr)
        self.assertIn("sound: 1 message ", result.stdout)
        out = os.path.join(self.temporary_folder(), "out")
        result = check(broker.data, "--repair", out)
        self.assertEqual(result.returncode, 2, result)
        self.assertIn(f"pid {broker.process.pid}", result.stderr)
        self.assertFalse(os.path.exists(out))
        broker.publish(topic, 2)
        broker.kill()
        self.assertEqual(self.examine(broker.data, 0).stderr, "")
        broker.start()
        self.assertEqual(self.payloads(broker, topic), [1, 2])

    def test_a_torn_tail_is_named_and_sound(self):
        folder = self.log_of(10)
        path = self.path(folder)
        last = log_bytes.records(log_bytes.read(path))[-2]
        os.truncate(path, last.end - 3)
        size = last.end - 3 - last.offset
        said = self.examine(folder, 0).stdout
        self.assertIn(f"torn tail of {size} bytes at offset {last.offset}\n", said)
        self.assertIn("sound: 9 messages", said)
        said, broker = self.repaired(folder)
        self.assertIn(f"left out: incr-0000000001.log, torn tail of {size} bytes at offset {last.offset}\n", said)
        self.assertEqual(self.payloads(broker), list(range(9)))

    def test_a_power_cut_that_lost_an_earlier_sector_is_a_torn_tail_behind_the_last_fsync_and_damage_before_it(self):
        broker = self.start_broker("--persistence.aof.fsync", "always")
        topic = broker.create_topic("orders")
        with broker.client() as client:
            for n in range(20):
                client.request("POST", f"{topic}/publish", {"payload": f"{n} " + "x" * 1500})
        broker.kill()
        path = self.path(broker.data)
        content = log_bytes.read(path)
        used = log_bytes.records(content)
        marks = [r for r in used if r.kind == 15]
        self.assertGreater(len(marks), 15)
        self.assertEqual([struct.unpack_from("<Q", r.body, 2)[0] for r in marks[1:]], [r.offset for r in marks[1:]])
        # A broker that goes on writes two more records behind its last fsync, in one piece, and the power fails.
        salt = log_bytes.salt_of(content)
        more = b"".join(log_bytes.framed(r.body, salt) for r in [r for r in used if r.kind == PUBLISHED][-2:])
        end = used[-1].end
        for place, code, word in ((end, 0, "a power cut, with records behind it"), (marks[8].offset + 30, 1, "DAMAGED")):
            damaged = bytearray(content[:end] + more)
            sector = -(-place // 512) * 512
            damaged[sector:sector + 512] = bytes(512)
            log_bytes.write(path, damaged)
            self.assertIn(word, self.examine(broker.data, code).stdout)
        self.assertIn("mqlite_check --repair", self.start_of(broker))
        damaged = bytearray(content[:end] + more)
        sector = -(-end // 512) * 512
        damaged[sector:sector + 512] = bytes(512)
        log_bytes.write(path, damaged)
        broker.start()
        self.assertRegex(broker.wait_for_line(f"power cut.*at offset {end}"), "(?i)warn")
        self.assertEqual(len(self.payloads(broker, topic)), 20)

    def start_of(self, broker):
        """What a start says that must be refused."""
        broker.launch()
        self.assertEqual(broker.wait_for_exit(), 1)
        return broker.log

    def test_a_sound_log_is_copied_whole(self):
        said, broker = self.repaired(self.log_of(10))
        self.assertNotIn("left out", said)
        self.assertIn("12 records with 10 messages", said)
        self.assertEqual(self.payloads(broker), list(range(10)))


class Usage(CheckCase):

    def test_what_cannot_be_examined_ends_with_2_and_one_line(self):
        folder = self.log_of(1)
        out = self.temporary_folder()
        log_bytes.write(os.path.join(out, "file"), b"")
        some_id = "01a20a8b-15e3-78c2-9571-980036ce2df9"
        for arguments, words in (
                ((), "Usage"), (("/nowhere/at/all",), "/nowhere/at/all"), ((out,), "holds no log"),
                ((os.path.join(out, "file"),), "file"), ((folder, "another"), "another"), ((folder, "--fast"), "--fast"),
                ((folder, "--explain", "77"), "77"), ((folder, "--explain"), "--explain"),
                ((folder, "--dump", "--explain", some_id), "excludes"), ((folder, "--repair", out), "not empty"),
                ((folder, "--repair", os.path.join(out, "file")), "file"), ((folder, "--repair", ""), "--repair"),
                (("/nowhere", "--repair", os.path.join(out, "new")), "/nowhere")):
            with self.subTest(arguments=arguments):
                result = check(*arguments)
                self.assertEqual((result.returncode, result.stdout), (2, ""), result)
                self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)
                self.assertIn(words, result.stderr)
        self.assertEqual(os.listdir(out), ["file"])

    def test_help_and_version_are_printed(self):
        self.assertIn("--repair", check("--help").stdout)
        self.assertRegex(check("--version").stdout, r"^mqlite_check \d")

    def test_a_newer_format_is_not_called_damage(self):
        folder = self.log_of(1)
        path = self.path(folder)
        content = bytearray(log_bytes.read(path))
        struct.pack_into("<I", content, 8, 3)
        struct.pack_into("<I", content, 16, log_bytes.crc32c(content[:16]))
        log_bytes.write(path, content)
        self.assertIn("format 3", self.examine(folder, 2).stderr)
        log_bytes.write(os.path.join(folder, "manifest"), log_bytes.manifest("something new", version=3))
        self.assertIn("format 3", self.examine(folder, 2).stderr)


def topic_of(record):
    """The topic's number, below 128, in a record of which it is the event's first field."""
    at = 1
    while record.body[at] & 0x80:
        at += 1
    return record.body[at + 2]


def flip(path, record):
    """Damages one record of a file."""
    content = bytearray(log_bytes.read(path))
    content[record.end - 1] ^= 1
    log_bytes.write(path, content)


class Damaged(CheckCase):

    def rewritten_log(self):
        """The folder of a stopped broker whose log was rewritten: a base with a record of the messages 0 to 9 of
        test/orders, which is topic 1, and one of those of test/bills, topic 2; an incr with message 10 of orders."""
        broker = self.start_broker("--persistence.aof.rewrite_percentage", "0")
        topics = [broker.create_topic(name) for name in ("orders", "bills")]
        for n in range(10):
            for topic in topics:
                broker.publish(topic, n)
        self.assertEqual(broker.post("/v1/admin/rewrite").status, 202)
        wait_until(lambda: broker.ok("GET", "/v1/stats")["log"]["rewrite"]["succeeded"] == 1, "the log is rewritten")
        broker.publish(topics[0], 10)
        self.assertEqual(broker.terminate(), 0)
        self.assertEqual(self.log_files(broker.data), ["base-0000000003.log", "incr-0000000002.log"])
        return broker.data

    def test_what_is_behind_the_damage_is_salvaged(self):
        folder = self.log_of(40)
        path = self.path(folder)
        content = bytearray(log_bytes.read(path))
        bad = [r for r in log_bytes.records(content) if r.kind == PUBLISHED][10:12]
        content[bad[0].offset + 15] ^= 4
        content[bad[1].offset + 1] ^= 8
        log_bytes.write(path, content)
        size = bad[1].end - bad[0].offset
        said = self.examine(folder, 1).stdout
        self.assertIn(f"damage: incr-0000000001.log, {size} bytes at offset {bad[0].offset}: ", said)
        self.assertIn("DAMAGED: what can be read has 38 messages", said)
        said, broker = self.repaired(folder)
        self.assertIn(f"left out: incr-0000000001.log, {size} bytes at offset {bad[0].offset}: ", said)
        self.assertIn("Acknowledgements may be", said)
        self.assertEqual(self.payloads(broker), [n for n in range(40) if n not in (10, 11)])

    def test_a_sealed_file_that_lost_its_end_keeps_the_rest(self):
        folder, payloads = self.log_of_two_files()
        path = self.path(folder, 0)
        last = log_bytes.records(log_bytes.read(path))[-1]
        for length in (last.offset + 30, last.offset):
            os.truncate(path, length)
            said = self.examine(folder, 1).stdout
            self.assertIn(f"damage: incr-0000000001.log, {last.end - last.offset} bytes at offset {last.offset}: ", said)
        said, broker = self.repaired(folder)
        self.assertEqual(self.payloads(broker), payloads[:-7] + payloads[-6:])

    def test_a_missing_file_is_left_out(self):
        folder, payloads = self.log_of_two_files()
        os.remove(self.path(folder))
        self.assertIn("incr-0000000002.log", self.examine(folder, 1).stdout)
        said, broker = self.repaired(folder)
        self.assertIn("left out: incr-0000000002.log, 0 bytes at offset 0: the file is missing\n", said)
        self.assertEqual(self.payloads(broker), payloads[:-6])

    def test_an_empty_file_is_left_out(self):
        folder, payloads = self.log_of_two_files()
        for index, kept in ((0, []), (1, payloads[:-6])):
            copy = os.path.join(self.temporary_folder(), "data")
            shutil.copytree(folder, copy)
            log_bytes.write(self.path(copy, index), b"")
            self.assertIn("the file is empty", self.examine(copy, 1).stdout)
            said, broker = self.repaired(copy)
            if kept:
                self.assertEqual(self.payloads(broker), kept)
            else:  # the topic was in the first file
                self.assertIn("left out: 6 messages in 6 records of topic number 1, whose creation is lost\n", said)
                self.assertEqual(broker.ok("GET", "/v1/namespaces"), [])

    def test_a_lost_header_costs_nothing(self):
        folder = self.log_of(10)
        path = self.path(folder)
        content = log_bytes.read(path)
        for header in (b"X" + content[1:20], b"\0" * 20, content[:12] + b"salt" + content[16:20]):
            log_bytes.write(path, header + content[20:])
            self.assertIn("20 bytes at offset 0", self.examine(folder, 1).stdout)
            _, broker = self.repaired(folder)
            self.assertEqual(self.payloads(broker), list(range(10)))
        log_bytes.write(path, os.urandom(5000))
        self.examine(folder, 1)
        _, broker = self.repaired(folder)
        self.assertEqual(broker.ok("GET", "/v1/namespaces"), [])

    def test_a_manifest_that_is_lost_is_told_from_the_files(self):
        folder, payloads = self.log_of_two_files()
        path = os.path.join(folder, "manifest")
        content = log_bytes.read(path)
        for damaged in (b"", content[:-1], b"X" + content[1:], content.replace(b"incr", b"base"), None):
            with self.subTest(damaged=damaged):
                if damaged is None:
                    os.remove(path)
                else:
                    log_bytes.write(path, damaged)
                said = self.examine(folder, 1).stdout
                self.assertIn("damage: the manifest: ", said)
                self.assertIn(f"DAMAGED: what can be read has {len(payloads)} messages", said)
                _, broker = self.repaired(folder)
                self.assertEqual(self.payloads(broker), payloads)

    def test_a_damaged_base_keeps_the_rest_without_a_manifest_too(self):
        folder = self.rewritten_log()
        base = self.path(folder, 0)
        bills, = [r for r in log_bytes.records(log_bytes.read(base)) if r.kind == PUBLISHED and topic_of(r) == 2]
        flip(base, bills)
        gap = f"base-0000000003.log, {bills.end - bills.offset} bytes at offset {bills.offset}: "
        for lost in (False, True):
            with self.subTest(lost=lost):
                if lost:
                    os.remove(os.path.join(folder, "manifest"))
                said, broker = self.repaired(folder)
                self.assertIn(f"left out: {gap}", said)
                self.assertEqual(said.count("left out"), 1)
                self.assertEqual(self.payloads(broker), list(range(11)))
                self.assertEqual(self.payloads(broker, "/v1/namespaces/test/topics/bills"), [])

    def test_files_that_are_no_part_of_the_log_are_left_out_by_name(self):
        folder = self.rewritten_log()
        base = log_bytes.read(self.path(folder, 0))
        log_bytes.write(os.path.join(folder, "incr-0000000004.log"), base[:log_bytes.HEADER])
        log_bytes.write(os.path.join(folder, "base-0000000005.log"), base[:-1])
        os.remove(os.path.join(folder, "manifest"))
        said, broker = self.repaired(folder)
        self.assertIn("left out: base-0000000005.log, left over, not part of the log\n", said)
        self.assertEqual(said.count("left out"), 1)
        self.assertEqual(self.payloads(broker), list(range(11)))

    def test_the_highest_topic_number_outlives_a_repair(self):
        folder = self.rewritten_log()
        base = self.path(folder, 0)
        records = log_bytes.records(log_bytes.read(base))
        self.assertEqual((records[0].kind, topic_of(records[0])), (TOPIC_DELETED, 2))
        flip(base, *[r for r in records if r.kind == PUBLISHED and topic_of(r) == 1])
        said, broker = self.repaired(folder)
        self.assertNotIn("whose creation is lost", said)
        broker.terminate()
        self.assertEqual(log_bytes.records(log_bytes.read(self.path(broker.data, 0)))[0].body, records[0].body)
        flip(base, *[r for r in records if r.kind == TOPIC_CREATED and topic_of(r) == 2])
        said, _ = self.repaired(folder)
        self.assertIn("left out: 10 messages in 1 record of topic number 2, whose creation is lost\n", said)

    def test_a_lost_creation_takes_its_messages_and_says_so(self):
        folder = self.log_of(10)
        path = self.path(folder)
        content = bytearray(log_bytes.read(path))
        creation, = [r for r in log_bytes.records(content) if r.kind == TOPIC_CREATED]
        content[creation.end - 1] ^= 1
        log_bytes.write(path, content)
        said, broker = self.repaired(folder)
        self.assertIn("left out: 10 messages in 10 records of topic number 1, whose creation is lost\n", said)
        self.assertEqual(broker.ok("GET", "/v1/namespaces/test/topics"), [])
        content[creation.end - 1] ^= 1
        namespace, = [r for r in log_bytes.records(content) if r.kind == NAMESPACE_CREATED]
        content[namespace.end - 1] ^= 1
        log_bytes.write(path, content)
        said, broker = self.repaired(folder)
        self.assertIn("put in: the creation of the namespace test, which is lost\n", said)
        self.assertEqual(self.payloads(broker), list(range(10)))

    def test_a_namespace_whose_second_creation_is_lost_is_put_in(self):
        broker = self.start_broker()
        broker.create_topic("orders")
        broker.ok("DELETE", "/v1/namespaces/test")
        topic = broker.create_topic("orders")
        broker.publish(topic, "new")
        self.assertEqual(broker.terminate(), 0)
        path = self.path(broker.data)
        flip(path, [r for r in log_bytes.records(log_bytes.read(path)) if r.kind == NAMESPACE_CREATED][1])
        said, repaired = self.repaired(broker.data)
        self.assertIn("put in: the creation of the namespace test, which is lost\n", said)
        self.assertEqual(self.payloads(repaired), ["new"])

    def test_a_topic_recorded_behind_the_end_of_its_namespace_stays_gone(self):
        broker = self.start_broker()
        broker.publish(broker.create_topic("orders"), "old")
        broker.create_topic("bills", "other")
        broker.ok("DELETE", "/v1/namespaces/test")
        broker.create_topic("orders")
        self.assertEqual(broker.terminate(), 0)
        path = self.path(broker.data)
        content = log_bytes.read(path)
        *_, creation = [r for r in log_bytes.records(content) if r.kind == NAMESPACE_CREATED]
        log_bytes.write(path, log_bytes.without(content, lambda r: r.kind == 15 or r == creation))
        flip(path, [r for r in log_bytes.records(log_bytes.read(path)) if r.kind == PUBLISHED][0])
        said, repaired = self.repaired(broker.data)
        self.assertNotIn("put in", said)
        self.assertEqual(repaired.ok("GET", "/v1/namespaces"), ["other"])

    def test_a_lost_deletion_is_put_in(self):
        broker = self.start_broker()
        topic = broker.create_topic("orders")
        broker.publish(topic, "old")
        broker.ok("DELETE", topic)
        broker.create_topic("orders", queue_count=2)
        broker.publish(topic, "new")
        self.assertEqual(broker.terminate(), 0)
        path = self.path(broker.data)
        content = bytearray(log_bytes.read(path))
        deletion, = [r for r in log_bytes.records(content) if r.kind == TOPIC_DELETED]
        content[deletion.offset + 5] ^= 1
        log_bytes.write(path, content)
        said, repaired = self.repaired(broker.data)
        self.assertIn("put in: the deletion of an older topic test/orders, which is lost\n", said)
        self.assertEqual(repaired.ok("GET", topic)["queue_count"], 2)
        self.assertEqual(self.payloads(repaired), ["new"])

    def test_any_damaged_byte_is_found_and_the_copy_is_sound(self):
        folder = self.log_of(6)
        path = self.path(folder)
        content = log_bytes.read(path)
        out = os.path.join(self.temporary_folder(), "out")
        for place in range(0, len(content), 11):
            with self.subTest(place=place):
                log_bytes.write(path, content[:place] + bytes([content[place] ^ 0x10]) + content[place + 1:])
                result = check(folder)
                self.assertIn("torn tail" if result.returncode == 0 else "damage: " if result.returncode == 1 else "format", result.stdout + result.stderr)
                if result.returncode == 2:
                    continue
                self.assertEqual(check(folder, "--repair", out).returncode, 0)
                again = check(out)
                self.assertEqual(again.returncode, 0, again)
                self.assertNotIn("torn", again.stdout)
                shutil.rmtree(out)


class Records(CheckCase):

    def test_dump_prints_each_record_as_a_line_of_json(self):
        broker = self.start_broker()
        topic = broker.create_topic("orders")
        as_sent = [{"payload": {"a": [1, 2]}, "headers": {"h": "1"}, "routing_key": "k"}, {"payload_base64": "AAEC"}, {"payload": "\n"}]
        ids = [broker.ok("POST", f"{topic}/publish", fields)["message_id"] for fields in as_sent]
        with broker.connect() as raw:
            body = '{"payload": [1,\r\n2]}'
            raw.send(f"POST {topic}/publish HTTP/1.1\r\nHost: b\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
            ids.append(raw.read_answer().data["message_id"])
        broker.ack(topic, 0, ids[:2])
        self.assertEqual(broker.terminate(), 0)
        lines = [json.loads(line) for line in self.examine(broker.data, 0, "--dump").stdout.splitlines()]
        content = log_bytes.read(self.path(broker.data))
        self.assertEqual([(l["file"], l["offset"]) for l in lines],
                         [("incr-0000000001.log", r.offset) for r in log_bytes.records(content) if r.kind != 15])
        self.assertEqual([next(k for k in l if k not in ("file", "offset")) for l in lines],
                         ["namespace_created", "topic_created"] + ["published"] * 4 + ["acknowledged"])
        messages = [m for l in lines if "published" in l for m in l["published"]["messages"]]
        self.assertEqual([m["id"] for m in messages], ids)
        self.assertEqual([m.get("payload") for m in messages], [{"a": [1, 2]}, None, "\n", [1, 2]])
        self.assertEqual(base64.b64decode(messages[1]["payload_base64"]), b"\0\1\2")
        self.assertEqual(messages[0]["attributes"], {"routing_key": "k", "headers": {"h": "1"}})
        self.assertEqual(lines[-1]["acknowledged"], {"topic": 1, "queue": 0, "ids": ids[:2]})

    def test_dump_goes_on_behind_damage(self):
        folder = self.log_of(5)
        path = self.path(folder)
        content = bytearray(log_bytes.read(path))
        bad = log_bytes.records(content)[3]
        content[bad.end - 1] ^= 1
        log_bytes.write(path, content)
        result = self.examine(folder, 1, "--dump")
        self.assertEqual(len([json.loads(line) for line in result.stdout.splitlines()]), 6)
        self.assertIn(f"offset {bad.offset}", result.stderr)

    def test_explain_tells_one_message_s_history(self):
        broker = self.start_broker()
        topic = broker.create_topic("orders", "production", queue_count=2, max_deliveries=2)
        id_ = broker.publish(topic, "x", queue_id=0)["message_id"]
        other = broker.publish(topic, "y", queue_id=0)["message_id"]
        moved = broker.consume(topic, 1, 1, lease_ms=HOUR)[0]["id"]  # an empty queue steals
        self.assertEqual(moved, other)
        broker.consume(topic, 0, 1, lease_ms=HOUR)
        broker.ok("POST", f"{topic}/queues/0/nack", {"message_ids": [id_], "delay_ms": 1})
        wait_until(lambda: broker.consume(topic, 0, 1, lease_ms=HOUR), "the delay ends")
        broker.ok("POST", f"{topic}/queues/0/nack", {"message_ids": [id_]})
        broker.ok("POST", f"{topic}/dead/redrive")
        broker.ack(topic, 0, [id_])
        self.assertEqual(broker.terminate(), 0)

        said = self.examine(broker.data, 0, "--explain", id_).stdout.splitlines()
        self.assertRegex(said[0], rf"^{id_}, published at \d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{{3}}Z$")
        self.assertEqual(said[-1], "now: gone")
        events = [line.split(": ", 1) for line in said[1:-1]]
        offsets = [int(place.removeprefix("incr-0000000001.log offset ")) for place, _ in events]
        self.assertEqual(offsets, sorted(offsets))
        for (_, told), pattern in zip(events, (
                r"published to queue 0 of production/orders, 3 bytes$", r"leased from queue 0 until .*Z, delivery count 1$",
                r"returned to queue 0.*, delayed until .*Z$", r"leased from queue 0 until .*Z, delivery count 2$",
                r"dead \(max_deliveries\) at .*Z, from queue 0$", r"redriven to queue [01]$",
                r"acknowledged or purged in queue [01]$"), strict=True):
            self.assertRegex(told, pattern)

        said = self.examine(broker.data, 0, "--explain", other.upper()).stdout
        self.assertIn("moved from queue 0 to queue 1\n", said)
        self.assertRegex(said, r"now: leased until .*Z from queue 1 of production/orders\n")
        unknown = other[:-1] + ("0" if other[-1] != "0" else "1")
        self.assertEqual(self.examine(broker.data, 0, "--explain", unknown).stdout, f"this log knows no message {unknown}\n")

    def test_explain_knows_of_deleted_topics(self):
        broker = self.start_broker()
        topic = broker.create_topic("orders")
        id_ = broker.publish(topic, "x")["message_id"]
        broker.ok("DELETE", "/v1/namespaces/test")
        self.assertEqual(broker.terminate(), 0)
        said = self.examine(broker.data, 0, "--explain", id_).stdout
        self.assertRegex(said, r"deleted\nnow: gone\n$")


if __name__ == "__main__":
    unittest.main()
