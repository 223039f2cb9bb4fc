"""JSON whose values stay the text they were, so that a payload can be compared byte for byte."""

import json
from json.decoder import scanstring

SPACE = " \t\r\n"


def _refuse(name):
    raise ValueError(name)


_decoder = json.JSONDecoder(parse_constant=_refuse)


def _skip(text, at):
    while at < len(text) and text[at] in SPACE:
        at += 1
    return at


def _value(text, start):
    """The text of the value that starts at `start`, white space around it included, and where it ends."""
    _, at = _decoder.raw_decode(text, _skip(text, start))
    at = _skip(text, at)
    return text[start:at], at


def members(text):
    """{name: text of its value} of an object."""
    found = {}
    at = _skip(text, 0)
    assert text[at] == "{", text[:200]
    at = _skip(text, at + 1)
    while text[at] != "}":
        name, at = scanstring(text, at + 1, True)
        at = _skip(text, at)
        assert text[at] == ":" and name not in found, text[:200]
        found[name], at = _value(text, at + 1)
        assert text[at] in ",}", text[:200]
        at = _skip(text, at + 1) if text[at] == "," else at
    return found


def elements(text):
    """The texts of an array's values."""
    found = []
    at = _skip(text, 0)
    assert text[at] == "[", text[:200]
    at = _skip(text, at + 1)
    while text[at] != "]":
        value, at = _value(text, at)
        found.append(value)
        assert text[at] in ",]", text[:200]
        at = at + 1 if text[at] == "," else at
    return found


def exact(data):
    """The text of bytes that are one JSON value with no white space around it, and no half of a surrogate pair; else None."""
    try:
        text = data.decode()
        if text != text.strip(SPACE):
            return None
        json.dumps(json.loads(text, parse_constant=_refuse), ensure_ascii=False).encode()
        return text
    except (ValueError, RecursionError):
        return None
