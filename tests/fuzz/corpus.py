#!/usr/bin/python3
"""Inputs of fuzzers as text, one file for each fuzzer, and as the directories they read.

    tests/fuzz/corpus.py unpack FILE DIRECTORY
    tests/fuzz/corpus.py pack DIRECTORY FILE

A line of FILE is a name, a blank, and the bytes of the input, escaped as in C. The name "+"
stands for an input that the fuzzer found; its file is named by the SHA-1 of its bytes, as
libFuzzer does it. Lines that begin with # are comments; pack keeps those at the top.
"""

import hashlib
import re
import sys
from pathlib import Path

FOUND = "+"
FOUND_FILE = re.compile("[0-9a-f]{40}")
ESCAPES = {"\\": b"\\", "n": b"\n", "r": b"\r", "t": b"\t"}
WRITTEN = {value[0]: f"\\{letter}" for letter, value in ESCAPES.items()}


def escape(data):
    text = "".join(WRITTEN.get(byte) or (chr(byte) if 0x20 <= byte < 0x7F else f"\\x{byte:02x}") for byte in data)
    return re.sub(r" $", r"\\x20", text)  # editors remove blanks at the end of a line


def unescape(text):
    def byte(match):
        digits, letter = match.groups()
        return bytes([int(digits, 16)]) if digits else ESCAPES[letter.decode()]

    return re.sub(rb"\\(?:x([0-9a-f]{2})|(.))", byte, text.encode("ascii"))


def comments(file):
    lines = file.read_text("ascii").splitlines() if file.exists() else []
    return [line for line in lines if line.startswith("#")]


def unpack(file, directory):
    directory.mkdir(parents=True, exist_ok=True)
    for line in file.read_text("ascii").splitlines():
        if line and not line.startswith("#"):
            name, _, text = line.partition(" ")
            data = unescape(text)
            (directory / (hashlib.sha1(data).hexdigest() if name == FOUND else name)).write_bytes(data)


def pack(directory, file):
    found, written = [], []
    for path in sorted(directory.iterdir(), key=lambda path: (len(path.name), path.name)):
        text = escape(path.read_bytes())
        if FOUND_FILE.fullmatch(path.name):
            found.append(text)
        else:
            written.append(f"{path.name} {text}")
    found = [f"{FOUND} {text}" for text in sorted(found, key=lambda text: (len(text), text))]
    lines = [line.rstrip(" ") for line in written + found]
    file.write_text("\n".join(comments(file) + lines) + "\n", "ascii")


def main():
    match sys.argv[1:]:
        case ["unpack", file, directory]:
            unpack(Path(file), Path(directory))
        case ["pack", directory, file]:
            pack(Path(directory), Path(file))
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
