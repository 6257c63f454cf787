"""The use cases and the rules include none of their callers."""

import re

import pytest

from support.paths import SOURCE

APP = SOURCE / "app"

FORBIDDEN = {
    "manage": ("app/ctl/", "app/api/", "app/serve/", "app/commit/", "app/process/"),
    "rules": ("app/store/", "app/manage/", "app/ctl/", "lib/db.h", "lib/json", "json.h"),
}


def included_by(path):
    return re.findall(r'^#include ["<]([^">]+)[">]', path.read_text(), re.MULTILINE)


@pytest.mark.parametrize("room", FORBIDDEN)
def test_room_includes_nothing_of_its_callers(room):
    files = [*(APP / room).glob("*.[ch]")]
    assert files
    for path in files:
        for name in included_by(path):
            assert not name.startswith(FORBIDDEN[room]), f"{path.name} includes {name}"


def test_command_line_leaves_changes_to_the_use_cases():
    """No file of app/ctl calls a function of the store that changes something."""
    changes = r"\b(org|member|contact|key|network|audit)_(add|rotate|revoke|assign|remove|set_active)\("
    for path in (APP / "ctl").glob("*.c"):
        assert not re.search(changes, path.read_text()), path.name
