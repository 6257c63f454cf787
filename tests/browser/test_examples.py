"""The examples that the page prints are run as they stand there, with real keys and ids."""

import json
import os
import subprocess

import pytest

from support.browser import on_nginx

# How an example is run; {file} is where it stands.
PROGRAMS = {
    "curl": (["bash", "{file}"], "example.sh"),
    "php": (["php", "-d", "display_errors=stderr", "{file}"], "curl.php"),
    "streams": (["php", "-d", "display_errors=stderr", "{file}"], "streams.php"),
    "js": (["node", "{file}"], "example.mjs"),
    "python": (["/usr/bin/python3", "{file}"], "example.py"),
}

# The text of an example, with own values in place of the marked ones.
EXAMPLE = """
    const [call, language, values] = arguments;
    const text = document.querySelector(`#${call} pre.${language}`).cloneNode(true);
    for (const place of text.querySelectorAll("var")) {
        const quote = place.textContent[0];
        place.textContent = quote + values[place.dataset.name] + quote;
    }
    return text.textContent;"""


def run(language, text, directory):
    command, name = PROGRAMS[language]
    file = directory / name
    file.write_text(text)
    return subprocess.run(
        [part.format(file=file) for part in command],
        env={**os.environ, "no_proxy": "127.0.0.1"},
        capture_output=True,
        text=True,
        timeout=60,
    )


def values_of(world):
    return {
        "api_key": world.api_key,
        "developer_secret": world.developer_secret,
        "org_id": world.org,
        "member_id": world.member,
        "contact_id": world.contact,
    }


@pytest.mark.parametrize("language", PROGRAMS)
def test_the_examples_of_all_calls_are_answered_with_success(page, world, tmp_path, language):
    """First those that write, whose contact others look for."""
    browser = page.open()
    writing = [call for call in page.calls() if browser.find_all(f"#{call}[data-writes]")]
    reading = [call for call in page.calls() if call not in writing]
    assert "addNotestoContact" in writing
    for call in writing + reading:
        text = browser.run(EXAMPLE, call, language, values_of(world))
        done = run(language, text, tmp_path)
        assert (done.returncode, done.stderr) == (0, ""), text
        if language == "curl":
            assert json.loads(done.stdout)["status"] == "success", done.stdout
        assert done.stdout.strip(), text


@on_nginx
@pytest.mark.parametrize("language", PROGRAMS)
def test_the_example_stores_what_it_says(page, front, tmp_path, language):
    browser = page.open()
    world = front.site.world(f"Example in {language}")
    text = browser.run(EXAMPLE, "addNotestoContact", language, values_of(world))
    for _ in range(2):
        assert run(language, text, tmp_path).returncode == 0
    notes = front.site.notes(world.contact)
    assert len(notes) == 2, "a new Idempotency-Key for each run"
    for note in notes:
        assert (note["note_content"], note["note_visibility"]) == ("Had a great demo call. Follow up next week.", 1)


@on_nginx
@pytest.mark.parametrize("language", PROGRAMS)
def test_the_example_says_what_is_wrong(page, world, tmp_path, language):
    browser = page.open()
    values = {**values_of(world), "member_id": world.second_member}
    text = browser.run(EXAMPLE, "addNotestoContact", language, values)
    done = run(language, text, tmp_path)
    assert "owns the contact" in done.stdout + done.stderr
    assert (done.returncode == 0) == (language == "curl"), "curl prints the answer"


@on_nginx
@pytest.mark.parametrize("language", ["streams", "js", "python"])
def test_the_example_reads_errors_that_have_a_status(page, world, tmp_path, language):
    browser = page.open()
    text = browser.run(EXAMPLE, "addNotestoContact", language, values_of(world))
    done = run(language, text.replace("Had a great", "x" * 600000), tmp_path)
    assert "Request body is too large" in done.stderr
    assert done.returncode != 0
