"""Try it: a call is sent from the page, and what came back is shown."""

import json

import pytest
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

from support.browser import on_nginx
from support.paths import CALL_PATH
from support.wait import wait_for

CALL = "addNotestoContact"
FILL = "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('input', { bubbles: true }))"
FACTS = """
    return Object.fromEntries([...arguments[0].querySelectorAll("dt")]
        .map((term) => [term.textContent, term.nextElementSibling.textContent]))"""

# Whether the page has taken what is pasted, instead of the browser.
PASTE = """
    const data = new DataTransfer();
    data.setData("text", arguments[1]);
    const paste = new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true });
    return !arguments[0].dispatchEvent(paste);"""


class Form:
    """The form of a call on a page that is open."""

    def __init__(self, browser, call=CALL):
        self.browser = browser
        self.call = call
        self.section = browser.find(f"[id='{call}']")
        browser.run("arguments[0].scrollIntoView()", self.section)
        browser.find(".try summary", self.section).click()
        wait_for(lambda: browser.find_all("form", self.section), "the form")

    def input(self, name):
        return self.browser.find(f"[name='{name}']", self.section)

    def fill(self, **values):
        """As if they were typed, which takes half a second for each."""
        for name, value in values.items():
            self.browser.run(FILL, self.input(name), value)

    def send(self):
        """The title of the result."""
        self.browser.find(".send", self.section).click()
        return self.wait()

    def wait(self):
        focused = lambda: self.browser.run("return document.activeElement.matches('.result h3')")  # noqa: E731
        wait_for(focused, "the focus at the result")
        return self.browser.focused().text

    def result(self):
        return self.browser.find(".result", self.section)

    def facts(self):
        """All of one result, even when another takes its place meanwhile."""
        return self.browser.run(FACTS, self.result())

    def body(self):
        return json.loads(self.browser.run("return arguments[0].querySelector('pre').textContent", self.result()))


def credentials(world, **changes):
    known = {
        "api_key": world.api_key,
        "developer_secret": world.developer_secret,
        "org_id": world.org,
        "member_id": world.member,
        "contact_id": world.contact,
    }
    return {**known, **changes}


@pytest.fixture
def form(page, world):
    form = Form(page.open())
    form.fill(**credentials(world))
    return form


def posts(browser):
    return [(url, headers) for method, url, headers in browser.requests() if method == "POST"]


def test_a_note_is_stored(page, form, world):
    text = 'From the page: "Grüße" <b>世界</b> \\ 🙂'
    form.fill(note=text)
    Select(form.input("note_visibility")).select_by_visible_text("0")
    assert form.send() == "200 success"
    data = form.body()["data"]
    note = page.front.site.note(data["note_id"])
    assert (note["note_content"], data["note_content"]) == (text, text)
    assert (note["note_author"], note["note_visibility"]) == (world.member, 0)
    facts = form.facts()
    assert facts["HTTP status"] == "200" and facts["Time"].endswith(" ms")
    assert note["origin"]["request_id"] == facts["X-Request-Id"]
    ((url, headers),) = posts(page.browser)
    assert url == page.front.url
    assert headers["Idempotency-Key"] == facts["Idempotency-Key"]


@on_nginx
def test_each_send_has_a_key_of_its_own_and_a_repetition_the_same(page, form, world):
    before = len(page.front.site.notes(world.contact))
    form.send()
    first = form.body()["data"]["note_id"]
    again = page.browser.find(".result button", form.section)
    again.click()
    wait_for(lambda: "Idempotency-Replayed" in form.facts(), "the repeated answer")
    assert form.body()["data"]["note_id"] == first
    assert len(page.front.site.notes(world.contact)) == before + 1
    form.send()
    assert form.body()["data"]["note_id"] != first
    keys = [headers["Idempotency-Key"] for _, headers in posts(page.browser)]
    assert keys[0] == keys[1] != keys[2]


@on_nginx
def test_a_key_is_made_without_a_secure_context(page, world):
    """There crypto.randomUUID is missing, and navigator.clipboard as well."""
    insecure = """
        delete Crypto.prototype.randomUUID;
        Object.defineProperty(navigator, "clipboard", { value: undefined });"""
    browser = page.browser
    made = browser.command("Page.addScriptToEvaluateOnNewDocument", source=insecure)
    try:
        form = Form(page.open())
        assert browser.run("return [typeof crypto.randomUUID, typeof navigator.clipboard]") == ["undefined"] * 2
        form.fill(**credentials(world))
        assert form.send() == "200 success"
        assert len(form.facts()["Idempotency-Key"]) == 32
        copy = browser.find(".copy", form.section)
        copy.click()
        wait_for(lambda: copy.text == "Copied", "the copy")
    finally:
        browser.command("Page.removeScriptToEvaluateOnNewDocument", identifier=made["identifier"])


