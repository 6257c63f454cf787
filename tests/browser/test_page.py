"""The page as it is read: in each view, by keyboard, without scripts, and what it weighs."""

import gzip
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from urllib.parse import urljoin

import pytest
from selenium.webdriver.common.keys import Keys

from support import npm, webservers
from support.browser import DESKTOP, DOCS, PHONE, Page, on_nginx
from support.paths import SERVICE, SOURCE
from support.site import Site

HERE = Path(__file__).parent
RESULTS = os.environ.get("BROWSER_RESULTS")
LANGUAGES = ["curl", "php", "streams", "js", "python"]
VIEWS = {
    f"{name}-{scheme}": {"size": size, "scheme": scheme}
    for name, size in (("desktop", DESKTOP), ("phone", PHONE))
    for scheme in ("light", "dark")
}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
# The classes of the requests below an element that are shown.
SHOWN = """
    return [...arguments[0].querySelectorAll(".request pre")]
        .filter((pre) => pre.getClientRects().length > 0).map((pre) => pre.className)"""
LOADED = ["reference.css", "reference.js", "icon.svg"]


@pytest.fixture(scope="module")
def modules():
    return npm.modules(HERE)


def open_every_form(browser):
    for summary in browser.find_all(".try summary"):
        browser.run("arguments[0].click()", summary)


def get(page, name=""):
    answer = page.front.send(None, method="GET", path=urljoin(DOCS, name))
    assert answer.status == 200
    return answer


@on_nginx
@pytest.mark.parametrize("view", VIEWS)
def test_nothing_is_wider_than_the_view(page, view):
    browser = page.open(**VIEWS[view])
    open_every_form(browser)
    width = VIEWS[view]["size"][0]  # a telephone shows a wide page smaller, so innerWidth says nothing
    assert browser.run("return document.documentElement.scrollWidth") <= width
    wide = """
        return [...document.querySelectorAll("main *, nav *")]
            .filter((element) => element.getBoundingClientRect().right > arguments[0]
                || (element.scrollWidth > element.clientWidth + 1 && element.matches("pre, dd, td, .example")))
            .map((element) => element.outerHTML.slice(0, 100))"""
    assert browser.run(wide, width) == []


@on_nginx
@pytest.mark.parametrize("view", VIEWS)
def test_axe_finds_no_violation(page, modules, view):
    browser = page.open(**VIEWS[view])
    open_every_form(browser)
    browser.command("Page.setBypassCSP", enabled=True)  # for axe itself
    try:
        browser.command("Runtime.evaluate", expression=(modules / "axe-core/axe.min.js").read_text())
        found = browser.driver.execute_async_script(
            "const done = arguments[arguments.length - 1]; axe.run().then(done)"
        )
    finally:
        browser.command("Page.setBypassCSP", enabled=False)
    assert len(found["passes"]) > 20
    assert [(v["id"], v["nodes"][0]["html"]) for v in found["violations"]] == []


@on_nginx
@pytest.mark.parametrize("view", VIEWS)
def test_the_page_can_be_seen(page, view):
    """A picture of each view is kept where BROWSER_RESULTS says."""
    browser = page.open("#addNotestoContact", **VIEWS[view])
    colours = browser.run("""
        const style = getComputedStyle(document.body);
        return [style.color, style.backgroundColor].map((text) =>
            text.match(/\\d+/g).slice(0, 3).reduce((sum, part) => sum + Number(part), 0))""")
    assert (colours[0] < colours[1]) == (VIEWS[view]["scheme"] == "light")
    picture = browser.driver.get_screenshot_as_png()
    assert picture.startswith(b"\x89PNG")
    if RESULTS:
        Path(RESULTS).mkdir(parents=True, exist_ok=True)
        (Path(RESULTS) / f"{page.front.kind}-{view}.png").write_bytes(picture)


def test_the_policy_allows_nothing_but_the_own_host_and_is_kept(page):
    answer = get(page)
    assert answer.header("Content-Security-Policy") == POLICY
    assert answer.header("Referrer-Policy") == "no-referrer"
    browser = page.open()
    open_every_form(browser)
    asked = browser.requests()
    allowed = {page.url, *(page.url + name for name in LOADED)}
    assert len(asked) >= 3 and {url for _, url, _ in asked} <= allowed
    assert browser.run("return refusedByPolicy") == []
    assert browser.complaints() == []


@on_nginx
def test_the_policy_is_noticed_when_it_is_broken(page):
    """Or the test before would prove nothing."""
    browser = page.open()
    browser.run("document.body.append(Object.assign(document.createElement('img'), {src: 'http://192.0.2.1/'}))")
    assert browser.run("return new Promise((done) => setTimeout(() => done(refusedByPolicy), 50))") == [
        "img-src http://192.0.2.1/"
    ]


def test_the_page_is_small(page):
    sizes = {name: len(gzip.compress(get(page, name).body)) for name in ("", *LOADED)}
    assert sum(sizes.values()) <= 30 * 1024, sizes


def test_documents_are_asked_for_again_by_their_tags(page):
    for name in ("", *LOADED):
        answer = get(page, name)
        again = page.front.send(
            None,
            method="GET",
            path=urljoin(DOCS, name),
            headers={"If-None-Match": answer.header("ETag")},
        )
        assert (again.status, again.body) == (304, b"")


