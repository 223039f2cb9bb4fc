#!/usr/bin/env python3
"""Checks what may stand where. Usage: rules.py ROOT GROUP. Each rule is one line of a table; exit 1 names every violation."""
import re
import sys
from typing import NamedTuple

from source_files import source_files

CODE = r".*\.(cpp|hpp)$"


class Rule(NamedTuple):
    files: str      # whole paths, as a regular expression
    forbids: str    # what no line of them may match
    because: str
    violation: str  # a line that breaks the rule, for the rules' own test


def include(what):
    return r'#\s*include\s*[<"](' + what + ")"


RULES = {
    "includes": [
        Rule("config/.*", include("(actors|cli|client|daemon|persistence|proto|protocols|tools)/"),
             "config is a leaf", '#include "actors/message.hpp"'),
        Rule("persistence/.*", include("caf/|grpc|boost/"),
             "persistence knows bytes and files alone", "#include <caf/all.hpp>"),
        Rule("persistence/.*", include("(actors|cli|client|daemon|protocols)/"),
             "persistence is below the actors", '#include "actors/messages.hpp"'),
        Rule("actors/.*", include("grpc|boost/(asio|beast|json)"),
             "actors know no front end's library", "#include <boost/asio/post.hpp>"),
        Rule("actors/.*", include("(cli|client|daemon|protocols)/"),
             "actors are below the protocols", '#include "protocols/http/router.hpp"'),
        Rule("actors/.*", r"std::\w*mutex\b|std::condition_variable|" + include(r"(shared_)?mutex>|condition_variable>"),
             "actors share nothing and never block", "std::mutex guard_;"),
        Rule("protocols/.*", include("(cli|daemon)/"),
             "protocols are below the programs", '#include "daemon/logging.hpp"'),
        Rule("client/.*", include("grpc|boost/"),
             "the client package needs neither gRPC nor Boost", "#include <grpcpp/grpcpp.h>"),
        Rule(r"(?!actors/compat\.hpp$)" + CODE, r"\bCAF_VERSION\b",
             "only actors/compat.hpp knows versions of CAF", "#if CAF_VERSION >= 10000"),
        Rule(CODE, r"\bcaf::actor\b(?!_)",
             "typed handles only", "void tell(const caf::actor& peer);"),
    ],
    "text": [
        Rule(".*", r"\b(TO[D]O|FIX[M]E|XX[X])\b", "finished work carries no marks", "// TO" + "DO: later"),
        Rule(".*", r"(?<![\w.~-])/(wor[k]|roo[t]|hom[e])/", "no path of one machine", "see /wor" + "k/notes"),
    ],
}


def violations(root, rules):
    """Yields `path:line: reason: text` for each line that breaks a rule; a comment may name what code may not."""
    for path in source_files(root):
        applying = [rule for rule in rules if re.fullmatch(rule.files, path)]
        if not applying:
            continue
        try:
            with open(f"{root}/{path}", encoding="utf-8") as file:
                lines = file.read().splitlines()
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(lines, 1):
            code = line.split("//")[0] if rules is RULES["includes"] else line
            for rule in applying:
                if re.search(rule.forbids, code):
                    yield f"{path}:{number}: {rule.because}: {line.strip()}"


def main():
    found = list(violations(sys.argv[1], RULES[sys.argv[2]]))
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