@on_nginx
@pytest.mark.parametrize(
    "changes, title, says, message",
    [
        ({"member_id": "second_member"}, "200 NOT_OWNER", "does not own the contact", "owns the contact"),
        ({"api_key": "zak_wrong"}, "200 INVALID_API_KEY", "No live key", "Invalid API Key"),
        ({"org_id": ""}, "200 MISSING_FIELDS", "Send all required fields", "Missing org ID"),
    ],
)
def test_an_error_is_shown_with_what_to_do(page, world, changes, title, says, message):
    form = Form(page.open())
    form.fill(**credentials(world, **{name: getattr(world, value, value) for name, value in changes.items()}))
    assert form.send() == title
    assert says in form.result().text
    assert form.facts()["X-Error-Code"] == title.split()[1]
    body = form.body()
    assert body["status"] == "error" and message in body["data"][0]


@on_nginx
def test_real_status_codes_are_asked_for(page, form):
    page.browser.find("[type=checkbox]", form.section).click()
    form.fill(api_key="zak_wrong")
    assert form.send() == "401 INVALID_API_KEY"


def test_an_address_that_is_not_allowed_is_named(page):
    world = page.front.site.world("Elsewhere", allow=("192.0.2.0/24",))
    form = Form(page.open())
    form.fill(**credentials(world))
    assert form.send() == "200 IP_NOT_WHITELISTED"
    assert form.facts()["X-Client-Address"] == "127.0.0.1"
    assert "crmnotesctl allow add DEVKEY 127.0.0.1" in form.result().text


@on_nginx
def test_a_network_that_fails_is_told(page, form):
    browser = page.browser
    browser.command("Network.enable")
    offline = {"latency": 0, "downloadThroughput": 0, "uploadThroughput": 0}
    browser.command("Network.emulateNetworkConditions", offline=True, **offline)
    try:
        assert form.send() == "No answer came"
        assert "with the same key" in form.result().text
    finally:
        rates = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
        browser.command("Network.emulateNetworkConditions", offline=False, **rates)
    browser.find(".result button", form.section).click()
    wait_for(lambda: form.result().text.startswith("200 success"), "the repeated request")


@on_nginx
def test_an_answer_of_the_web_server_itself_is_shown_as_text(page, form):
    page.browser.run("window.fetch = async () => new Response('<h1>502 <b>Bad</b></h1>', { status: 502 })")
    assert form.send() == "502: no JSON"
    assert page.browser.find("pre", form.result()).text == "<h1>502 <b>Bad</b></h1>"


def test_credentials_are_kept_nowhere(page, form, world):
    browser = page.browser
    assert browser.find(f"#{CALL} form").get_attribute("autocomplete") == "off"
    for name in ("api_key", "developer_secret"):
        assert form.input(name).get_attribute("type") == "password"
        assert form.input(name).get_attribute("autocomplete") == "off"
    form.send()
    for name in ("api_key", "developer_secret"):
        form.fill(**{name: getattr(world, name)})
        assert getattr(world, name) not in browser.run("return location.href + JSON.stringify(history.state)")
    kept = browser.run("return JSON.stringify([localStorage, sessionStorage, document.cookie, location.href, history.state])")
    databases = browser.driver.execute_async_script("indexedDB.databases().then(arguments[0])")
    caches = browser.driver.execute_async_script("window.caches ? caches.keys().then(arguments[0]) : arguments[0]([])")
    assert (databases, caches, browser.driver.get_cookies()) == ([], [], [])
    logs = "".join(file.read_text() for file in page.front.site.directory.glob("*.log"))
    assert CALL_PATH in logs
    for secret in (world.api_key, world.developer_secret):
        for place in (kept, logs, json.dumps([url for _, url, _ in browser.requests()])):
            assert secret not in place
        assert secret not in browser.run("return document.documentElement.outerHTML")
    page.open()
    again = Form(browser)
    assert again.input("api_key").get_attribute("value") == ""


@on_nginx
def test_a_secret_can_be_shown(page, form, world):
    show = page.browser.find("[aria-label='Show api_key']", form.section)
    show.click()
    assert form.input("api_key").get_attribute("type") == "text"
    assert (show.text, show.get_attribute("aria-pressed")) == ("Hide", "true")
    show.click()
    assert form.input("api_key").get_attribute("type") == "password"


