"""Hypothesis strategies of values that a schema of docs/openapi.json allows, or may not allow."""

import functools
import re

from hypothesis import strategies as st

from support.openapi import resolve

# Characters at the borders of what is white space, of UTF-8's lengths, and of what JSON escapes.
CHARACTERS = st.one_of(
    st.sampled_from(" \t\n\u0085\u00a0\u2028\u3000\u200b\ufeff\"\\/\x01\x1f\x7fé€😀aZ09"),
    st.characters(blacklist_categories=["Cs"]),
)
TEXTS = st.text(CHARACTERS, max_size=12)

LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([0.0, -0.0, 1.0, 1.5, 1e300]),
    st.sampled_from(["", " ", "0", "1", "2", "\0", "a\0", "true"]),
    TEXTS,
)
# Deep enough for members that are objects, and not deeper than a body may be.
ANYTHING = st.recursive(
    LEAVES, lambda inside: st.lists(inside, max_size=3) | st.dictionaries(TEXTS, inside, max_size=3), max_leaves=5
)
# Names that JSON may hold: U+0000 is refused in them.
NAMES = st.text(CHARACTERS.filter(lambda c: c != "\0"), max_size=6)


class Schemas:
    """Strategies for the schemas of a document; real has values for members of some names."""

    def __init__(self, root, real):
        self.root = root
        self.real = real

    def values(self, schema):
        """Values that the schema allows, limits in bytes included."""
        limit = schema.get("x-maxBytes")
        if "$ref" in schema:
            made = self.values(resolve(schema, self.root))
        elif "anyOf" in schema:
            made = st.one_of([self.values(each) for each in schema["anyOf"]])
        elif "const" in schema:
            made = st.just(schema["const"])
        elif "enum" in schema:
            made = st.sampled_from(schema["enum"]).flatmap(written)
        else:
            made = getattr(self, schema["type"])(schema)
        if limit is None or schema.get("type") == "object":
            return made
        return made.filter(lambda text: not isinstance(text, str) or len(text.encode()) <= limit)

    def string(self, schema):
        made = st.text(CHARACTERS, min_size=schema.get("minLength", 0), max_size=12)
        if "pattern" in schema:
            made = made.filter(re.compile(schema["pattern"]).search)
        if "not" in schema:
            made = made.filter(lambda text: not re.search(schema["not"]["pattern"], text))
        return made

    def integer(self, schema):
        return st.integers(schema["minimum"], schema["maximum"]).flatmap(written)

    def object(self, schema):
        members = {name: self.member(name, each) for name, each in schema["properties"].items()}
        known = st.fixed_dictionaries(
            {name: members[name] for name in schema.get("required", [])},
            optional={name: each for name, each in members.items() if name not in schema.get("required", [])},
        )
        if schema.get("additionalProperties") is False:
            return known
        others = st.dictionaries(NAMES.filter(lambda name: name not in members), unknown_member(), max_size=2)
        return st.builds(lambda one, other: {**other, **one}, known, others)

    def member(self, name, schema):
        """Mostly what exists, where there is something of the name."""
        made = self.values(schema)
        real = self.real.get(name)
        return made if real is None else st.one_of(st.sampled_from(real), st.sampled_from(real), made)


@functools.cache
def unknown_member():
    return ANYTHING.map(without_nul_names)


def without_nul_names(value):
    if isinstance(value, list):
        return [without_nul_names(each) for each in value]
    if isinstance(value, dict):
        return {name.replace("\0", ""): without_nul_names(each) for name, each in value.items()}
    return value


def written(value):
    """A number as an integer or as a float: both are equal, also to JSON Schema."""
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > 2**53:
        return st.just(value)
    return st.sampled_from([value, float(value)])
