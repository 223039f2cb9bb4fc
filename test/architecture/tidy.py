#!/usr/bin/env python3
"""Runs clang-tidy over the sources that CMake builds. Usage: tidy.py ROOT BUILD CLANG_TIDY [--all]

Headers of CAF, Boost and gRPC cost clang-tidy up to a minute a file: a file that includes one, itself or through a header of
ours, is left out unless --all is given. A clean result is kept in BUILD/tidy under a hash of all that went into it."""
import concurrent.futures
import hashlib
import json
import os
import re
import shlex
import subprocess
import sys

CHECKED = ("actors", "cli", "client", "config", "daemon", "persistence", "protocols", "tools")
COSTLY = re.compile(r"#\s*include\s*<(caf|boost|grpc\w*)/")
OURS = re.compile(r'#\s*include\s*"([^"]+)"')


def sources_behind(root, path):
    """The file and, transitively, the headers of ours that it includes: path -> text."""
    found, todo = {}, [path]
    while todo:
        name = todo.pop()
        if name.startswith("mqlite/"):
            name = f"client/include/{name}"
        if name not in found and os.path.isfile(f"{root}/{name}"):
            with open(f"{root}/{name}", encoding="utf-8") as file:
                found[name] = file.read()
            todo += OURS.findall(found[name])
    return found


def arguments(command):
    """The compiler's arguments without what is for GCC alone: its warnings and precompiled headers."""
    words, kept = iter(shlex.split(command)[1:-1]), []
    for word in words:
        if word in ("-o", "-include"):
            operand = next(words)
            if word == "-include" and "cmake_pch" not in operand:
                kept += [word, operand]
        elif word not in ("-c", "-fpch-preprocess") and not word.startswith("-W"):
            kept.append(word)
    return [*kept, "-w"]


def check(root, kept, clang_tidy, version, path, command):
    """None when clean, else what clang-tidy says."""
    texts = sources_behind(root, path)
    words = arguments(command)
    with open(f"{root}/.clang-tidy", encoding="utf-8") as file:
        key = hashlib.sha256(json.dumps([version, file.read(), words, sorted(texts.items())]).encode()).hexdigest()
    if os.path.exists(f"{kept}/{key}"):
        return None
    result = subprocess.run([clang_tidy, "--quiet", path, "--", *words], cwd=root, capture_output=True, text=True)
    if result.returncode:
        return result.stdout or result.stderr
    open(f"{kept}/{key}", "w", encoding="utf-8").close()
    return None


def main():
    root, build, clang_tidy = (os.path.abspath(a) if os.path.isdir(a) else a for a in sys.argv[1:4])
    kept = f"{build}/tidy"
    os.makedirs(kept, exist_ok=True)
    version = subprocess.run([clang_tidy, "--version"], capture_output=True, text=True, check=True).stdout
    with open(f"{build}/compile_commands.json", encoding="utf-8") as file:
        commands = {os.path.relpath(c["file"], root): c["command"] for c in json.load(file)}
    paths = [p for p in sorted(commands) if p.split("/")[0] in CHECKED]
    if "--all" not in sys.argv:
        paths = [p for p in paths if not any(COSTLY.search(t) for t in sources_behind(root, p).values())]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        found = [f for f in pool.map(lambda p: check(root, kept, clang_tidy, version, p, commands[p]), paths) if f]
    print("\n".join(found) or f"{len(paths)} files are clean")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
