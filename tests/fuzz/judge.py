"""What the compare_*.py programs share: questions to the judge, counters, reports."""

import argparse
import os
import random
import struct
import subprocess
import sys
import time

BATCH = 4000


def ask(program, what, inputs):
    """The judge's answers to a list of bytes, in their order."""
    asked = b"".join(struct.pack("<I", len(text)) + text for text in inputs)
    done = subprocess.run([program, what], input=asked, stdout=subprocess.PIPE)
    if done.returncode != 0:
        return None
    answers, at = [], 0
    while at < len(done.stdout):
        (size,) = struct.unpack_from("<I", done.stdout, at)
        answers.append(done.stdout[at + 4 : at + 4 + size])
        at += 4 + size
    return answers


class Comparison:
    """Runs until the time is over or an input is found on which the two do not agree."""

    def __init__(self, name):
        parser = argparse.ArgumentParser(description=sys.modules["__main__"].__doc__)
        parser.add_argument("--judge", default="build-fuzz/tests/fuzz/judge")
        parser.add_argument("--seconds", type=float, default=20)
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--findings", default=".", help="directory for inputs")
        self.options = parser.parse_args()
        self.name = name
        self.random = random.Random(self.options.seed)
        self.count = 0
        self.accepted = 0
        self.began = time.monotonic()

    def goes_on(self):
        return time.monotonic() - self.began < self.options.seconds

    def compare(self, what, inputs, check):
        """check(input, answer) returns what is wrong, or None; and counts what is good."""
        answers = ask(self.options.judge, what, inputs)
        if answers is None:
            self.find_crash(what, inputs)
        assert len(answers) == len(inputs)
        for text, answer in zip(inputs, answers):
            wrong = check(text, answer)
            if wrong is not None:
                self.fail(what, text, f"{wrong}; the judge said {answer[:300]!r}")
        self.count += len(inputs)

    def find_crash(self, what, inputs):
        for text in inputs:
            if ask(self.options.judge, what, [text]) is None:
                self.fail(what, text, "the judge crashed")
        self.fail(what, b"", "the judge crashed, but on no single input")

    def fail(self, what, text, sentence):
        path = os.path.join(self.options.findings, f"{self.name}-{what}-finding")
        with open(path, "wb") as file:
            file.write(text)
        print(f"{self.name}: seed {self.options.seed}: {sentence}")
        print(f"{self.name}: FAILED on {text[:300]!r}\n{path}")
        sys.exit(1)

    def finish(self):
        seconds = time.monotonic() - self.began
        if self.accepted == 0:
            print(f"{self.name}: no input was good: this compares nothing")
            sys.exit(1)
        print(
            f"{self.name}: {self.count} inputs ({self.accepted} good), "
            f"{self.count / seconds:.0f}/s, seed {self.options.seed}, all alike"
        )
