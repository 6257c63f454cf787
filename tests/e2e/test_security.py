"""SECURITY.md and docs/design.md name the tests that prove them, and these exist."""

import ast
import re

import pytest

from support.paths import SOURCE

TESTS = SOURCE / "tests"
TEXT = (SOURCE / "SECURITY.md").read_text()
DESIGN = (SOURCE / "docs/design.md").read_text()
# A file below tests/, or a test in it.
NAMED = re.compile(r"`([a-z]\w*/\w+\.(?:py|c))(?:::(\w+))?`")
PROMISES = re.compile(r"^## What is promised$(.*?)^This is a second line of defence", re.M | re.S)


def names_in(path):
    """Names of the tests that a file really runs."""
    text = path.read_text()
    if path.suffix == ".py":
        body = ast.parse(text).body
        return {d.name for d in body if isinstance(d, ast.FunctionDef) and d.name.startswith("test_")}
    defined = set(re.findall(r"^static void (\w+)\(void \*\*state\)$", text, re.M))
    table = text[text.index("int main(void)") :]
    return {name for name in defined if re.search(rf"\({name}[,)]", table)}


def promises(text):
    """The items of the lists of what is promised, each as a whole."""
    listed = "".join(f"\n{line}" for line in PROMISES.search(text)[1].splitlines())
    return [re.split(r"\n(?! )", item)[0] for item in listed.split("\n- ")[1:]]


@pytest.mark.parametrize("file, test", sorted(set(NAMED.findall(TEXT + DESIGN))))
def test_what_is_named_exists(file, test):
    path = TESTS / file
    assert path.is_file()
    assert not test or test in names_in(path)


@pytest.mark.parametrize("text", [TEXT, DESIGN], ids=["SECURITY.md", "docs/design.md"])
def test_no_name_is_overlooked(text):
    """Also names without backticks or with a typing error are found."""
    written = re.findall(r"[\w/.-]+\.(?:py|c)\b(?:::[\w-]+)?", text)
    assert written == ["::".join(filter(None, name)) for name in NAMED.findall(text)]


@pytest.mark.parametrize("promise", promises(TEXT), ids=lambda text: " ".join(text.split()[:6]))
def test_every_promise_names_its_test(promise):
    assert NAMED.search(promise)


def test_readme_leads_there():
    assert "(SECURITY.md)" in (SOURCE / "README.md").read_text()
