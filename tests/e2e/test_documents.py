"""README and docs/: their links lead somewhere, and what they quote of the program is true."""

import re
import subprocess

import pytest

from support.documented import NOT_RUN, RUN_BY
from support.host import indented
from support.paths import CTL, SOURCE
from support.service import Service

DOCS = SOURCE / "docs"
PAGES = sorted(
    path
    for path in [*SOURCE.glob("*.md"), *SOURCE.glob("docs/*.md"), *SOURCE.glob("tests/*/*.md")]
    if not path.is_symlink()
)
OPERATING = (SOURCE / "docs/operating.md").read_text()
SOURCES = [
    path
    for folder in ("app", "lib")
    for path in (SOURCE / folder).rglob("*.c")
    if path.name != "attacks.c"
]


def without_code(text):
    """The text without blocks of code, in which # and [ mean something else."""
    text = re.sub(r"^ *```.*?^ *```$", "", text, flags=re.M | re.S)
    return "\n".join(line for line in text.splitlines() if not line.startswith("    "))


def anchors(path):
    """The anchors of a page's headings, as GitHub and most others make them."""
    headings = re.findall(r"^#+ (.+)$", without_code(path.read_text()), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links(path):
    text = re.sub(r"`[^`]*`", "", without_code(path.read_text()))
    return re.findall(r"\]\(([^)\s]+)\)", text)


def section(text, heading):
    """What stands below a heading, up to the next one that is not below it."""
    level = heading.partition(" ")[0]
    below = text.partition(f"\n{heading}\n")[2]
    assert below, f"there is no {heading}"
    return re.split(rf"^#{{1,{len(level)}}} ", below, maxsplit=1, flags=re.M)[0]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(SOURCE)))
def test_every_link_leads_to_a_file_and_a_heading_that_exist(page):
    wrong = []
    for link in links(page):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            wrong.append(link)
    assert not wrong


def test_pages_with_links_are_found():
    assert {"README.md", "api.md", "operating.md"} <= {page.name for page in PAGES}
    assert all(links(page) for page in PAGES if page.parent == DOCS)


# README is short and links to the documents.


def test_readme_is_short():
    assert len((SOURCE / "README.md").read_text().splitlines()) <= 130


def test_readme_leads_to_every_document():
    linked = {link.partition("#")[0] for link in links(SOURCE / "README.md")}
    documents = {str(path.relative_to(SOURCE)) for path in PAGES if path.parent == DOCS}
    assert documents | {"SECURITY.md", "NEWS.md"} <= linked


def test_what_the_map_names_exists():
    """Folders that the map of README names."""
    named = re.findall(r"`([a-z]+/(?:[a-z0-9]+/)*)`", section((SOURCE / "README.md").read_text(), "## Map"))
    assert named and not [folder for folder in named if not (SOURCE / folder).is_dir()]


def test_every_folder_of_the_sources_is_on_the_map():
    text = section((SOURCE / "README.md").read_text(), "## Map")
    folders = [path for top in ("app", "tests") for path in (SOURCE / top).iterdir() if path.is_dir()]
    inside = {"tests/support", "tests/coverage"}
    names = {str(path.relative_to(SOURCE)) for path in folders if any(path.glob("*.[cp]*"))} - inside
    assert not [name for name in sorted(names) if f"`{name}/`" not in text]


# Commands that README and docs/ show.


def shell_lines():
    for path in PAGES:
        if path.parent == DOCS or path.name == "README.md":
            for line in re.findall(r"^ {4,}(\S.*)$", path.read_text(), re.M):
                yield line


def shown_commands():
    text = "\n".join(shell_lines())
    found = re.findall(r"\bcrmnotesctl ((?:--(?:json|wide) |--\S+ \S+ )*)([a-z]+(?: [a-z]+)?)\b([^#\n|;&]*)", text)
    return sorted({(command, rest.strip()) for _, command, rest in found})


