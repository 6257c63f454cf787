"""uniform_errors: whether a caller can tell contacts of others from those that do not exist."""

import re

import pytest

from support.answers import assert_error, assert_success
from support.raw import send
from support.service import Service
from support.site import Site

UNKNOWN_ID = "0b5f4a1e-9d5c-4b6e-8f3a-2c1d0e9f8a7b"

NOT_FOUND = ("NOT_FOUND", "Contact does not exist")
WRONG_ORG = (
    "WRONG_ORG",
    "You are trying to add a note to a contact that does not belong to your organization",
)
SUCCESS = (None, None)

# (organization, contact): the answer with no, the answer with yes
CELLS = {
    ("own", "own"): (SUCCESS, SUCCESS),
    ("own", "foreign"): (WRONG_ORG, NOT_FOUND),
    ("own", "unknown"): (NOT_FOUND, NOT_FOUND),
    ("foreign", "own"): (WRONG_ORG, WRONG_ORG),
    ("foreign", "foreign"): (WRONG_ORG, NOT_FOUND),
    ("foreign", "unknown"): (NOT_FOUND, NOT_FOUND),
    ("unknown", "own"): (WRONG_ORG, WRONG_ORG),
    ("unknown", "foreign"): (WRONG_ORG, NOT_FOUND),
    ("unknown", "unknown"): (NOT_FOUND, NOT_FOUND),
}


@pytest.fixture(scope="module", params=["no", "yes"])
def service(request):
    with Site(options={"workers": 2, "uniform_errors": request.param}) as site:
        with Service(site) as running:
            running.uniform = request.param == "yes"
            running.own, running.foreign = site.world("Own"), site.world("Foreign")
            yield running


def body_of(service, org, contact, **more):
    own, foreign = service.own, service.foreign
    return own.body(
        note="x",
        org_id={"own": own.org, "foreign": foreign.org, "unknown": UNKNOWN_ID}[org],
        contact_id={"own": own.contact, "foreign": foreign.contact, "unknown": UNKNOWN_ID}[contact],
        **more,
    )


@pytest.mark.parametrize("remembered", [False, True], ids=["worker", "writer"])
@pytest.mark.parametrize("org, contact", CELLS)
def test_each_cell_has_its_answer(service, org, contact, remembered):
    """A caller in the cache is judged by the writer, others by the worker."""
    if remembered:
        assert send(service, service.own.body()).code is None
    else:
        send(service, body_of(service, "own", "unknown"))  # forgotten when it was refused
    expected = CELLS[org, contact][service.uniform]
    answer = send(service, body_of(service, org, contact))
    if expected is SUCCESS:
        assert_success(answer, service.own.contact, '"x"', visibility=1)
    else:
        assert_error(answer, *expected)


@pytest.mark.parametrize("org", ["own", "foreign", "unknown"])
@pytest.mark.parametrize("more", ["member", "note_id", "key"])
def test_foreign_and_unknown_contacts_are_answered_alike(service, org, more):
    """To the byte, but for the request's id, also where the owner or a note is guessed right."""
    note = send(service, service.foreign.body()).body[20:56].decode()
    fields = {"member": {"member_id": service.foreign.member}, "note_id": {"note_id": note}}
    headers = {"Idempotency-Key": f"{org}-key"} if more == "key" else {}
    answers = [
        service.call(body_of(service, org, contact, **fields.get(more, {})), headers=headers)
        for contact in ("foreign", "unknown")
    ]
    texts = {re.sub(rb"X-Request-Id: [^\r]*", b"", answer.stdout) for answer in answers}
    assert (len(texts) == 1) == service.uniform, texts
