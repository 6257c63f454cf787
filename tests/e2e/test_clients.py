"""Real clients, written the way the published page and its users do."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.answers import success_body
from support.calls import CONTACT
from support.calls import NOTE as NOTE_MEMBERS
from support.site import LOCALHOST, substitute

CLIENTS = Path(__file__).parent / "clients"
NOTE = 'Grüße "to/from" 世界 🙂\nsecond line'
NOTE_JSON = '"Grüße \\"to/from\\" 世界 🙂\\nsecond line"'

PHP = ["php", "-d", "display_errors=stderr"]
OTHERS = {
    "php": ([*PHP, CLIENTS / "add_note.php"], 1),
    "javascript": (["node", CLIENTS / "add_note.mjs"], 0),
}

# These know nothing but the secret: identifiers, contact, look-up, note, update, reading.
WHOLE_WAY = {
    "php curl": ([*PHP, CLIENTS / "whole_way.php"], {}),
    "php streams": ([*PHP, CLIENTS / "whole_way.php"], {"STREAMS": "1"}),
    "javascript": (["node", CLIENTS / "whole_way.mjs"], {}),
    "python": ([sys.executable, CLIENTS / "whole_way.py"], {}),
    "curl": (["bash", CLIENTS / "whole_way.sh"], {}),
}


def run(command, **env):
    return subprocess.run(
        command, env={**os.environ, **env}, capture_output=True, text=True, timeout=60
    )


def environment(front, world, **changes):
    known = {
        "URL": front.url,
        "API_KEY": world.api_key,
        "DEVELOPER_SECRET": world.developer_secret,
        "ORG_ID": world.org,
        "MEMBER_ID": world.member,
        "CONTACT_ID": world.contact,
        "NOTE": NOTE,
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
    }
    return {**known, **changes}


def published_curl_sample(front, world, **changes):
    """The sample of the published page, changed only where the page says so."""
    replace = {
        "https://app.zyntrohq.com": front.origin,
        "YOUR_API_KEY": world.api_key,
        "YOUR_DEVELOPER_SECRET": world.developer_secret,
        "YOUR_ORG_ID": world.org,
        "YOUR_MEMBER_ID": world.member,
        "a1b2c3d4-e5f6-7890-abcd-ef1234567890": world.contact,
    }
    return substitute((CLIENTS / "curl.sh").read_text(), {**replace, **changes})


def test_published_curl_sample(front, shared):
    done = run(["bash", "-c", published_curl_sample(front, shared)], no_proxy="127.0.0.1")
    assert done.returncode == 0, done.stderr
    note_id = json.loads(done.stdout)["data"]["note_id"]
    text = '"Had a great demo call. Interested in the enterprise plan."'
    assert done.stdout.encode() == success_body(note_id, shared.contact, text, 0, 1)
    assert front.site.note(note_id)["note_content"] == json.loads(text)


def test_published_curl_sample_with_the_published_error(front, shared):
    wrong = {"YOUR_MEMBER_ID": shared.second_member}
    sample = published_curl_sample(front, shared, **wrong)
    done = run(["bash", "-c", sample], no_proxy="127.0.0.1")
    message = "The API only supports notes being added by the member that owns the contact."
    assert done.stdout == f'{{"data":["{message}"],"status":"error"}}'


@pytest.mark.parametrize("client", OTHERS)
def test_client_adds_a_note(front, shared, client):
    command, editable = OTHERS[client]
    done = run(command, **environment(front, shared))
    assert done.returncode == 0, done.stderr
    note_id = json.loads(done.stdout)["data"]["note_id"]
    assert done.stdout.encode() == success_body(note_id, shared.contact, NOTE_JSON, editable, 1)
    assert front.site.note(note_id)["note_content"] == NOTE


@pytest.mark.parametrize("client", OTHERS)
def test_client_sees_the_error(front, shared, client):
    command, _ = OTHERS[client]
    done = run(command, **environment(front, shared, NOTE=" "))
    assert (done.returncode, done.stderr) == (2, "Missing note\n")


@pytest.fixture(scope="module")
def secret(front):
    """An organization, and a secret with which its member's API key is handed out."""
    world = front.site.world("Clients")
    more = ("--hands-out", world.apikey_id)
    issued = front.site.issue_devkey(
        world.org, *LOCALHOST, name="From the secret", more=more, stdin=world.api_key
    )
    return world, issued["developer_secret"]


def start(front, client, secret, **env):
    command, more = WHOLE_WAY[client]
    known = {"ORIGIN": front.origin, "DEVELOPER_SECRET": secret, "NOTE": NOTE}
    return run(command, **known, NO_PROXY="127.0.0.1", no_proxy="127.0.0.1", **more, **env)


@pytest.mark.parametrize("client", WHOLE_WAY)
def test_client_comes_from_its_secret_to_a_note_that_it_reads(front, secret, client):
    world, developer_secret = secret
    email = f"zoe+{client.replace(' ', '-')}@example.org"
    done = start(front, client, developer_secret, EMAIL=email)
    assert done.returncode == 0, done.stderr
    contact_id, note_id, read = json.loads(done.stdout)
    contact, (note,) = read["contact"], read["notes"]
    shown = front.site.ctl_one("contact", "show", contact_id)
    shown.update(primary_email=shown["contact_email"], primary_phone=shown["contact_phone"])
    assert contact == {name: shown[name] for name in CONTACT}
    assert contact["contact_name"] == "Zoë O'Neill/Łuczak" and contact["primary_email"] == email
    assert contact["contact_owner"] == world.member
    assert read["entity"] == {"entity_name": "Müller & Söhne", "website": None}
    stored = front.site.note(note_id)
    assert note == {name: stored[name] for name in NOTE_MEMBERS}
    assert (note["note_content"], note["note_visibility"], note["note_editable"]) == (NOTE, 1, 1)
    assert [v["note_content"] for v in front.site.history(note_id)] == ["first", NOTE]


@pytest.mark.parametrize("client", WHOLE_WAY)
def test_client_sees_that_its_secret_is_wrong(front, client):
    done = start(front, client, "zdk_wrong", EMAIL="zoe@example.org")
    assert (done.returncode, done.stderr) == (2, "Invalid developer_secret\n")
