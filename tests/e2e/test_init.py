"""crmnotesctl init on a new site: the line that it prints adds a note through each web server."""

import json
import subprocess

WORDS = ["--org", "First Ltd", "--member", "Ada", "--contact", "Grace", "--allow", "127.0.0.1"]


def test_the_line_that_it_prints_adds_a_note(front):
    lines = front.site.ctl("init", "--another", *WORDS, "--url", front.origin + "/", json=False)
    command = lines.splitlines()[-1]
    assert command.startswith("curl ")
    done = subprocess.run(
        ["sh", "-c", command],
        capture_output=True,
        text=True,
        timeout=60,
        env={"PATH": "/usr/bin:/bin", "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"},
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["status"] == "success", done.stdout
    note = front.site.note(answer["data"]["note_id"])
    assert note["note_content"] == "Had a great demo call."
    assert note["note_author"] in lines and note["contact_id"] in lines
