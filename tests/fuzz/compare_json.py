#!/usr/bin/python3
"""Compares the project's verdicts on JSON texts, and what it reads from them, with Python's."""

import json
import re

from judge import BATCH, Comparison

MAX_DEPTH = 16
MAX_VALUES = 16384
INT64 = range(-(2**63), 2**63)
SURROGATE = re.compile(r"\\u[dD][89abAB]|\\u[dD][c-fC-F]")


def refuse(_):
    raise ValueError("no JSON")


def members(pairs):
    names = dict(pairs)
    if len(names) != len(pairs) or any("\0" in name for name in names):
        raise ValueError("a name twice, or with U+0000")
    return names


def number(text):
    """json-c keeps integers to 64 bits; those that do not fit are not compared."""
    if len(text) > 20 or int(text) not in INT64:
        return None
    return int(text)


decoder = json.JSONDecoder(
    object_pairs_hook=members,
    parse_constant=refuse,
    parse_int=number,
    parse_float=lambda _: None,
    strict=True,
)
plain_decoder = json.JSONDecoder(parse_float=lambda _: None, parse_int=number)


def measure(value, depth=0):
    """How many values, and how deep."""
    if isinstance(value, dict):
        inner = value.values()
    elif isinstance(value, list):
        inner = value
    else:
        return 1, depth
    values, deepest = 1, depth + 1
    for item in inner:
        more, below = measure(item, depth + 1)
        values += more
        deepest = max(deepest, below)
    return values, deepest


def read(data):
    """The value, or an exception."""
    text = data.decode("utf-8", "strict")
    start = len(text) - len(text.lstrip(" \t\n\r"))
    value, end = decoder.raw_decode(text, start)
    if text[end:].strip(" \t\n\r"):
        raise ValueError("more behind it")
    if SURROGATE.search(text):
        json.dumps(value, ensure_ascii=False).encode("utf-8", "strict")
    values, depth = measure(value)
    if values > MAX_VALUES or depth > MAX_DEPTH:
        raise ValueError("beyond the limits")
    return value


def same(ours, theirs):
    """Whether json-c read the same; None stands for a number that is not compared."""
    if theirs is None:
        return ours is None or isinstance(ours, (int, float))
    if isinstance(theirs, dict):
        return ours.keys() == theirs.keys() and all(
            same(ours[name], theirs[name]) for name in theirs
        )
    if isinstance(theirs, list):
        return len(ours) == len(theirs) and all(map(same, ours, theirs))
    return type(ours) is type(theirs) and ours == theirs


PIECES = [
    *(bytes([c]) for c in b'{}[],:"\\/+-.eEuU0123456789abftnrl \t\n\r\x00\x1f\x7f'),
    b"true",
    b"false",
    b"null",
    b"NaN",
    b"Infinity",
    b"-Infinity",
    b"-0",
    b"1e400",
    b"9223372036854775807",
    b"9223372036854775808",
    b"-9223372036854775809",
    b"1.5E+10",
    b"0.",
    b"01",
    b"'a'",
    b"/**/",
    b'""',
    b'"a":',
    b'"\\u0061":',
    b'"\\u0000":',
    b"\\u0000",
    b"\\ud800",
    b"\\udc00",
    b"\\ud83d\\ude00",
    b"\\uDBFF\\uDFFF",
    b"\\ufeff",
    b"\\u00",
    b"\\x41",
    b'\\"',
    b"\\\\",
    b"\xef\xbb\xbf",
    b"\xc0\x80",
    b"\xc3\xa4",
    b"\xc3",
    b"\xed\xa0\x80",
    b"\xf0\x9f\x98\x80",
    b"\xf4\x90\x80\x80",
    b"\xf5\x80\x80\x80",
    b"\xe0\x80\x80",
    b"\xff\xfe",
    b"\xc2\x85",
    b"\xe2\x80\xa8",
]
NAMES = ["a", "b", "ab", "\u00e4", "\U0001f600", "", "api_key", "note", '"', "\\", "\n", "\0"]
SCALARS = [True, False, None, 0, -1, 1.5, 10**20, "", "x", "\0", "\u00e4\n", "\U0001f600"]


