"""The OpenAPI document: what it says, where it is served, and that its examples work."""

import json
import subprocess

import jsonschema
import pytest

from support import openapi
from support.answers import assert_error
from support.paths import SERVICE, SOURCE
from support.service import Service
from support.site import Site

PATH = "/apis/v2/public/openapi.json"
COMMITTED = SOURCE / "docs/openapi.json"


def printed(*arguments):
    command = [SERVICE, *(arguments or ["--config", "/dev/null"]), "--print-openapi"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, env={"PATH": "/usr/bin:/bin"})
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def operations(method):
    return [path for path, item in openapi.document()["paths"].items() if method in item]


def bodies_of(operation):
    """(schema, example) of the request and of all answers."""
    places = [operation.get("requestBody", {}), *operation["responses"].values()]
    for content in (content for place in places for content in place.get("content", {}).values()):
        for example in content.get("examples", {}).values():
            yield content["schema"], example["value"]


ALL_OPERATIONS = [
    pytest.param(operation, id=operation["operationId"])
    for item in openapi.document()["paths"].values()
    for operation in item.values()
]


def test_the_committed_document_is_the_one_of_the_defaults():
    assert COMMITTED.read_text() == printed()


def test_the_document_is_served(front):
    answer = front.send(None, method="GET", path=PATH)
    assert (answer.status, answer.header("Content-Type")) == (200, "application/json")
    assert json.loads(answer.body) == json.loads(COMMITTED.read_text())
    assert answer.header("Content-Length") == str(len(answer.body))
    assert answer.header("Cache-Control") == "no-cache"
    tag = {"If-None-Match": answer.header("ETag")}
    same = front.send(None, method="GET", path=PATH, headers=tag)
    assert (same.status, same.body) == (304, b"")
    head = front.send(None, method="HEAD", path=PATH)
    assert (head.status, head.body) == (200, b"")
    assert head.header("Content-Length") == str(len(answer.body))
    assert head.header("ETag") == answer.header("ETag")


def test_the_document_tells_the_settings_of_the_server():
    options = {"max_note_bytes": 100, "max_body_bytes": 2000, "base_path": "/cgi-bin/a\\b", "http_status": "strict"}
    with Site(options=options) as site, Service(site) as service:
        answer = service.request(method="GET", path=options["base_path"] + PATH)
        told = json.loads(answer.body)
        assert told == json.loads(printed("--config", site.config))
    assert told["servers"][0]["url"] == options["base_path"]
    request = told["components"]["schemas"]["addNotestoContactRequest"]
    assert request["x-maxBytes"] == 2000
    assert request["properties"]["note"]["x-maxBytes"] == 100
    success = told["paths"][openapi.CALL_PATH]["post"]["responses"]["200"]
    assert "X-Error-Code" not in success["headers"]
    assert list(success["content"]["application/json"]["examples"]) == ["success"]


def test_without_developer_docs_there_is_no_document():
    with Site(options={"developer_docs": "no"}) as site, Service(site) as service:
        answer = service.request(method="GET", path=PATH)
        assert_error(answer, "UNKNOWN_ENDPOINT", "Not found", status=404)


def test_every_call_of_the_document_answers_help_and_is_named_there(front):
    for path in operations("post"):
        answer = front.send({"help": True}, path=path)
        assert answer.status == 200
        help_of_call = json.loads(answer.body)["data"]
        assert help_of_call["path"] == path
        operation = openapi.document()["paths"][path]["post"]
        names = [parameter["name"] for parameter in help_of_call["parameters"]]
        request = openapi.document()["components"]["schemas"][operation["operationId"] + "Request"]
        assert list(request["properties"]) == names
        codes = {error["code"] for error in help_of_call["errors"]}
        assert codes | {"UNKNOWN_ENDPOINT"} == codes_of(operation)


def codes_of(operation):
    heads = [answer["headers"] for answer in operation["responses"].values()]
    return {code for head in heads if "X-Error-Code" in head for code in head["X-Error-Code"]["schema"]["enum"]}


@pytest.mark.parametrize("operation", ALL_OPERATIONS)
def test_every_example_is_what_its_schema_allows(operation):
    root = openapi.document()
    for schema, example in bodies_of(operation):
        problem = jsonschema.exceptions.best_match(openapi.validator(schema, root).iter_errors(example))
        assert problem is None, problem


def test_every_schema_is_one_and_its_own_examples_fit_it():
    root = openapi.document()
    for name, schema in root["components"]["schemas"].items():
        jsonschema.Draft202012Validator.check_schema(schema)
        for member, inside in examples_within(schema):
            assert openapi.validator(inside, root).is_valid(member), (name, member)


def examples_within(schema):
    """(example, its schema) at any depth."""
    if isinstance(schema, list):
        for each in schema:
            yield from examples_within(each)
    elif isinstance(schema, dict):
        if isinstance(schema.get("examples"), list):
            yield from ((example, schema) for example in schema["examples"])
        for each in schema.values():
            yield from examples_within(each)


def real(example, world, note_id):
    """The example with ids and keys that exist."""
    values = {
        "api_key": world.api_key,
        "developer_secret": world.developer_secret,
        "org_id": world.org,
        "member_id": world.member,
        "contact_id": world.contact,
        "note_id": note_id,
    }
    assert "YOUR_" in json.dumps(example)
    body = {name: values.get(name, value) for name, value in example.items()}
    assert "YOUR_" not in json.dumps(body)
    return body


@pytest.mark.parametrize("path", operations("post"))
def test_the_example_of_each_call_works(front, world, path):
    operation = openapi.document()["paths"][path]["post"]
    example = operation["requestBody"]["content"]["application/json"]["examples"]["request"]["value"]
    note = json.loads(front.send(world.body(note="x")).body)["data"]["note_id"]
    front.site.add_contact(world.org, world.member, "Grace Hopper", "--email", "grace@example.com")
    answer = front.send(real(example, world, note), path=path)
    assert (answer.status, answer.header("X-Error-Code")) == (200, None), answer.body
    told = operation["responses"]["200"]["content"]["application/json"]["examples"]["success"]["value"]
    assert set(json.loads(answer.body)["data"]) <= set(told["data"])
