"""
docs/openapi.json as the measure of answers: look() is called for each answer that a test
receives, and fails the test where the document does not describe such an answer.

Answers may have nothing but what the document has; for clients it allows members that later
versions may add.
"""

import functools
import json

import jsonschema

from support.paths import CALL_PATH, SOURCE

# What every answer has, and what web servers add. Neither is in the document.
UNLISTED_HEADERS = {
    "content-type",
    "content-length",
    "cache-control",
    "x-content-type-options",
    "server",
    "date",
    "connection",
    "keep-alive",
}

# Pages for people, and the calls of tests/example.
UNLISTED_PATHS = ("/apis/v2/public/docs", "/apis/v2/public/example/")

METHODS = ("get", "head", "post")


class Undescribed(AssertionError):
    """The document does not have this answer."""


@functools.cache
def document():
    return json.loads((SOURCE / "docs/openapi.json").read_text())


def resolve(node, root):
    while isinstance(node, dict) and "$ref" in node:
        target = root
        for part in node["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        node = target
    return node


def closed(node):
    """The same schema without members that it does not name."""
    if isinstance(node, list):
        return [closed(each) for each in node]
    if not isinstance(node, dict):
        return node
    copy = {name: closed(value) for name, value in node.items()}
    if copy.get("type") == "object" and "properties" in copy:
        copy.setdefault("additionalProperties", False)
    return copy


@functools.cache
def strict_document():
    """With closed schemas of answers; those of requests are not used here."""
    made = closed(document()["components"])
    return {**document(), "components": made, "paths": closed(document()["paths"])}


def validator(schema, root, formats=True):
    """Without formats they are no more than notes, as JSON Schema has it."""
    resolver = jsonschema.RefResolver("", root)
    kind = jsonschema.Draft202012Validator
    return kind(schema, resolver=resolver, format_checker=kind.FORMAT_CHECKER if formats else None)


class Response:
    """What the document says of the answers of one operation with one status."""

    def __init__(self, said, root):
        self.headers = {name.lower(): resolve(header, root) for name, header in said["headers"].items()}
        self.content = {
            kind: validator(content["schema"], root) for kind, content in said.get("content", {}).items()
        }
        self.validators = {name: validator(header["schema"], root) for name, header in self.headers.items()}

    def check(self, headers, body, head):
        self.check_headers({name.lower(): value for name, value in headers})
        if head or not self.content:
            assert body == b"", "a body where there is none"
            return
        kind = dict((name.lower(), value) for name, value in headers).get("content-type")
        assert kind in self.content, f"Content-Type {kind}"
        problem = jsonschema.exceptions.best_match(self.content[kind].iter_errors(json.loads(body)))
        assert problem is None, f"body: {problem}"

    def check_headers(self, given):
        unknown = set(given) - set(self.headers) - UNLISTED_HEADERS
        assert not unknown, f"headers {unknown}"
        for name, header in self.headers.items():
            assert name in given or not header.get("required"), f"no header {name}"
            if name in given:
                is_number = header["schema"]["type"] == "integer"
                value = int(given[name]) if is_number else given[name]
                assert self.validators[name].is_valid(value), f"header {name}: {value}"


@functools.cache
def response(path, method, status):
    """None: the operation has no such status."""
    root = strict_document()
    said = root["paths"][path][method]["responses"].get(str(status))
    return None if said is None else Response(resolve(said, root), root)


def operations(method, path):
    """
    The (path, method) of the document that may have answered: that of the path, whatever stands
    before it; for a path that it does not have any, because all answer 404 alike; path None: any.
    """
    known = document()["paths"]
    named = [each for each in known if path is not None and path.endswith(each)]
    if not named and path is not None:
        return [(CALL_PATH, "post")]
    asked = str(method).lower()
    return [
        (each, one)
        for each in named or known
        for one in ([asked] if asked in known[each] else METHODS)
        if one in known[each]
    ]


def look(method, path, status, headers, body):
    """path None: not known."""
    if path is not None and any(part in path for part in UNLISTED_PATHS):
        return
    head = method == "HEAD"
    complaints = []
    for where in operations(method, path):
        known = response(*where, status)
        try:
            assert known is not None, "no such status"
            known.check(headers, body, head)
            return
        except AssertionError as problem:
            complaints.append(f"{where}: {problem}")
    raise Undescribed(f"{method} {path} answered {status} {headers} {body[:500]!r}: {complaints}")
