"""The TCP door as programs in other languages speak to it, with nothing but a socket: the scripts of foreign/."""

import json
import os
import shutil
import subprocess
import unittest

from harness import DEADLINE, SharedBrokerCase, wait_until

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "foreign")


class Foreign(SharedBrokerCase):
    def run_script(self, program, script):
        """What the script printed, sorted into answers by action and events."""
        if shutil.which(program) is None:
            self.skipTest(f"there is no {program}")
        self.path = self.topic()
        done = subprocess.run([program, os.path.join(FOLDER, script), str(self.broker.ports["tcp"]), self.namespace],
                              capture_output=True, text=True, timeout=DEADLINE)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        frames = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual([f["status"] for f in frames], ["ok"] * 6, frames)
        return [f for f in frames if "event" not in f], [f for f in frames if "event" in f]

    def check(self, program, script):
        answers, events = self.run_script(program, script)
        self.assertEqual([a["id"] for a in answers], ["publish", "consume", "ack", "subscribe", "publish"])
        message, = answers[1]["data"]
        self.assertEqual((message["payload"], message["headers"]), ({"text": "ä€😀", "number": 1.5}, {"from": "elsewhere"}))
        self.assertEqual(message["id"], answers[0]["data"]["message_id"])
        self.assertEqual(answers[2]["data"], {"acknowledged": 1, "unknown": [], "stale": []})
        self.assertEqual([(e["event"], e["data"]["payload"]) for e in events], [("message", "pushed")])
        queue = wait_until(lambda: (found := self.broker.ok("GET", self.path)["queues"][0])["consumers"] == 0 and found, "it is gone")
        self.assertEqual((queue["ready"], queue["leased"]), (0, 0))

    def test_javascript(self):
        self.check("node", "frames.js")

    def test_perl(self):
        self.check("perl", "frames.pl")


if __name__ == "__main__":
    unittest.main()
