"""
Hypothesis strategies of values that a schema of docs/openapi.json allows, or may not allow.

Texts and other values come from pools that are made beforehand: to let Hypothesis draw them
character by character takes ten times as long.
"""

import random
import re

from hypothesis import strategies as st

from support.openapi import resolve

# Characters at the borders of what is white space, of UTF-8's lengths, of control characters, and
# of what JSON escapes; and those that e-mail addresses need.
CHARACTERS = (
    " \t\n\r\x0b\u0085\u00a0\u1680\u2000\u2028\u3000\u200b\ufeff\"\\/\0\x01\x1f\x7f\x80\x9f\u00a1"
    "é\u07ff\u0800€\ud7ff\ue000\uffff\U00010000😀\U0010ffff@@..aZ09-+{}[]"
)
KNOWN_TEXTS = ["", " ", "\t\n", "\0", "a\0", "0", "1", "2", "-1", "01", "1.0", "true", "null", "a@b", "a@", "@b", "a b@c"]
LEAVES = [None, False, True, 0, 1, 2, -1, 0.0, -0.0, 1.0, 1.5, 1e300, 2**53, 2**63, -(2**63), 2**70, 10**30]


def make_texts(chance, count):
    def one():
        return "".join(chance.choice(CHARACTERS) for _ in range(chance.randint(1, 12)))

    return [*KNOWN_TEXTS, *CHARACTERS, *("a" + c for c in CHARACTERS), *(one() for _ in range(count))]


def make_value(chance, depth):
    kind = chance.randint(0, 5 if depth > 0 else 3)
    if kind <= 1:
        return chance.choice(LEAVES)
    if kind <= 3:
        return chance.choice(TEXTS)
    inside = [make_value(chance, depth - 1) for _ in range(chance.randint(0, 3))]
    return inside if kind == 4 else {chance.choice(NAMES): each for each in inside}


CHANCE = random.Random(1)
TEXTS = make_texts(CHANCE, 300)
NAMES = [text for text in TEXTS if "\0" not in text]  # U+0000 is refused in the names of members
VALUES = [*LEAVES, *TEXTS, [], {}, *(make_value(CHANCE, 4) for _ in range(300))]
OTHERS = [{}, {}, {}, *({CHANCE.choice(NAMES): each} for each in VALUES)]  # members nobody knows

ANYTHING = st.sampled_from(VALUES)


def written(values):
    """Numbers as integers and as floats: both are equal, also to JSON Schema."""
    numbers = [each for each in values if isinstance(each, int) and not isinstance(each, bool)]
    return st.sampled_from([*values, *map(float, numbers)])


def merged(members):
    one, other = members
    return {**other, **one}


class Schemas:
    """Strategies for the schemas of a document; real has values for members of some names."""

    def __init__(self, root, real):
        self.root = root
        self.real = real

    def values(self, schema):
        """Values that the schema allows, limits in bytes included."""
        if "$ref" in schema:
            limit = schema.get("x-maxBytes")
            return self.values({**resolve(schema, self.root), **({"x-maxBytes": limit} if limit else {})})
        if "anyOf" in schema:
            return st.one_of([self.values(each) for each in schema["anyOf"]])
        if "enum" in schema:
            return written(schema["enum"])
        return getattr(self, schema["type"])(schema)

    def null(self, _schema):
        return st.none()

    def boolean(self, _schema):
        return st.booleans()

    def string(self, schema):
        least, most = schema.get("minLength", 0), schema.get("x-maxBytes", 100)
        taken = re.compile(schema.get("pattern", ""))
        refused = re.compile(schema.get("not", {}).get("pattern", "(?!)"))
        longest = ["é" * (most // 2), "x" * most]
        return st.sampled_from(
            [
                text
                for text in [*TEXTS, *longest, *(name + "@b" for name in TEXTS)]
                if len(text) >= least
                and len(text.encode()) <= most
                and taken.search(text)
                and not refused.search(text)
            ]
        )

    def integer(self, schema):
        least, most = schema["minimum"], schema["maximum"]
        return written([least, least + 1, (least + most) // 2, most - 1, most])

    def object(self, schema):
        members = {name: self.member(name, each) for name, each in schema["properties"].items()}
        required = schema.get("required", [])
        known = st.fixed_dictionaries(
            {name: members[name] for name in required},
            optional={name: each for name, each in members.items() if name not in required},
        )
        others = st.sampled_from([one for one in OTHERS if not set(one) & set(members)])
        return st.tuples(known, others).map(merged)

    def member(self, name, schema):
        """Mostly what exists, where there is something of the name."""
        made = self.values(schema)
        real = self.real.get(name)
        return made if real is None else st.one_of(st.sampled_from(real), st.sampled_from(real), made)
