#!/usr/bin/env python3
"""Checks that all C++ is formatted as .clang-format says. Usage: format.py ROOT CLANG_FORMAT"""
import subprocess
import sys

from source_files import source_files

root, clang_format = sys.argv[1:]
files = [f for f in source_files(root) if f.endswith((".cpp", ".hpp"))]
result = subprocess.run([clang_format, "--dry-run", "-Werror", "--ferror-limit=1", *files], cwd=root, capture_output=True,
                        text=True)
unformatted = [line.split(":")[0] for line in result.stderr.splitlines() if "error: code should be clang-formatted" in line]
if unformatted:
    print("mend with: clang-format -i", *unformatted)
elif result.returncode:
    print(result.stderr)
sys.exit(result.returncode)
