"""The README's blocks that talk to a broker, run as they are printed: only ports, and the folder of backups, are others.

Each section has a broker of its own, with the topic production/orders where the section does not create it; and so has each block that
creates a namespace. Every command must succeed, and an answer that is printed in a comment behind its command must be the one that
came, but for ids, times and large numbers.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import unittest

from harness import DEADLINE, SOURCE, BrokerCase, base_environment

HERE = os.path.dirname(os.path.abspath(__file__))
PORTS = {"8080": "http", "7070": "tcp", "9090": "grpc"}
CREATES = re.compile(r"create_namespace|CreateNamespace|POST http://localhost:8080/v1/namespaces \\$", re.MULTILINE)
TALKS = re.compile(r'localhost(:|", )(' + "|".join(PORTS) + r")\b")
ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(#\d+)?")


def sections():
    """[(heading, [(language, text)])]: the sections that have blocks which talk to a broker."""
    found = [("", [])]
    block = None
    with open(os.path.join(SOURCE, "README.md"), encoding="utf-8") as file:
        for line in file:
            if block is None and line.startswith("#"):
                found.append((line.strip("# \n"), []))
            elif block is None and line.startswith("```"):
                block = (line[3:].strip(), [])
            elif line.startswith("```"):
                found[-1][1].append((block[0], "".join(block[1])))
                block = None
            elif block is not None:
                block[1].append(line)
    found = [(heading, [b for b in blocks if b[0] in ("bash", "python") and TALKS.search(b[1])]) for heading, blocks in found]
    return [(heading, blocks) for heading, blocks in found if blocks]


def printed_answers(text):
    """For each curl or grpcurl of a block the lines of comment behind it."""
    answers = []
    for line in text.split("\n"):
        if re.match(r"(curl|grpcurl) ", line):
            answers.append([])
        elif line.startswith("# ") and answers:
            answers[-1].append(line[2:])
    return answers


def parse_printed(lines):
    """The JSON of an answer that is printed over several lines, with remarks behind it."""
    text = "".join(line.strip() for line in lines)
    return json.JSONDecoder().raw_decode(text)[0]


def likeness(value):
    """The value without what differs from run to run."""
    if isinstance(value, dict):
        return {name: likeness(member) for name, member in value.items()}
    if isinstance(value, list):
        return [likeness(element) for element in value]
    if isinstance(value, str):
        return ID.sub("<id>", value)
    if isinstance(value, int) and value > 10**6:
        return "<large>"
    return value


class Readme(BrokerCase):
    def test_every_block_does_what_it_says(self):
        found = sections()
        languages = [language for _, blocks in found for language, _ in blocks]
        self.assertGreater(languages.count("bash"), 5)
        self.assertGreater(languages.count("python"), 0)
        for heading, blocks in found:
            self.broker = None
            for language, text in blocks:
                with self.subTest(heading=heading, block=text[:60]):
                    self.prepare(CREATES.search(text))
                    text = self.with_places(text)
                    self.run_bash(text) if language == "bash" else self.run_python(text)
            self.broker.close()

    def prepare(self, creates):
        """A broker and a folder: new ones at the start of a section, and where the block creates what it needs."""
        if self.broker is not None and not creates:
            return
        if self.broker is not None:
            self.broker.close()
        self.broker = self.start_broker()
        self.folder = self.temporary_folder()
        if not creates:
            self.broker.create_topic("orders", "production", queue_count=3)

    def with_places(self, text):
        text = TALKS.sub(lambda m: f"localhost{m[1]}{self.broker.ports[PORTS[m[2]]]}", text)
        return text.replace("/backups", self.folder)

    def run_python(self, text):
        done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, timeout=DEADLINE)
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = done.stdout.splitlines()
        self.assertEqual(len(lines), text.count("print("))
        for line in lines:
            self.assertRegex(line, r"""^\{'status': 'ok'""")

    def run_bash(self, text):
        printed = printed_answers(text)
        self.put_stand_ins(printed)
        environment = base_environment() | {"PATH": f"{self.folder}:{os.environ['PATH']}", "MQLITE_REAL_CURL": shutil.which("curl"),
                                            "MQLITE_SOURCE": SOURCE}
        done = subprocess.run(["bash", "-c", text], env=environment, cwd=self.folder, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=10 * DEADLINE)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        with open(os.path.join(self.folder, "log"), encoding="utf-8") as file:
            answers = [json.loads(line) for line in file]
        self.assertEqual(len(answers), len(printed), answers)
        for answer, lines in zip(answers, printed):
            self.check(answer, lines)

    def put_stand_ins(self, printed):
        """Puts curl and grpcurl, and the notes that they need, into the folder."""
        open(os.path.join(self.folder, "log"), "w", encoding="utf-8").close()
        with open(os.path.join(self.folder, "printed"), "w", encoding="utf-8") as file:
            json.dump(["\n".join(lines) for lines in printed], file)
        for name in ("curl", "grpcurl"):
            path = os.path.join(self.folder, name)
            with open(path, "w", encoding="utf-8") as file:
                file.write(f'#!/bin/sh\nexec {sys.executable} {HERE}/readme_commands.py {self.folder} {name} "$@"\n')
            os.chmod(path, 0o755)

    def check(self, answer, lines):
        """The command has succeeded, with the answer that is printed behind it, if there is one."""
        self.assertEqual(answer["status"], 0, answer)
        output = answer["output"]
        if output.startswith('{"success":'):
            said = json.loads(output)
            # A backup may meet the rewrite that was asked for just before.
            self.assertTrue(said["success"] or "rewrite" in said["message"], output)
        if not lines:
            return
        if lines[0].startswith("event:"):
            for line in lines:
                self.assertIn(line.split(":")[0] + ":", output)
        elif lines[0].startswith("{"):
            self.assertEqual(likeness(json.loads(output)), likeness(parse_printed(lines)))


if __name__ == "__main__":
    unittest.main()
