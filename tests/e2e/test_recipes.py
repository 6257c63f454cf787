"""What the documents say to run: code to repeat a request safely, commands to change a secret."""

import http.server
import json
import re
import shlex
import subprocess
import threading
import urllib.request

import pytest

from support.answers import assert_success
from support.paths import CTL, SOURCE
from support.service import Service

RECIPES = dict(re.findall(r"```(sh|php|js)\n(.*?)```", (SOURCE / "docs/api.md").read_text(), re.S))

# How a reader runs it: saved to a file of that name, with a call of the function at its end.
CALLS = {
    "add-note.sh": ("sh", "bash", "\ncat answer.json\n"),
    "add-note.php": (
        "php",
        "php",
        "\necho json_encode(add_note($argv[1], json_decode(file_get_contents('note.json'), true)));\n",
    ),
    "add-note.js": (
        "js",
        "node",
        "\nconst fs = require('node:fs');\n"
        "addNote(process.argv[2], JSON.parse(fs.readFileSync('note.json')))"
        ".then((answer) => console.log(JSON.stringify(answer)));\n",
    ),
    "add-note.mjs": (
        "js",
        "node",
        "\nimport fs from 'node:fs';\n"
        "console.log(JSON.stringify(await addNote(process.argv[2], JSON.parse(fs.readFileSync('note.json')))));\n",
    ),
}


def run_recipe(directory, name, url):
    language, program, call = CALLS[name]
    begin = {"sh": 'url=$1\n', "php": "<?php\n", "js": ""}[language]
    (directory / name).write_text(begin + RECIPES[language] + call)
    # Debian's Node.js has no global of that name
    options = ["--no-experimental-global-webcrypto"] if program == "node" else []
    return subprocess.run(
        [program, *options, name, url],
        cwd=directory,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"},
        capture_output=True,
        text=True,
        timeout=60,
    )


class Forgetful(http.server.ThreadingHTTPServer):
    """Passes requests on to the real server, but loses the answer to the first one."""

    def __init__(self, target):
        super().__init__(("127.0.0.1", 0), Relay)
        self.target = target
        self.keys = []

    def __enter__(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *failure):
        self.shutdown()
        self.server_close()


class Relay(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        key = self.headers["Idempotency-Key"]
        request = urllib.request.Request(
            self.server.target,
            body,
            {"Content-Type": "application/json", "Idempotency-Key": key},
        )
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
            text = answer.read()
        self.server.keys.append(key)
        if len(self.server.keys) == 1:
            self.close_connection = True
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


# Other tests cover all web servers.
@pytest.mark.parametrize("front", ["nginx"], indirect=True)
@pytest.mark.parametrize("name", CALLS)
def test_a_recipe_stores_one_note_though_the_first_answer_is_lost(
    front, shared, contact, tmp_path, name
):
    (tmp_path / "note.json").write_text(json.dumps(shared.body(contact_id=contact, note="once")))
    with Forgetful(front.url) as between:
        url = f"http://127.0.0.1:{between.server_address[1]}/"
        done = run_recipe(tmp_path, name, url)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["status"] == "success"
    assert len(between.keys) == 2 and len(set(between.keys)) == 1
    assert [note["note_content"] for note in front.site.notes(contact)] == ["once"]


class WebServersOwnAnswer(http.server.BaseHTTPRequestHandler):
    """As a web server answers a body that is over its own limit."""

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        text = b"<html><head><title>413 Request Entity Too Large</title></head></html>"
        self.send_response(413)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(text)))
        self.send_header("X-Request-Id", "of-the-server")
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


@pytest.mark.parametrize("name", CALLS)
def test_a_recipe_shows_an_answer_that_is_no_json(tmp_path, name):
    (tmp_path / "note.json").write_text("{}")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), WebServersOwnAnswer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        done = run_recipe(tmp_path, name, f"http://127.0.0.1:{server.server_address[1]}/")
        server.shutdown()
    shown = done.stdout + done.stderr
    assert "413 Request Entity Too Large" in shown and "of-the-server" in shown, shown
    assert "SyntaxError" not in shown and "Syntax error" not in shown


def rotation_steps():
    section = (SOURCE / "docs/operating.md").read_text().partition("### Change a secret without downtime\n")[2]
    return [line.strip() for line in section.partition("\nRotate, put")[0].splitlines() if line.strip()]


def run_step(site, world, step):
    """Runs a line of the recipe in a shell."""
    crmnotesctl = shlex.join([str(CTL), "--config", str(site.config)])
    step = step.replace("DEVKEY", world.devkey_id).replace("ORG", world.org)
    log = shlex.quote(str(site.directory / "service.log"))
    script = f'crmnotesctl() {{ {crmnotesctl} "$@"; }}\nlog={log}\n{step}'
    done = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, timeout=60, env=site.environment()
    )
    return done.stdout


def test_the_steps_to_change_a_secret_shut_nobody_out(site):
    rotate, look, show = rotation_steps()
    with Service(site) as service:
        world = site.world()

        def add(secret):
            answer = service.call(world.body(note="x", developer_secret=secret))
            assert_success(answer, world.contact, '"x"', visibility=1)

        add(world.developer_secret)
        assert run_step(site, world, look) == ""
        new = re.search(r"^SECRET +(zdk_\w+)$", run_step(site, world, rotate), re.M)[1]
        add(new)
        assert run_step(site, world, look) == ""
        add(world.developer_secret)
        service.wait_for_event("former_secret_used")
        (line,) = run_step(site, world, look).splitlines()
        assert json.loads(line)["devkey_id"] == world.devkey_id
        assert json.loads(line)["until"] in run_step(site, world, show)