@on_nginx
def test_ids_are_put_into_the_examples_and_secrets_are_not(page, form, world):
    shown = next(pre for pre in page.browser.find_all(".request pre", form.section) if pre.is_displayed())
    assert f'"contact_id": "{world.contact}"' in shown.text
    assert '"api_key": "YOUR_API_KEY"' in shown.text
    form.fill(contact_id='"><b>')
    assert '"contact_id": "b"' in shown.text
    form.fill(contact_id="")
    assert '"contact_id": "a1b2c3d4-' in shown.text


@on_nginx
def test_a_request_that_is_pasted_fills_the_form(page, world):
    browser = page.open()
    form = Form(browser)
    request = {**credentials(world), "note": "pasted\n<b>", "note_visibility": 0, "note_id": None, "other": [1]}
    browser.run(PASTE, form.input("org_id"), json.dumps(request))
    assert form.input("api_key").get_attribute("type") == "password"
    assert form.send() == "200 success"
    note = page.front.site.note(form.body()["data"]["note_id"])
    assert (note["note_content"], note["note_visibility"]) == ("pasted\n<b>", 0)
    assert not browser.run(PASTE, form.input("note"), "plain text is pasted as ever")


@on_nginx
def test_what_an_answer_tells_is_filled_into_the_other_calls(page, world):
    """A contact is added, with a company, and read, by what the page knows from the former answer."""
    browser = page.open()
    add = Form(browser, "addContactsFull")
    known = credentials(world)
    del known["contact_id"]
    add.fill(**known, primaryEmail="ada@example.org", website="https://example.org/")
    browser.run(FILL, browser.find("[id$=entity-name]", add.section), "Example Ltd")
    assert add.send() == "200 success"
    contact = add.body()["data"]["contact_id"]
    assert "contact_id" in add.result().text
    fetch = Form(browser, "fetchContact")
    assert fetch.input("contact_id").get_attribute("value") == contact
    assert fetch.send() == "200 success"
    read = fetch.body()["data"]["contact"]
    assert (read["contact_id"], read["contact_owner"]) == (contact, world.member)
    assert (read["primary_email"], read["entity_name"]) == ("ada@example.org", "Example Ltd")


@on_nginx
def test_a_note_is_stored_by_keyboard_alone(page, world):
    browser = page.open()

    def tab_to(selector):
        for _ in range(200):
            browser.press(Keys.TAB)
            if browser.run("return document.activeElement.matches(arguments[0])", selector):
                return
        raise AssertionError(f"Tab does not lead to {selector}")

    tab_to(f"#{CALL} .try summary")
    browser.press(Keys.ENTER)
    wait_for(lambda: browser.find_all(f"#{CALL} form"), "the form")
    for name, value in credentials(world).items():
        tab_to(f"#{CALL} [name={name}]")
        browser.press(value)
    before = len(page.front.site.notes(world.contact))
    browser.press(Keys.ENTER)
    assert wait_for(
        lambda: browser.run("return document.activeElement.matches('.result h3')"), "the focus at the result"
    )
    assert browser.focused().text == "200 success"
    assert len(page.front.site.notes(world.contact)) == before + 1
    tab_to(f"#{CALL} .tabs input")
    browser.press(Keys.ARROW_RIGHT)
    assert browser.find(f"#{CALL} pre.php").is_displayed()


@on_nginx
def test_the_way_from_the_secret_to_a_note_needs_nothing_but_the_secret(page):
    """Each call tells what the next one needs."""
    site = page.front.site
    org = site.add_org("From the secret")["org_id"]
    member = site.add_member(org, "Ada")["member_id"]
    api_key = site.issue_apikey(member)
    handing_out = ("--hands-out", api_key["apikey_id"])
    devkey = site.issue_devkey(org, "127.0.0.1", more=handing_out, stdin=api_key["api_key"])
    browser = page.open()

    identifiers = Form(browser, "fetchIdentifiers")
    identifiers.fill(developer_secret=devkey["developer_secret"])
    assert identifiers.send() == "200 success"
    assert "api_key, org_id, member_id" in identifiers.result().text
    for call in ("addContactsFull", "addNotestoContact"):
        assert Form(browser, call).send() == "200 success"
    fetch = Form(browser, "fetchContact")
    Select(fetch.input("include_notes")).select_by_visible_text("1")
    assert fetch.send() == "200 success"
    (note,) = fetch.body()["data"]["notes"]
    assert site.note(note["note_id"])["note_author"] == member
    assert note["note_content"] == "Had a great demo call. Follow up next week."