@pytest.mark.parametrize("command, rest", shown_commands())
def test_a_command_that_is_shown_exists_with_its_options(command, rest):
    done = subprocess.run([CTL, *command.split(), "--help"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert not [option for option in re.findall(r"--[a-z-]+", rest) if option not in done.stdout]


def sections_with_commands():
    """The headings of docs/operating.md below which there are indented lines."""
    parts = re.split(r"^(#+ .*)$", OPERATING, flags=re.M)
    return {heading for heading, below in zip(parts[1::2], parts[2::2]) if indented(below)}


def test_every_command_of_the_operators_page_is_run_by_a_test():
    assert sections_with_commands() == RUN_BY.keys() | NOT_RUN.keys()
    for heading, path in RUN_BY.items():
        assert f'"{heading}"' in (SOURCE / path).read_text(), f"{path} does not run {heading}"


# The log.


def events_of_the_sources():
    text = "\n".join(path.read_text() for path in SOURCES)
    # lib/log.c writes one event itself
    found = re.findall(r'\b(?:LOG\(|log_event\(|begin\(&line,)([^;"]*?\bLEVEL_\w+),\s*"(\w+)"', text)
    levels = re.compile(r"\bLEVEL_(\w+)")
    return {(event, " or ".join(levels.findall(level)).lower()) for level, event in found}


def test_every_event_of_the_log_is_described_with_its_level():
    listed = set()
    for line in section(OPERATING, "## Log").partition("\n| event |")[2].splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| `"):
            listed |= {(event, cells[1]) for event in re.findall(r"`(\w+)`", cells[0])}
    assert listed == events_of_the_sources()


def test_every_reason_of_the_log_is_described():
    source = (SOURCE / "app/api/reason.c").read_text()
    words = set(re.findall(r'\[\w+\] =\s+"(\w+)"', source))
    reasons = section(OPERATING, "### Reasons")
    assert len(words) > 40 and not words - set(re.findall(r"`(\w+)`", reasons))


def members_of_a_request_line():
    source = (SOURCE / "app/serve/access_log.c").read_text()
    added = re.findall(r'LOG_\w+\("(\w+)"|"(given_org_id)"', source)
    return {one or other for one, other in added} - {"until"}


# Fields of calls that are ids, sent or answered; a line has those of its request.
IDS_OF_CALLS = {
    *("member_id", "contact_id", "note_id", "contact_owner", "entity_id"),
    *("owner", "contactId", "notes_after", "notes_next"),
}


def test_every_member_of_a_request_line_is_described():
    table = section(OPERATING, "## Log").partition("\n| event |")[0]
    described = {name for row in re.findall(r"^\| (`.*?) \|", table, re.M) for name in re.findall(r"`(\w+)`", row)}
    assert described == members_of_a_request_line() | IDS_OF_CALLS


# Something does not work.


def sentences_of_the_sources():
    """All string constants, joined as the compiler does it, with … for what is put in."""
    text = "\n".join(path.read_text() for path in SOURCES)
    return re.sub(r"%[-.*0-9]*[a-z]*[sdu]", "…", re.sub(r'"\s*\n\s*"', "", text))


TROUBLE = section(OPERATING, "## Something does not work")
QUOTED = re.findall(r"`([^`]+)`", "\n".join(re.findall(r"^### (.+)$", TROUBLE, re.M)))


@pytest.mark.parametrize("sentence", QUOTED)
def test_a_sentence_that_is_explained_is_one_of_the_programs(sentence):
    assert sentence in sentences_of_the_sources()


@pytest.mark.parametrize("entry", TROUBLE.split("\n### ")[1:], ids=lambda entry: entry.split("\n")[0])
def test_every_trouble_has_cause_command_and_remedy(entry):
    assert re.findall(r"^- \*\*(\w+):\*\*", entry, re.M) == ["Cause", "See", "Remedy"]


def test_the_address_that_was_seen_is_found_as_described(site):
    world = site.world(allow=("192.0.2.0/24",))
    with Service(site) as service:
        service.call(world.body())
        log = (site.directory / "service.log").read_text()
    (line,) = [line for line in log.splitlines() if "IP_NOT_WHITELISTED" in line]
    address = re.search(r'"remote_addr":"([^"]+)"', line)[1]
    done = site.ctl_raw("allow", "test", world.devkey_id, address)
    assert done.returncode == 1


# Keys that expire.


def test_keys_that_end_soon_are_found_and_given_more_time_as_described(site):
    world = site.world()
    key = site.issue_devkey(world.org, "10.0.0.0/8", expires="29d")["devkey_id"]
    lines = re.findall(r"^    (crmnotesctl [^#\n]+)", section(OPERATING, "### Keys that expire"), re.M)
    find, give, mail = (line.replace("DEVKEY", key).split("|")[0].split()[1:] for line in lines)
    assert [row["devkey_id"] for row in site.ctl(*find)] == [key]
    assert site.ctl(*mail[1:]) == [] and mail[0] == "--json"
    site.ctl(*give)
    assert site.ctl(*find) == []


# Restore.


def restore_commands(site, copy):
    """The commands of the steps, for this site; tests/systemd runs them under systemd."""
    steps = section(OPERATING, "## Restore")
    commands = [line.strip() for line in steps.splitlines() if line.startswith("       ")]
    assert len(commands) == 5
    text = "\n".join(commands).replace("FILE", str(copy))
    return f'systemctl() {{ :; }}\ncrmnotesctl() {{ {CTL} --config {site.config} "$@"; }}\n{text}\n'


def test_the_commands_to_restore_bring_back_what_was_there(site, tmp_path):
    world = site.world()
    copy = tmp_path / "copy.db"
    site.ctl("db", "backup", copy)
    site.add_org("After the copy")
    (site.data / "crmnotes.db-wal").write_bytes(b"of the old database")
    done = subprocess.run(
        ["bash", "-c", restore_commands(site, copy)],
        capture_output=True,
        text=True,
        timeout=60,
        env=site.environment(),
    )
    assert done.returncode == 0, done.stderr
    assert [org["org_id"] for org in site.ctl("org", "list")] == [world.org]
    assert list(site.data.glob("crmnotes.db.before-*"))
