"""Real clients, written the way the published page and its users do."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from support.answers import success_body
from support.site import substitute

CLIENTS = Path(__file__).parent / "clients"
NOTE = 'Grüße "to/from" 世界 🙂\nsecond line'
NOTE_JSON = '"Grüße \\"to/from\\" 世界 🙂\\nsecond line"'

OTHERS = {
    "php": (["php", "-d", "display_errors=stderr", CLIENTS / "add_note.php"], 1),
    "javascript": (["node", CLIENTS / "add_note.mjs"], 0),
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
