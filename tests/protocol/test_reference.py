"""The reference page as a document: where it is, and printed for a web server that serves it itself."""

import subprocess

import pytest

from support.paths import SERVICE

DOCS = "/apis/v2/public/docs"
PARTS = {
    "": "text/html; charset=utf-8",
    "reference.css": "text/css; charset=utf-8",
    "reference.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}


def get(service, path):
    return service.request(method="GET", path=path)


@pytest.mark.parametrize("name", PARTS)
def test_each_part_has_its_type(service, name):
    answer = get(service, f"{DOCS}/{name}")
    assert answer.status == 200 and answer.header("Content-Type") == PARTS[name]
    assert len(answer.body) > 100


def test_the_directory_without_its_slash_leads_to_the_page(service):
    """Or its links would be relative to another directory."""
    answer = get(service, DOCS)
    assert (answer.status, answer.header("Location")) == (308, "docs/")


def printed(site):
    command = [SERVICE, "--config", site.config, "--print-reference"]
    done = subprocess.run(command, env=site.environment(), capture_output=True, timeout=20)
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout


def test_what_is_printed_is_what_is_served(site, service):
    assert printed(site) == get(service, f"{DOCS}/").body


def test_an_error_while_printing_is_told(site):
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [SERVICE, "--config", site.config, "--print-reference"], env=site.environment(), stdout=full, timeout=20
        )
    assert done.returncode == 74


def test_the_page_has_the_limits_of_the_server(site):
    assert b"65536 bytes" in printed(site)
    site.configure(max_note_bytes=1234, rate_limit="600/1m", request_timeout=17)
    page = printed(site)
    assert b"at most 1234 bytes of UTF-8" in page and b"65536" not in page
    assert b"600 in 60 seconds" in page and b"17 seconds" in page


def test_the_page_has_the_base_path(site):
    site.configure(base_path="/cgi-bin/crm&notes")
    assert b"https://crm.example.org/cgi-bin/crm&amp;notes<" in printed(site)


def test_the_page_tells_which_status_errors_have(site):
    both = printed(site)
    assert b"HTTP 200, strict 404" in both and b"The published API answers most errors" in both
    site.configure(http_status="strict")
    strict = printed(site)
    assert b"HTTP 200" not in strict and b"HTTP 404" in strict
    assert b"The errors of this server have the status that HTTP defines" in strict


def test_every_error_of_the_call_is_there_in_the_order_of_the_checks(site):
    page = printed(site).decode()
    codes = ["METHOD_NOT_ALLOWED", "INVALID_JSON", "MISSING_API_KEY", "IP_NOT_WHITELISTED", "RATE_LIMITED"]
    codes += ["MISSING_FIELDS", "IDEMPOTENCY_MISMATCH", "NOT_FOUND", "WRONG_ORG", "NOT_OWNER", "UNAVAILABLE", "INTERNAL"]
    places = [page.index(f'<li id="addNotestoContact-{code}">') for code in codes]
    assert places == sorted(places)
    assert "You are trying to add a note to a contact" in page


def test_nothing_is_left_of_the_gaps(site):
    page = printed(site)
    assert b"{{" not in page and b"}}" not in page
