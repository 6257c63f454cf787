"""A real browser without a window, as a reader of pages uses it, with a record of what it asks."""

import json
import os
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from support.webservers import Front

DOCS = "/apis/v2/public/docs/"

DESKTOP, PHONE = (1440, 1000), (390, 844)

# For tests of what does not depend on the web server.
on_nginx = pytest.mark.parametrize("front", ["nginx"], indirect=True)

# In every page, before its own scripts: what the Content-Security-Policy has refused.
WATCH_POLICY = """
window.refusedByPolicy = [];
addEventListener("securitypolicyviolation",
    (event) => refusedByPolicy.push(`${event.violatedDirective} ${event.blockedURI}`));
"""


class Browser:
    def __init__(self):
        options = webdriver.ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        options.add_argument("--headless=new")
        options.add_argument("--force-prefers-reduced-motion")
        options.add_argument("--disable-dev-shm-usage")
        if os.geteuid() == 0:
            options.add_argument("--no-sandbox")
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
        self.driver.set_page_load_timeout(60)
        self.driver.set_script_timeout(120)  # axe takes 4 seconds where nothing else runs
        self.command("Page.addScriptToEvaluateOnNewDocument", source=WATCH_POLICY)

    def close(self):
        self.driver.quit()

    def command(self, name, **parameters):
        """A command of the browser's debugging protocol."""
        return self.driver.execute_cdp_cmd(name, parameters)

    def view(self, size=DESKTOP, scheme="light"):
        width, height = size
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": size == PHONE}
        self.command("Emulation.setDeviceMetricsOverride", **metrics)
        feature = {"name": "prefers-color-scheme", "value": scheme}
        self.command("Emulation.setEmulatedMedia", features=[feature])

    def open(self, url):
        """The page in a fresh document, with empty logs."""
        self.driver.get("about:blank")
        self.driver.get_log("performance")
        self.driver.get_log("browser")
        self.driver.get(url)

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def find(self, selector, within=None):
        return (within or self.driver).find_element(By.CSS_SELECTOR, selector)

    def find_all(self, selector, within=None):
        return (within or self.driver).find_elements(By.CSS_SELECTOR, selector)

    def press(self, *keys):
        """Keys, at whatever has the focus."""
        actions = webdriver.ActionChains(self.driver)
        actions.send_keys(*keys).perform()

    def focused(self):
        return self.driver.switch_to.active_element

    def complaints(self):
        """What its console has said since the page was opened."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requests(self):
        """(method, URL, headers) of all requests since the page was opened, or this was called."""
        messages = (json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance"))
        sent = [m["params"]["request"] for m in messages if m["method"] == "Network.requestWillBeSent"]
        return [
            (one["method"], one["url"], one["headers"])
            for one in sent
            if urlsplit(one["url"]).scheme not in ("about", "data")
        ]


@dataclass
class Page:
    """The reference page of a web server; open makes a fresh document of it."""

    browser: Browser
    front: Front

    @property
    def url(self):
        return self.front.origin + DOCS

    def open(self, fragment="", **view):
        self.browser.view(**view)
        self.browser.open(self.url + fragment)
        return self.browser

    def calls(self):
        """The names of the calls that are described."""
        return [section.get_attribute("id") for section in self.browser.find_all("section.call")]
