"""A torn log is cut with a warning, a damaged one is refused; so are folders and ports that cannot be used."""

import os
import random
import shutil
import socket
import subprocess
import unittest

import log_bytes
from harness import BrokerCase, run

HOUR = 3_600_000


class DamagedLog(BrokerCase):

    def log_of(self, count):
        """A killed broker whose log holds a topic and `count` messages, each in a record of its own, and the newest log file."""
        broker = self.start_broker()
        topic = broker.create_topic("orders")
        with broker.client() as client:
            for n in range(count):
                client.request("POST", f"{topic}/publish", {"payload": n})
        broker.kill()
        return broker, topic, self.newest(broker.data)

    @staticmethod
    def newest(folder):
        return max((os.path.join(folder, f) for f in os.listdir(folder) if f.endswith(".log")), key=os.path.getmtime)

    @staticmethod
    def used(path):
        """The size without the zeros that a log may have been given in advance."""
        with open(path, "rb") as file:
            return len(file.read().rstrip(b"\0"))

    def copy_of(self, broker, path):
        """A broker on a copy of the folder, and the copy of the file."""
        folder = self.temporary_folder()
        shutil.copytree(broker.data, os.path.join(folder, "data"))
        return self.new_broker(folder=folder), os.path.join(folder, "data", os.path.basename(path))

    def test_a_torn_tail_is_cut_with_a_warning(self):
        broker, topic, path = self.log_of(30)
        size = self.used(path)
        fewest = 30
        for cut in (1, 2, 3, 5, 9, 17, 33, 65, 129, 257):
            with self.subTest(cut=cut):
                torn, file = self.copy_of(broker, path)
                os.truncate(file, size - cut)
                torn.start()
                payloads = [m["payload"] for m in torn.consume(topic, 0, 100, lease_ms=HOUR)]
                self.assertLess(len(payloads), 30)
                self.assertLessEqual(len(payloads), fewest)
                fewest = len(payloads)
                self.assertEqual(payloads, list(range(fewest)))
                if cut < 5:  # no record is so short: this cut is inside one
                    self.assertRegex(torn.wait_for_line(os.path.basename(file)), r"(?i)warn")
                torn.publish(topic, "after")
                torn.kill()
                torn.start()
                self.assertEqual([m["payload"] for m in torn.consume(topic, 0, 100)], ["after"])
        self.assertGreater(fewest, 5)

    def test_half_a_record_or_noise_behind_the_last_one_is_a_torn_tail(self):
        broker, topic, path = self.log_of(10)
        size = self.used(path)
        with open(path, "rb") as file:
            record = file.read(size)[-30:]
        for tail in (b"\0" * 5000, b"\xff", b"\xff" * 100, record[:7], random.Random(1).randbytes(64)):
            with self.subTest(tail=tail[:20]):
                torn, file = self.copy_of(broker, path)
                os.truncate(file, size)
                with open(file, "ab") as log:
                    log.write(tail)
                torn.start()
                self.assertEqual([m["payload"] for m in torn.consume(topic, 0, 100)], list(range(10)))

    def assert_refused(self, broker, path, *words):
        before = {name: self.content(broker.data, name) for name in os.listdir(broker.data) if name != "lock"}
        result = run("--persistence.aof.dir", broker.data, "--server.http.port", 0, "--server.grpc.port", 0,
                     "--server.tcp.port", 0, "--server.caf.port", 0)
        self.assertEqual(result.returncode, 1, result.stderr)
        lines = [line for line in result.stderr.splitlines() if os.path.basename(path) in line]
        self.assertEqual(len(lines), 1, result.stderr)
        for word in words:
            self.assertIn(word, lines[0])
        self.assertNotIn("is ready", result.stderr)
        after = {name: self.content(broker.data, name) for name in os.listdir(broker.data) if name != "lock"}
        self.assertEqual(after, before, "a refused folder was changed")
        return lines[0]

    @staticmethod
    def content(folder, name):
        with open(os.path.join(folder, name), "rb") as file:
            return file.read()

    def test_damage_with_good_records_behind_it_refuses_the_start(self):
        broker, _, path = self.log_of(40)
        with open(path, "rb") as file:
            content = bytearray(file.read())
        used = self.used(path)
        # Every part of two records (their lengths, checksums, bodies) and places all over the first half.
        places = [used // 4 + n for n in range(0, 60, 2)] + list(range(60, used // 2, 97))
        for place in places:
            for flip in (0x01, 0x80):
                with self.subTest(place=place, flip=flip):
                    content[place] ^= flip
                    with open(path, "wb") as file:
                        file.write(content)
                    content[place] ^= flip
                    line = self.assert_refused(broker, path, path, "offset", "mqlite_check --repair")
                    self.assertRegex(line, r"offset \d+")

    def test_a_hole_in_the_middle_refuses_the_start(self):
        broker, _, path = self.log_of(40)
        content = self.content(broker.data, os.path.basename(path))
        used = self.used(path)
        for start, end in ((used // 3, used // 3 + 13), (used // 3, used // 2)):
            for filler in (b"", b"\0" * (end - start)):
                with self.subTest(start=start, end=end, filler=bool(filler)):
                    with open(path, "wb") as file:
                        file.write(content[:start] + filler + content[end:])
                    self.assert_refused(broker, path, "offset", "mqlite_check --repair")

    def test_a_file_that_is_no_log_refuses_the_start(self):
        broker, _, path = self.log_of(5)
        content = self.content(broker.data, os.path.basename(path))
        with open(path, "wb") as file:
            file.write(b"X" + content[1:])
        self.assert_refused(broker, path)

    def test_a_missing_log_file_refuses_the_start(self):
        broker, _, path = self.log_of(5)
        os.remove(path)
        self.assert_refused(broker, path)

    def test_a_newer_format_version_refuses_the_start_and_is_named(self):
        broker, _, path = self.log_of(5)
        # The head of a file: 8 bytes of magic, the version, the checksum of both.
        for version in (3, 4, 0x7FFFFFFF):
            head = self.content(broker.data, os.path.basename(path))[:8] + version.to_bytes(4, "little")
            head += log_bytes.crc32c(head).to_bytes(4, "little")
            with open(path, "r+b") as file:
                file.write(head)
            self.assert_refused(broker, path, "format", str(version))

    def test_a_damaged_manifest_refuses_the_start(self):
        broker, _, _ = self.log_of(5)
        manifest = os.path.join(broker.data, "manifest")
        content = self.content(broker.data, "manifest")
        for damaged in (b"", content[:-1], content[:10], b"X" + content[1:], content.replace(b"incr", b"base"), b"\0" * len(content)):
            with self.subTest(damaged=damaged):
                with open(manifest, "wb") as file:
                    file.write(damaged)
                self.assert_refused(broker, manifest)

    def test_a_missing_manifest_beside_logs_refuses_the_start(self):
        broker, _, _ = self.log_of(5)
        manifest = os.path.join(broker.data, "manifest")
        os.remove(manifest)
        self.assert_refused(broker, manifest)

    def test_an_empty_log_file_refuses_the_start(self):
        broker, _, path = self.log_of(5)
        os.truncate(path, 0)
        self.assert_refused(broker, path, "the file is empty", "mqlite_check --repair")

    def test_a_clock_that_was_set_back_is_warned_about_and_ids_go_on_rising(self):
        broker, topic, path = self.log_of(3)
        content = log_bytes.read(path)
        records = []
        for record in log_bytes.records(content):
            body = record.body
            if record.kind == 6:  # published: the id is the message's first field, and begins with the time
                at = body.index(b"\x0a\x10") + 2
                later = int.from_bytes(body[at:at + 6], "big") + HOUR
                body = body[:at] + later.to_bytes(6, "big") + body[at + 6:]
            records.append(log_bytes.framed(body, log_bytes.salt_of(content)))
        log_bytes.write(path, content[:log_bytes.HEADER] + b"".join(records))
        broker.start()
        self.assertRegex(broker.wait_for_line("the clock is 3[56]\\d\\d s behind the newest message"), "(?i)warn")
        ids = [m["id"] for m in broker.ok("GET", f"{topic}/queues/0/messages")]
        ids.append(broker.publish(topic, "new")["message_id"])
        self.assertEqual(ids, sorted(set(ids)))
        self.assertEqual([m["payload"] for m in broker.consume(topic, 0, 10)], [0, 1, 2, "new"])

    def test_a_log_of_format_1_is_read_and_gone_on_with(self):
        broker = self.new_broker()
        shutil.copytree(os.path.join(os.path.dirname(os.path.abspath(__file__)), "log_of_format_1"), broker.data)
        broker.start()
        topic = "/v1/namespaces/production/topics/orders"
        self.assertNotIn("warn", broker.log.lower())
        for n in range(2):
            info = broker.ok("GET", topic)
            self.assertEqual((info["queue_count"], info["settings"]["max_deliveries"], info["dead"]), (2, 2, 1))
            self.assertEqual([(q["ready"], q["leased"], q["delayed"]) for q in info["queues"]], [(1, 1, 1), (1 + n, 0, 0)])
            self.assertEqual([m["payload"] for m in broker.ok("GET", f"{topic}/queues/1/messages")][:1], [{"n": 3}])
            broker.publish(topic, "new", queue_id=1)
            broker.kill()
            broker.start()


class Refusals(BrokerCase):

    def assert_one_line(self, result, *words):
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertEqual(len(result.stderr.splitlines()), 1, result.stderr)
        for word in words:
            self.assertIn(str(word), result.stderr)

    def refused(self, folder, port=0):
        return run("--persistence.aof.dir", folder, "--server.http.port", port, "--server.grpc.port", 0,
                   "--server.tcp.port", 0, "--server.caf.port", 0)

    def test_a_second_broker_on_a_folder_is_refused_and_the_first_goes_on(self):
        broker = self.start_broker()
        topic = broker.create_topic("orders")
        broker.publish(topic, 1)
        self.assert_one_line(self.refused(broker.data), broker.data)
        broker.publish(topic, 2)
        broker.kill()
        broker.start()
        self.assertEqual([m["payload"] for m in broker.consume(topic, 0, 10)], [1, 2])

    def test_a_folder_that_cannot_be_made_is_named(self):
        self.assert_one_line(self.refused("/proc/mqlite"), "/proc/mqlite")

    def test_a_folder_that_is_a_file_is_named(self):
        path = os.path.join(self.temporary_folder(), "file")
        with open(path, "w", encoding="utf-8"):
            pass
        self.assert_one_line(self.refused(path), path)
        self.assert_one_line(self.refused(f"{path}/below"), path)

    @unittest.skipIf(os.geteuid() == 0, "the superuser may write everywhere")
    def test_a_folder_without_permission_is_named(self):
        folder = self.temporary_folder()
        os.chmod(folder, 0o500)
        self.assert_one_line(self.refused(folder), folder)

    def test_a_folder_that_is_read_only_is_named_and_left_alone(self):
        disk = self.temporary_folder()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "tmpfs", disk], capture_output=True, text=True)
        if mounted.returncode:
            self.skipTest("file systems cannot be mounted here: " + mounted.stderr.strip())
        self.addCleanup(subprocess.run, ["umount", "--lazy", disk], check=True)
        broker = self.new_broker()
        broker.data = os.path.join(disk, "data")
        topic = broker.start().create_topic("orders")
        broker.publish(topic, 1)
        self.assertEqual(broker.terminate(), 0)
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        before = log_bytes.snapshot(broker.data)
        self.assert_one_line(self.refused(broker.data), broker.data, "Read-only file system")
        self.assertEqual(log_bytes.snapshot(broker.data), before)
        subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
        broker.start()
        self.assertEqual([m["payload"] for m in broker.consume(topic, 0, 10)], [1])

    def test_a_port_in_use_is_named(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            folder = os.path.join(self.temporary_folder(), "data")
            self.assert_one_line(self.refused(folder, port), port)
        broker = self.start_broker(folder=os.path.dirname(folder))
        self.assertEqual(broker.get("/health").status, 200)

    def test_folders_are_made_with_their_parents(self):
        broker = self.new_broker()
        broker.data = os.path.join(broker.folder, "a", "b", "c")
        broker.start()
        broker.publish(broker.create_topic("orders"), 1)
        self.assertEqual(broker.terminate(), 0)
        self.assertTrue(os.path.isfile(os.path.join(broker.data, "manifest")))


if __name__ == "__main__":
    unittest.main()
