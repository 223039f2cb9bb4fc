"""What stands for curl and grpcurl while the README's blocks run: `readme_commands.py FOLDER PROGRAM [argument]...` runs the real curl
(or grpcurl.py) and appends a line of JSON to FOLDER/log: {"program", "status", "output"}. FOLDER/printed has the answers that are
printed behind the commands, as an array of texts: a message id in one of them becomes, in later commands, the id that came in its
place (FOLDER/ids). A `curl -N`, which does not end by itself, is ended once it has shown an event, or none for a while.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
DEADLINE = 60
QUIET = 3
ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Notes:
    """The files of FOLDER."""

    def __init__(self, folder):
        self.folder = folder
        self.ids = self.read("ids", {})

    def path(self, name):
        return os.path.join(self.folder, name)

    def read(self, name, otherwise):
        try:
            with open(self.path(name), encoding="utf-8") as file:
                return json.load(file)
        except FileNotFoundError:
            return otherwise

    def with_real_ids(self, text):
        return ID.sub(lambda found: self.ids.get(found[0], found[0]), text)

    def learn_ids(self, output):
        """After a command: which ids stand for those that are printed behind it."""
        with open(self.path("log"), encoding="utf-8") as file:
            number = len(file.readlines())
        printed, real = ID.findall(self.read("printed", [])[number]), ID.findall(output)
        if len(printed) == len(real):
            self.ids |= zip(printed, real)
        with open(self.path("ids"), "w", encoding="utf-8") as file:
            json.dump(self.ids, file)

    def log(self, **fields):
        with open(self.path("log"), "a", encoding="utf-8") as file:
            file.write(json.dumps(fields) + "\n")


def run_to_the_end(command):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=DEADLINE)
    return done.returncode, done.stdout or done.stderr


def run_for_an_event(command):
    """The status is 0 when the stream began, and was still going on when it was ended."""
    with tempfile.NamedTemporaryFile() as head, tempfile.TemporaryFile() as body:
        process = subprocess.Popen([*command, "-D", head.name], stdin=subprocess.DEVNULL, stdout=body, stderr=subprocess.STDOUT)
        end = time.monotonic() + DEADLINE
        begun = False
        while time.monotonic() < end and process.poll() is None:
            with open(head.name, "rb") as file:
                if not begun and b"\r\n\r\n" in file.read():
                    begun = True
                    end = time.monotonic() + QUIET
            body.seek(0)
            if b"\n\n" in body.read():
                break
            time.sleep(0.02)
        status = process.poll()
        process.terminate()
        process.wait()
        body.seek(0)
        return (0 if begun and status is None else status or 1), body.read().decode()


def main():
    folder, program, *arguments = sys.argv[1:]
    notes = Notes(folder)
    arguments = [notes.with_real_ids(argument) for argument in arguments]
    if program == "grpcurl":
        status, output = run_to_the_end([sys.executable, os.path.join(HERE, "grpcurl.py"), *arguments])
    else:
        command = [os.environ["MQLITE_REAL_CURL"], "-sS", *arguments]
        status, output = run_for_an_event(command) if "-N" in arguments else run_to_the_end(command)
    notes.learn_ids(output)
    notes.log(program=program, status=status, output=output)
    print(output)
    return status


if __name__ == "__main__":
    sys.exit(main())
