"""Alert rules and dashboard: what alerts fire for, and that all agree with the metrics and docs/operating.md."""

import json
import re
import shutil
import subprocess
import urllib.parse
import urllib.request

import pytest

from support import geo, processes, webservers
from support.paths import CONF, SOURCE
from support.service import Service
from support.site import Site
from support.wait import free_port, wait_for

RULES = CONF / "monitoring/prometheus-rules.yml"
DASHBOARD = json.loads((CONF / "monitoring/grafana-dashboard.json").read_text())
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
TESTS = SOURCE / "tests/monitoring/rules-test.yml"
OPERATING = (SOURCE / "docs/operating.md").read_text()
ALERTS = dict(re.findall(r"- alert: (\w+)\n(.*?)(?=\n {6}- alert|\n {2}- name|\Z)", RULES.read_text(), re.S))


def promtool(*arguments):
    done = subprocess.run(["promtool", *arguments], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_promtool_finds_the_rules_in_order():
    assert f"{len(ALERTS)} rules found" in promtool("check", "rules", RULES)


def test_each_alert_fires_for_its_cause_and_for_no_other(tmp_path):
    shutil.copy(RULES, tmp_path)
    shutil.copy(TESTS, tmp_path)
    promtool("test", "rules", tmp_path / TESTS.name)


def test_each_alert_is_seen_to_fire():
    assert set(re.findall(r'alertname="(\w+)"', TESTS.read_text())) == set(ALERTS)


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_leads_to_its_section(alert):
    text = ALERTS[alert]
    assert re.search(rf"^ +runbook_url: https://crm\.example\.org/docs/operating\.md#{alert.lower()}$", text, re.M)
    section = OPERATING.partition(f"\n#### {alert}\n")[2].partition("\n#")[0]
    assert re.findall(r"^- \*\*(\w+):\*\*", section, re.M) == ["Meaning", "See", "Remedy"]
    assert re.search(r"severity: (\w+)", text)[1] == re.search(r"\((page|ticket|info)\)", section)[1]


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory):
    """Asks a Prometheus with the configuration of the document: a function from path to data."""
    directory = tmp_path_factory.mktemp("prometheus")
    with Site(options={"workers": 2}) as site:
        geo.make("country", site.directory / "geo/country.mmdb")
        site.open_to_owner()
        site.configure(
            status_listen=f"unix:{site.directory}/status.sock",
            geoip_country=site.directory / "geo/country.mmdb",
        )
        with Service(site), webservers.Nginx(site) as web:
            site.ctl("db", "backup", str(site.directory / "copy.db"))
            with running(directory, web.port) as ask:
                yield ask


class running:  # noqa: N801
    """The server of the package, which scrapes that port."""

    def __init__(self, directory, target):
        self.directory, self.target, self.port = directory, target, free_port()

    def __enter__(self):
        text = re.search(r"```yaml\n(.*?)```", OPERATING, re.S)[1]
        text = text.replace("/etc/prometheus/crmnotes-rules.yml", str(RULES))
        text = text.replace("127.0.0.1:80", f"127.0.0.1:{self.target}")
        config = self.directory / "prometheus.yml"
        config.write_text("global: {scrape_interval: 1s, evaluation_interval: 1s}\n" + text)
        self.process = processes.start(
            ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={self.directory}/tsdb",
             f"--web.listen-address=127.0.0.1:{self.port}"],
            log=self.directory / "log",
        )  # fmt: skip
        return self.ask

    def __exit__(self, *failure):
        processes.stop(self.process)

    def ask(self, path, **parameters):
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(url, timeout=20) as answer:
            return json.load(answer)["data"]


def asked(prometheus, expression):
    """The answer to an expression, once there is one."""

    def ask():
        try:
            return prometheus("query", query=expression)["result"]
        except OSError:
            return None

    return wait_for(ask, expression, 60)


def test_prometheus_scrapes_as_described(prometheus):
    assert len(asked(prometheus, "crmnotes_build_info")) == 1
    (up,) = asked(prometheus, 'up{job="crmnotes"}')
    assert up["value"][1] == "1"


def test_every_metric_of_the_rules_exists(prometheus):
    asked(prometheus, 'crmnotes_backup_time_seconds')
    known = set(prometheus("label/__name__/values"))
    used = set(re.findall(r"\bcrmnotes_[a-z_]+", " ".join(re.findall(r"expr:(.*?)(?=for:|labels:)", RULES.read_text(), re.S))))
    # the WAL of a fresh service was never copied
    assert len(used) > 15 and used - known == {"crmnotes_checkpoint_time_seconds"}


def test_prometheus_evaluates_all_rules(prometheus):
    asked(prometheus, "crmnotes_build_info")
    rules = lambda: [rule for group in prometheus("rules")["groups"] for rule in group["rules"]]  # noqa: E731
    wait_for(lambda: all(rule["health"] == "ok" for rule in rules()), "all rules to be evaluated", 60)
    assert {rule["name"] for rule in rules()} == set(ALERTS)


# The dashboard.


def expressions(panel):
    """As Grafana asks for them."""
    variables = {"$job": "crmnotes", "$instance": ".*", "$__rate_interval": "1m"}
    for target in panel["targets"]:
        text = target["expr"]
        for name, value in variables.items():
            text = text.replace(name, value)
        assert "$" not in text, text
        yield text


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])
def test_a_panel_shows_what_prometheus_knows(prometheus, panel):
    assert panel["title"] and panel["fieldConfig"]["defaults"]["unit"] and panel["targets"]
    asked(prometheus, "crmnotes_backup_time_seconds")
    known = set(prometheus("label/__name__/values"))
    for expression in expressions(panel):
        assert set(re.findall(r"\bcrmnotes_[a-z_]+", expression)) <= known
        assert "result" in prometheus("query", query=expression)  # else status 400


def test_panels_lie_beside_each_other_and_have_ids_of_their_own():
    places = [tuple(panel["gridPos"][side] for side in "xywh") for panel in DASHBOARD["panels"]]
    cells = [(x + i, y + j) for x, y, w, h in places for i in range(w) for j in range(h)]
    assert len(cells) == len(set(cells)) and max(x for x, _ in cells) == 23
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids))


def test_every_metric_is_in_the_document(prometheus):
    asked(prometheus, "crmnotes_backup_time_seconds")
    table = OPERATING.partition("\n### Metrics\n")[2].partition("\n#")[0]
    listed = set(re.findall(r"^\| `(crmnotes_[a-z_]+)`", table, re.M))
    kinds = re.compile(r"_(bucket|sum|count)$")
    known = {name for name in prometheus("label/__name__/values") if name.startswith("crmnotes_")}
    histograms = {kinds.sub("", name) for name in known if name.endswith("_bucket")}
    families = {kinds.sub("", name) if kinds.sub("", name) in histograms else name for name in known}
    assert listed == families | {"crmnotes_checkpoint_time_seconds"}