def validate(modules, directory, html):
    (directory / ".htmlvalidate.json").write_text((HERE / ".htmlvalidate.json").read_text())
    (directory / "page.html").write_bytes(html)
    command = ["node", modules / ".bin/html-validate", "--formatter", "json", "page.html"]
    said = directory / "said.json"
    with open(said, "wb") as out:  # into a pipe it does not write all before it ends
        subprocess.run(command, cwd=directory, stdout=out, timeout=60)
    found = [message for file in json.loads(said.read_text()) for message in file["messages"]]
    return [(message["line"], message["ruleId"], message["message"]) for message in found]


@on_nginx
def test_the_html_is_valid(page, modules, tmp_path):
    html = get(page).body
    assert validate(modules, tmp_path, html) == []
    assert validate(modules, tmp_path, html.replace(b"</h1>", b"</h2>")) != []


def test_every_link_leads_somewhere(page):
    browser = page.open()
    links = browser.run("return [...document.querySelectorAll('a')].map((a) => a.href)")
    assert len(links) > 10
    for link in set(links):
        place, _, anchor = link.partition("#")
        if place == page.url:
            assert browser.find_all(f"[id='{anchor}']"), link
        else:
            assert place.startswith(page.front.origin)
            path = place.removeprefix(page.front.origin)
            assert page.front.send(None, method="GET", path=path).status == 200, link


@on_nginx
def test_one_choice_of_language_is_for_all_calls(page):
    browser = page.open()
    count = len(page.calls())
    for language in LANGUAGES:
        browser.run("arguments[0].click()", browser.find(f".tabs [value={language}]"))
        assert browser.run(SHOWN, browser.find("main")) == [language] * count


@on_nginx
def test_all_can_be_read_without_scripts(page):
    browser = page.browser
    browser.command("Emulation.setScriptExecutionDisabled", value=True)
    try:
        page.open()
        assert not browser.find_all(".try"), "the page's script ran"
        assert not browser.find(".scripted-only").is_displayed()
        for call in page.calls():
            section = browser.find(f"[id='{call}']")
            for language in LANGUAGES:
                browser.find(f"[value={language}]", section).click()
                assert browser.run(SHOWN, section) == [language]
            assert call in browser.find("pre.python", section).text
            assert browser.find(".errors li", section).is_displayed()
    finally:
        browser.command("Emulation.setScriptExecutionDisabled", value=False)


def test_the_page_says_where_it_is(page):
    """Programs are pointed to the host that the page came from."""
    browser = page.open()
    assert browser.find(".address").text == page.front.origin
    assert {place.get_attribute("textContent") for place in browser.find_all(".base")} == {page.front.origin}


def has_ring(browser, element):
    """Whether a ring is drawn at the element, or at the label of a choice, and is in the view."""
    return browser.run(
        """
        const drawn = arguments[0].matches(".tabs input") ? arguments[0].nextElementSibling : arguments[0];
        const style = getComputedStyle(drawn), place = drawn.getBoundingClientRect();
        return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2
            && place.bottom > 0 && place.top < innerHeight && place.right > 0""",
        element,
    )


@on_nginx
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_focus_is_seen_wherever_tab_leads(page, size):
    browser = page.open(size=size)
    browser.run("document.querySelector('.try summary').click()")
    browser.run("getSelection().removeAllRanges(); document.activeElement.blur()")
    seen = []
    while True:
        browser.press(Keys.TAB)
        element = browser.focused()
        if element.tag_name == "body" or element in seen:
            break
        assert has_ring(browser, element), element.get_attribute("outerHTML")[:200]
        seen.append(element)
    assert len(seen) > 25
    kinds = {element.tag_name for element in seen}
    assert {"a", "summary", "input", "select", "textarea", "button"} <= kinds


@on_nginx
def test_the_first_key_skips_the_contents(page):
    browser = page.open()
    browser.press(Keys.TAB)
    assert browser.focused().text == "Skip to the content"
    browser.press(Keys.ENTER)
    assert browser.focused().get_attribute("id") == "content"
    browser.press(Keys.TAB)
    assert browser.run("return document.querySelector('main').contains(document.activeElement)")


@pytest.fixture
def from_files():
    """nginx with the page in files, as docs/operating.md says."""
    text = (SOURCE / "docs/operating.md").read_text()
    recipe = re.search(r"    location /apis/v2/public/docs/ {\n.*?\n    }\n", text, re.S)[0]
    with Site() as site:
        directory = site.directory / "docs"
        directory.mkdir()
        for name in LOADED:
            shutil.copy(SOURCE / "app/api/reference" / name, directory)
        command = [SERVICE, "--config", site.config, "--print-reference"]
        with open(directory / "index.html", "wb") as page:
            subprocess.run(command, env=site.environment(), stdout=page, check=True, timeout=20)
        recipe = recipe.replace("/var/www/crmnotes-docs", str(directory))
        types = "types { text/html html; text/css css; application/javascript js; image/svg+xml svg; }\n"
        with webservers.front("nginx", site, {"    location /apis/ {": types + recipe + "    location /apis/ {"}) as front:
            yield front


def test_a_web_server_may_serve_it_from_files(browser, from_files):
    page = Page(browser, from_files)
    answer = get(page)
    assert answer.header("X-Request-Id") is None, "the service has answered"
    assert answer.header("Content-Security-Policy") == POLICY
    assert answer.header("Referrer-Policy") == "no-referrer"
    page.open()
    open_every_form(browser)
    assert browser.complaints() == [] and browser.run("return refusedByPolicy") == []
    assert browser.find(".address").text == from_files.origin
