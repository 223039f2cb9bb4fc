#!/usr/bin/env python3
"""Feeds every rule a file that breaks it, and one that does not."""
import os
import subprocess
import sys
import tempfile
import unittest

from rules import RULES

HERE = os.path.dirname(os.path.abspath(__file__))
FOLDERS = ("config", "persistence", "actors", "protocols", "client", "daemon")


def check(group, path, text):
    """Runs the check as CTest does, over a tree of one file."""
    with tempfile.TemporaryDirectory() as root:
        os.makedirs(os.path.join(root, os.path.dirname(path)))
        with open(os.path.join(root, path), "w", encoding="utf-8") as file:
            file.write(text)
        return subprocess.run([sys.executable, f"{HERE}/rules.py", root, group], capture_output=True, text=True)


class RulesTest(unittest.TestCase):
    def test_every_rule_finds_the_line_that_breaks_it(self):
        for group, rules in RULES.items():
            for rule in rules:
                folder = next((f for f in FOLDERS if rule.files.startswith(f + "/")), "daemon")
                with self.subTest(folder=folder, violation=rule.violation):
                    result = check(group, f"{folder}/file.hpp", f"#pragma once\n{rule.violation}\n")
                    self.assertEqual(result.returncode, 1)
                    self.assertIn(f"{folder}/file.hpp:2: {rule.because}", result.stdout)

    def test_lines_that_are_allowed_pass(self):
        text = "#include <string>\n// never caf::actor\ncaf::actor_system& system();\n"
        for group in RULES:
            for folder in FOLDERS:
                with self.subTest(group=group, folder=folder):
                    self.assertEqual(check(group, f"{folder}/file.hpp", text).returncode, 0)

    def test_the_one_place_for_versions_of_caf_is_allowed_them(self):
        self.assertEqual(check("includes", "actors/compat.hpp", "#if CAF_VERSION >= 10000\n").returncode, 0)


if __name__ == "__main__":
    unittest.main()