def make_value(random, depth):
    kind = random.random()
    if depth == 0 or kind < 0.4:
        return random.choice(SCALARS)
    if kind < 0.5:
        return "".join(random.choices(NAMES, k=random.randrange(4)))
    if kind < 0.65:
        return [make_value(random, depth - 1) for _ in range(random.randrange(4))]
    return {
        random.choice(NAMES) * random.randrange(1, 3): make_value(random, depth - 1)
        for _ in range(random.randrange(1, 5))
    }


def make_text(random):
    value = {"api_key": make_value(random, 3), random.choice(NAMES): make_value(random, 2)}
    if random.random() < 0.2:
        value = make_value(random, 3)
    space = random.choice([None, None, 1])
    return json.dumps(value, ensure_ascii=random.random() < 0.5, indent=space).encode()


def make_nested(random):
    """Around the greatest depth."""
    depth = MAX_DEPTH + random.randrange(-2, 3)
    opening = [random.choice(["[", '{"a":']) for _ in range(depth)]
    closing = ["]" if piece == "[" else "}" for piece in reversed(opening)]
    inside = [] if opening[-1] != "[" and random.random() < 0.1 else ["1"]
    return "".join(opening + inside + closing).encode()


def make_large(random):
    """Around the greatest number of values."""
    count = MAX_VALUES + random.randrange(-2, 2)
    if random.random() < 0.5:
        return b"[" + b",".join([b"[]"] * count) + b"]"
    names = [b'"%x":0' % i for i in range(count)]
    if random.random() < 0.3:
        names[random.randrange(count)] = names[random.randrange(count)]
    return b"{" + b",".join(names) + b"}"


def make_members(random):
    """Many members: beyond what is compared each with each; sometimes one comes twice."""
    names = [b'"n%d":1' % i for i in range(random.randrange(12, 80))]
    if random.random() < 0.5:
        twice = b'"\\u006e%d":2' % random.randrange(len(names))
        names.insert(random.randrange(len(names)), twice)
    return b"{" + b", ".join(names) + b"}"


def mutate(random, text):
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        at = random.randrange(len(text) + 1)
        what = random.random()
        if what < 0.5:
            text = text[:at] + random.choice(PIECES) + text[at:]
        elif what < 0.7:
            text = text[:at] + random.choice(PIECES) + text[at + 1 :]
        elif what < 0.85:
            text = text[:at] + text[at + random.randrange(1, 4) :]
        elif what < 0.95:
            end = at + random.randrange(1, 20)
            text = text[:end] + text[at:]
        else:
            text = text[:at]
    return text


def make_input(random, bases):
    what = random.random()
    if what < 0.7:
        return mutate(random, random.choice(bases))
    if what < 0.9:
        bases[random.randrange(len(bases))] = text = make_text(random)
        return text
    if what < 0.94:
        return make_nested(random)
    if what < 0.97:
        return make_members(random)
    return b"".join(random.choices(PIECES, k=random.randrange(8)))


def main():
    comparison = Comparison("compare_json")
    random = comparison.random

    def check(data, answer):
        try:
            value = read(data)
        except ValueError:
            return None if answer == b"broken" else "Python refuses it"
        if not isinstance(value, dict):
            return None if answer == b"other" else "Python reads something else than an object"
        if not answer.startswith(b"object"):
            return "Python reads an object"
        comparison.accepted += 1
        ours = plain_decoder.decode(answer[len(b"object") :].decode("utf-8", "strict"))
        return None if same(ours, value) else "Python reads another value"

    bases = [make_text(random) for _ in range(200)]
    while comparison.goes_on():
        inputs = [make_input(random, bases) for _ in range(BATCH)]
        inputs += [make_large(random) for _ in range(2)]
        comparison.compare("json", inputs, check)
    comparison.finish()


main()
